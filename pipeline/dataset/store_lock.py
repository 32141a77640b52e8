"""Locks an output folder in an object store, with an object that is created only if it does not exist.

The lock of a file ends with its process; an object stays if a run dies. So its owner renews it, and another run may
take a lock that was not renewed for `DEAD_SECONDS`. The clocks of the hosts have to agree better than that.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
from collections.abc import Iterator
from typing import Any

from maskmill.transforms.files.object_store import ABSENT, Content, ObjectStore

RENEW_SECONDS = 60.0
DEAD_SECONDS = 600.0
_ATTEMPTS = 5


class StoreLock:
    """A lock that this process wants or holds.

    Args:
        store: the object store.
        path: path of the object.
        owner: content of the object: `run`, and what a message shows.
    """

    def __init__(self, store: ObjectStore, path: str, owner: dict[str, Any]) -> None:
        self._store = store
        self._path = path
        self._owner = owner
        self._version = ABSENT

    def acquire(self) -> dict[str, Any] | None:
        """Takes the lock.

        Returns:
            None if this process has it; else what its owner wrote, {} if owners change too quickly.

        Raises:
            OSError: the store cannot be read or written to.
        """
        for _ in range(_ATTEMPTS):
            found = self._read()
            if found.version != ABSENT and not _is_dead(found.data):
                return _parse(found.data)
            if self._take(found.version):
                return None
            # Another run was faster. It may have ended and released its lock since.
        return {}

    def _take(self, version: str) -> bool:
        try:
            return self._swap(version)
        except OSError:
            # The store may have created the object all the same.
            with contextlib.suppress(OSError):
                self.release()
            raise

    @contextlib.contextmanager
    def renewed(self) -> Iterator[None]:
        """Renews the lock while the body runs, and releases it at the end."""
        stop = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            with contextlib.suppress(OSError):
                self.release()

    def release(self) -> None:
        """Releases the lock, if this run holds it."""
        if _parse(self._read().data).get("run") == self._owner["run"]:
            self._store.delete([self._path])

    def _renew_until(self, stop: threading.Event) -> None:
        while not stop.wait(RENEW_SECONDS):
            # A renewal that fails is tried again a minute later. Before anything is published, the run checks that it
            # still holds the lock.
            with contextlib.suppress(OSError):
                self._swap(self._version)

    def _swap(self, version: str) -> bool:
        content = json.dumps({**self._owner, "renewed": _now().isoformat()}).encode()
        made = self._store.swap(self._path, content, version)
        if made is None:
            found = self._read()
            # The answer to an earlier attempt at this very request may have been lost.
            if _parse(found.data).get("run") != self._owner["run"]:
                return False
            made = found.version
        self._version = made
        return True

    def _read(self) -> Content:
        try:
            return self._store.read(self._path)
        except FileNotFoundError:
            return Content(b"", ABSENT)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _parse(content: bytes) -> dict[str, Any]:
    """Returns what a lock says of its owner; {} if it is damaged."""
    try:
        owner = json.loads(content)
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def _is_dead(content: bytes) -> bool:
    try:
        renewed = datetime.datetime.fromisoformat(str(_parse(content).get("renewed")))
        return (_now() - renewed).total_seconds() > DEAD_SECONDS
    except (ValueError, TypeError):
        return True
