"""What the C library does with memory that is freed."""

from __future__ import annotations

import ctypes
import sys

# More than an array of a usual image takes, and less than the buffers of a run of many rows.
_LARGE_BYTES = 2**22
_KEPT_BYTES = 2**24
# Parameters of mallopt(3) in the GNU C library.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def settle_freed_memory() -> None:
    """Has small arrays find the memory of those before them, and large ones give it back to the system at once.

    In a new process each array of 128 KiB or more is mapped anew, and the system clears its pages one by one as they
    are written: a sixth of the time of an example. In one that has freed something large, all memory is kept, that of
    large buffers in pieces: a fifth of what a run of many rows takes. Other C libraries go on as before.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
