"""Limits BLAS to one thread while a pool decodes on all cores: threads of both would get in each other's way."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_runs = 0
_limits: threadpool_limits | None = None


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limits BLAS while the body runs, in one thread or in several: this process may be that of another program."""
    global _runs, _limits
    with _lock:
        if not _runs:
            _limits = threadpool_limits(1, user_api="blas")
        _runs += 1
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs and _limits is not None:
                _limits.restore_original_limits()
                _limits = None


def limit_worker() -> None:
    """Limits BLAS for good, unless `one_blas_thread` does: for a process that only works for a run."""
    if not _runs:
        threadpool_limits(1, user_api="blas")
