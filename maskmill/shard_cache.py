"""Keeps copies of shards in a local folder, which the processes of a machine share.

    <cache>/
      <sha256>.h5                     a copy, checked and complete; its time of change is that of its last use
      <sha256>.<unique>.attempt       a copy that is being fetched; as large as it will be, so that it counts as such
      <sha256>.lock, room.lock        locked while a shard is fetched, and while room is made

The names say what is in the files: datasets, and versions of one, do not mix. Locks are those of the operating system,
which end with their process. They only spare work: each attempt has a name of its own, and becomes a copy by renaming,
so that a copy is whole even where locks do not work.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import sys
import time
import uuid
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard
from maskmill.errors import DatasetError
from maskmill.folder import Folder, LocalFolder, OpenFile, Read, read_in_order
from maskmill.names import ATTEMPT

if sys.platform != "win32":
    import fcntl

_OURS = re.compile(rf"(?P<sha256>[0-9a-f]{{64}})(\.h5|\.[0-9a-f]{{32}}(?P<attempt>{re.escape(ATTEMPT)}))")
_LOCK = ".lock"
_ROOM = "room"
# Bytes of a shard that a request asks for.
_PART = 2**24
# A process that waits longer for another one does the work itself: the other may be stopped.
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.01


class _File(NamedTuple):
    """A copy or an attempt in the cache.

    Attributes:
        path: of the file.
        sha256: of the whole shard.
        is_attempt: whether it is being fetched.
        size: in bytes.
        used: time of its last use.
    """

    path: str
    sha256: str
    is_attempt: bool
    size: int
    used: int


class ShardCache:
    """A folder of copies, which holds at most so many bytes.

    Args:
        folder: local folder; made on first use.
        most_bytes: most bytes of copies and attempts together, whichever process makes them; None is without a limit.
    """

    def __init__(self, folder: str, most_bytes: int | None = None) -> None:
        self.folder = os.path.abspath(folder)
        self.most_bytes = most_bytes

    def check(self, path: str, shards: Iterable[Shard]) -> None:
        """Checks that the cache can hold the shards of a dataset, and makes its folder.

        Args:
            path: folder of the dataset, for messages.
            shards: of the dataset.

        Raises:
            ValueError: a shard is larger than the cache.
            DatasetError: the dataset does not list checksums, or the folder cannot be written.
        """
        for shard in shards:
            if shard.sha256 is None or shard.bytes is None:
                unlisted = "does not list checksums, by which copies are checked and named"
                raise DatasetError(
                    f"{path} {unlisted}; open it without cache=, or make the dataset with maskmill create"
                )
            if self.most_bytes is not None and shard.bytes > self.most_bytes:
                raise ValueError(
                    f"cache_bytes is {self.most_bytes:,}, but {path}/{shard.path} has {shard.bytes:,} bytes; "
                    "set cache_bytes to a multiple of that"
                )
        with self._explained(), self._locked(_ROOM, _PATIENCE_SECONDS):
            pass

    def path_of(self, shard: Shard) -> str:
        """Path of the copy of a shard."""
        return os.path.join(self.folder, f"{shard.sha256}.h5")

    def has(self, shard: Shard) -> bool:
        """Whether there is a copy of a shard, of the right size."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self.path_of(shard)).st_size == shard.bytes
        return False

    def touch(self, shards: Iterable[Shard]) -> None:
        """Marks the copies of shards as just used."""
        for shard in shards:
            # Gone, or made by another user: it is then only removed sooner.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                os.utime(self.path_of(shard))

    def fetch(self, shard: Shard, source: Folder, *, patient: bool = True) -> None:
        """Fetches a shard, unless there is a copy of it.

        Args:
            shard: the shard.
            source: folder of the dataset.
            patient: waits if another process fetches the shard, or if there is no room; otherwise gives up.

        Raises:
            DatasetError: the shard is not the one of the manifest, cannot be read, or cannot be written.
        """
        if self.has(shard):
            return
        assert shard.sha256 is not None
        with self._explained(), self._locked(shard.sha256, _PATIENCE_SECONDS if patient else 0.0) as locked:
            if self.has(shard) or not (locked or patient):
                return
            attempt = self._begin_attempt(shard, patient=patient)
            if attempt is None:
                return
            try:
                with open(attempt, "r+b") as file:
                    _copy(shard, source, file)
                    file.flush()
                    # Otherwise a power failure could leave a file of the right size that is not whole.
                    os.fsync(file.fileno())
                # If another process took the attempt for a dead one, the caller finds no copy, and tries again.
                with contextlib.suppress(FileNotFoundError):
                    os.replace(attempt, self.path_of(shard))
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(attempt)

    def _begin_attempt(self, shard: Shard, *, patient: bool) -> str | None:
        """Makes room for a shard, and an empty file of its size; None if there is no room, and nobody to wait for."""
        assert shard.bytes is not None
        path = os.path.join(self.folder, f"{shard.sha256}.{uuid.uuid4().hex}{ATTEMPT}")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            with self._locked(_ROOM, _PATIENCE_SECONDS):
                if self._make_room(shard.bytes) or time.monotonic() > deadline:
                    with open(path, "xb") as file:
                        file.truncate(shard.bytes)
                    return path
            if not patient:
                return None
            # Others are fetching, and what they have fetched can be removed.
            time.sleep(_POLL_SECONDS)

    def _make_room(self, size: int) -> bool:
        """Removes attempts of dead processes, and the copies that were used least recently; whether there is room."""
        files = [file for file in self._files() if not (file.is_attempt and self._remove_if_dead(file))]
        if self.most_bytes is None:
            return True
        excess = sum(file.size for file in files) + size - self.most_bytes
        copies = sorted((file for file in files if not file.is_attempt), key=lambda file: file.used)
        if excess > sum(file.size for file in copies):
            return False
        for file in copies:
            if excess <= 0:
                break
            # Processes that have it open can still read it; on Windows it stays.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                os.unlink(file.path)
                excess -= file.size
        return excess <= 0

    def _files(self) -> list[_File]:
        """Copies and attempts in the folder; what others left there is none of ours."""
        found = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                name = _OURS.fullmatch(entry.name)
                with contextlib.suppress(FileNotFoundError):
                    if name:
                        status = entry.stat()
                        is_attempt = name["attempt"] is not None
                        found.append(_File(entry.path, name["sha256"], is_attempt, status.st_size, status.st_mtime_ns))
        return found

    def _remove_if_dead(self, attempt: _File) -> bool:
        """Removes an attempt that no process is making; whether it did."""
        with self._locked(attempt.sha256, 0.0) as locked:
            if locked:
                with contextlib.suppress(FileNotFoundError, PermissionError):
                    os.unlink(attempt.path)
            return locked

    @contextlib.contextmanager
    def _locked(self, name: str, seconds: float) -> Iterator[bool]:
        """Holds a lock while the body runs; yields False if another process kept it for so many seconds."""
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, f"{name}{_LOCK}")
        deadline = time.monotonic() + seconds
        while (descriptor := _try_lock(path)) is None:
            if time.monotonic() >= deadline:
                yield False
                return
            time.sleep(_POLL_SECONDS)
        try:
            yield True
        finally:
            with contextlib.suppress(FileNotFoundError, PermissionError):
                os.unlink(path)
            _unlock(descriptor)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Says what to do about an error of the cache's own file system."""
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            advice = (
                "free some space, or set cache_bytes to less than the disk has for it"
                if full
                else "name another local folder as cache"
            )
            raise DatasetError(f"{self.folder}: cannot keep copies of shards there ({error}); {advice}") from error


