"""Lets HDF5 write a file although the disk may be full."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any, TypeVar

Argument = TypeVar("Argument")


class Storage(io.RawIOBase):
    """The file beneath HDF5, which hides errors from it.

    The HDF5 library crashes the whole process when a write fails, for example because the disk is full. Therefore the
    first error is kept for `check`; from then on nothing is written, and reading gives zeros.

    Args:
        file: open. (Not a path: Python closes an object of a class of `io` even if its constructor failed, so that
            this constructor must not fail.)
    """

    def __init__(self, file: io.FileIO) -> None:
        super().__init__()
        self._file = file
        self._position = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raises the first error of a read or write, if there was one."""
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror, self._file.name) from self._error

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += os.fstat(self._file.fileno()).st_size
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def write(self, content: Any, /) -> int:
        data = memoryview(content).cast("B")
        self._attempt(self._write_all, data)
        self._position += len(data)
        return len(data)

    def _write_all(self, data: memoryview) -> None:
        position = self._position
        while data:
            written = os.pwrite(self._file.fileno(), data, position)
            position += written
            data = data[written:]

    def readinto(self, target: Any, /) -> int:
        view = memoryview(target).cast("B")
        view[:] = bytes(len(view))
        self._attempt(self._read_into, view)
        self._position += len(view)
        return len(view)

    def _read_into(self, view: memoryview) -> None:
        content = os.pread(self._file.fileno(), len(view), self._position)
        view[: len(content)] = content

    def truncate(self, size: int | None = None, /) -> int:
        length = self._position if size is None else size
        self._attempt(self._file.truncate, length)
        return length

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _attempt(self, operation: Callable[[Argument], object], argument: Argument) -> None:
        if self._error is None:
            try:
                operation(argument)
            except OSError as error:
                self._error = error
