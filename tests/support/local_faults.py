"""Calls of the operating system that fail on request, for paths below given folders and for no others."""

from __future__ import annotations

import builtins
import contextlib
import fcntl
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Faults


@contextlib.contextmanager
def local_faults(faults: Faults, *folders: Path) -> Iterator[None]:
    """Has what the program does below some folders go through `faults`, while the body runs.

    A file that cannot be closed is cut off, a write that fails has written half, and a folder that cannot be removed
    has lost some of its files.
    """
    watch = _Watch(faults, tuple(map(str, folders)))
    with pytest.MonkeyPatch.context() as patch:
        for module in (builtins, io):
            patch.setattr(module, "open", watch.opener(open))
        patch.setattr(os, "open", watch.descriptor_opener(os.open))
        patch.setattr(os, "fsync", watch.fsync(os.fsync))
        patch.setattr(os, "scandir", watch.scandir(os.scandir))
        patch.setattr(os, "replace", watch.on_path("replace", os.replace))
        for name in ("stat", "mkdir", "makedirs", "remove"):
            patch.setattr(os, name, watch.on_path(name, getattr(os, name)))
        patch.setattr(shutil, "rmtree", watch.on_path("rmtree", shutil.rmtree, spoil=_remove_some))
        patch.setattr(fcntl, "flock", watch.flock(fcntl.flock))
        yield


def _remove_some(folder: str, *_: object, **__: object) -> None:
    """Removes every second file below a folder."""
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file())[::2]:
        path.unlink()


class _Watch:
    """Makes functions that look at the path first."""

    def __init__(self, faults: Faults, folders: tuple[str, ...]) -> None:
        self.faults = faults
        self.folders = folders
        self.descriptors: dict[int, str] = {}

    def wants(self, path: object) -> bool:
        """Whether a path is one of those, or below one."""
        return isinstance(path, str) and any(path == one or path.startswith(f"{one}/") for one in self.folders)

    def on_path(self, operation: str, real: Callable[..., Any], spoil: Callable[..., object] = lambda *_: None) -> Any:
        """A function whose first argument is the path."""

        def call(path: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.wants(path) or kwargs.get("dir_fd") is not None:
                return real(path, *args, **kwargs)
            return self.faults.call(operation, path, lambda: real(path, *args, **kwargs), spoil=lambda: spoil(path))

        return call

    def opener(self, real: Callable[..., Any]) -> Any:
        """`open`, whose files take part as well."""

        def call(path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not self.wants(path):
                return real(path, mode, *args, **kwargs)
            file = self.faults.call("open", path, lambda: real(path, mode, *args, **kwargs))
            return _File(file, path, self.faults, writes=mode[0] != "r" or "+" in mode)

        return call

    def descriptor_opener(self, real: Callable[..., int]) -> Any:
        """`os.open`; the descriptor is remembered for `os.fsync`."""

        def call(path: Any, *args: Any, **kwargs: Any) -> int:
            if not self.wants(path):
                return real(path, *args, **kwargs)
            descriptor = self.faults.call("os.open", path, lambda: real(path, *args, **kwargs))
            self.descriptors[descriptor] = path
            return descriptor

        return call

    def fsync(self, real: Callable[[int], None]) -> Any:
        """`os.fsync`; the disk is not waited for."""

        def call(descriptor: int) -> None:
            if path := self.descriptors.get(descriptor):
                self.faults.call("fsync", path, lambda: None)
            else:
                real(descriptor)

        return call

    def scandir(self, real: Callable[..., Any]) -> Any:
        """`os.scandir`, whose entries may fail to come."""

        def call(path: Any = ".") -> Any:
            if not self.wants(path):
                return real(path)
            return _Entries(self.faults.call("scandir", path, lambda: real(path)), path, self.faults)

        return call

    def flock(self, real: Callable[..., None]) -> Any:
        """`fcntl.flock`."""

        def call(file: Any, operation: int) -> None:
            if not isinstance(file, _File):
                return real(file, operation)
            return self.faults.call("flock", file.name, lambda: real(file, operation))

        return call


class _Entries:
    """Entries of a folder."""

    def __init__(self, real: Any, path: str, faults: Faults) -> None:
        self._real, self._path, self._faults = real, path, faults

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._real.close()

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> os.DirEntry[str]:
        return self._faults.call("readdir", self._path, lambda: next(self._real))


class _File:
    """An open file."""

    def __init__(self, real: Any, path: str, faults: Faults, *, writes: bool) -> None:
        self._real, self._path, self._faults, self._writes = real, path, faults, writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, *args: Any) -> Any:
        return self._faults.call("read", self._path, lambda: self._real.read(*args))

    def write(self, content: Any) -> int:
        half = content[: len(content) // 2]
        return self._faults.call(
            "write", self._path, lambda: self._real.write(content), spoil=lambda: self._real.write(half)
        )

    def truncate(self, *args: Any) -> int:
        return self._faults.call("truncate", self._path, lambda: self._real.truncate(*args))

    def close(self) -> None:
        if not self._real.closed:
            self._faults.call("close", self._path, self._real.close, spoil=self._cut_off)

    def _cut_off(self) -> None:
        """Closes the file, of which the second half is lost."""
        if self._writes:
            self._real.flush()
            self._real.truncate(os.fstat(self._real.fileno()).st_size // 2)
        self._real.close()