def _try_lock(path: str) -> int | None:
    """Makes and locks a file; returns its descriptor, or None if another process has it locked."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    if sys.platform == "win32":  # knows no such locks
        return descriptor
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it before removes it: the name may be another file's by now.
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _unlock(descriptor: int) -> None:
    if sys.platform != "win32":
        # Closing alone would not unlock it if a process was forked meanwhile.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _copy(shard: Shard, source: Folder, file: BinaryIO) -> None:
    """Copies a shard, and checks its size and sha256."""
    assert shard.bytes is not None
    digest = hashlib.sha256()
    for part in _parts(shard, source):
        digest.update(part.data)
        file.write(part.data)
    if digest.hexdigest() != shard.sha256:
        found = f"its content has changed (sha256 {digest.hexdigest()} instead of {shard.sha256})"
        raise DatasetError(f"{shard.path}: {found}; open the dataset again, or copy it again if that does not help")


def _parts(shard: Shard, source: Folder) -> Iterator[NDArray[np.uint8]]:
    """Reads a shard from beginning to end; each part is overwritten by the next one."""
    assert shard.bytes is not None
    buffer = np.empty(min(_PART, shard.bytes), np.uint8)
    try:
        opened = source.open(shard.path)
        with contextlib.closing(opened):
            if opened.size() != shard.bytes:
                raise DatasetError(f"{shard.path} was replaced after the dataset was opened; open it again")
            for offset in range(0, shard.bytes, _PART):
                part = buffer[: shard.bytes - offset]
                opened.read_into([part], offset)
                yield part
    except (OSError, EOFError) as error:
        raise DatasetError(f"{shard.path} cannot be fetched: {error}") from error


class CachedFolder:
    """The folder of a dataset whose shards are read from copies.

    Args:
        source: the folder.
        shards: those that are cached.
        cache: where the copies are.
    """

    def __init__(self, source: Folder, shards: Iterable[Shard], cache: ShardCache) -> None:
        self._source = source
        self._shards: Mapping[str, Shard] = {shard.path: shard for shard in shards}
        self._copies = LocalFolder(cache.folder)
        self._open: weakref.WeakSet[_CachedFile] = weakref.WeakSet()
        self.cache = cache

    def read(self, path: str) -> bytes:
        return self._source.read(path)

    def list(self, path: str) -> dict[str, int | None]:
        return self._source.list(path)

    def open(self, path: str) -> OpenFile:
        if self.cache.most_bytes is not None:
            for file in list(self._open):
                file.release_if_removed()
        opened = _CachedFile(self, self._shards[path])
        self._open.add(opened)
        return opened

    def read_all(self, reads: Sequence[Read]) -> None:
        read_in_order(reads)

    def fetch(self, shard: Shard, *, patient: bool = True) -> None:
        """Fetches a shard, see `ShardCache.fetch`."""
        self.cache.fetch(shard, self._source, patient=patient)

    def open_copy(self, shard: Shard) -> OpenFile:
        """Opens the copy of a shard, which is fetched if there is none."""
        while True:
            with contextlib.suppress(FileNotFoundError):
                copy = self._copies.open(os.path.basename(self.cache.path_of(shard)))
                if copy.size() == shard.bytes:
                    self.cache.touch([shard])
                    return copy
                copy.close()
            # Another process may remove it before it is opened.
            self.fetch(shard)


class _CachedFile:
    """A shard that is read from its copy."""

    def __init__(self, folder: CachedFolder, shard: Shard) -> None:
        self._folder = folder
        self._shard = shard
        self._copy: OpenFile | None = None
        self._status: os.stat_result | None = None
        self._opened()

    def size(self) -> int:
        assert self._shard.bytes is not None
        return self._shard.bytes

    def version(self) -> object:
        return self._shard.sha256

    def read_into(self, targets: Sequence[NDArray[np.uint8]], offset: int) -> None:
        (self._copy or self._opened()).read_into(targets, offset)

    def for_hdf5(self, block_bytes: int | None = None) -> BinaryIO:
        while True:
            with contextlib.suppress(FileNotFoundError):
                return self._opened().for_hdf5(block_bytes)
            self.close()

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()
        self._copy = None

    def release_if_removed(self) -> None:
        """Closes the copy if it was removed: until then it takes its place on the disk. Reading fetches it again."""
        path = self._folder.cache.path_of(self._shard)
        with contextlib.suppress(FileNotFoundError):
            if self._status and os.path.samestat(os.stat(path), self._status):
                return
        self.close()

    def _opened(self) -> OpenFile:
        if self._copy is None:
            self._copy = self._folder.open_copy(self._shard)
            with contextlib.suppress(FileNotFoundError):
                self._status = os.stat(self._folder.cache.path_of(self._shard))
        return self._copy
