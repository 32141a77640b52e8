"""Tunes how the C library manages freed memory."""

from __future__ import annotations

import ctypes
import sys

# More than an array of a usual image takes, and less than the buffers of a run with many rows.
_LARGE_BYTES = 2**22
_KEPT_BYTES = 2**24
# Parameters of mallopt(3) in the GNU C library.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def tune_malloc() -> None:
    """Makes malloc reuse the memory of small arrays, and return that of large ones to the system at once.

    By default, a new process maps each array of 128 KiB or more anew, and the system clears its pages one by one: a
    sixth of the time of an example. A process that has freed something large keeps all memory, with large buffers in
    fragments: a fifth of what a run with many rows takes. Only the GNU C library is tuned.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
