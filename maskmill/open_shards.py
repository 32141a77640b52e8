"""Keeps the shards of a process open: a bounded number, and never those of its parent."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict

from maskmill.catalog import Shard
from maskmill.folder import Folder, folder_of
from maskmill.shard_reader import ShardReader

if sys.platform != "win32":
    import resource

# Even if the system allows more.
_MOST = 4096


class OpenShards:
    """Opens the shards of a dataset on first use; a forked process opens its own.

    Args:
        path: folder of the dataset.

    Attributes:
        most: number of files that are open at the same time.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.most = _most_open()
        self._process: int | None = None
        # That of this process is the last; the others are of its parents.
        self._folders: list[Folder] = []
        self._readers: dict[str, ShardReader] = {}
        self._open: OrderedDict[str, ShardReader] = OrderedDict()

    def reader(self, shard: Shard) -> ShardReader:
        """Returns the reader of a shard; the file least recently used is closed if too many are open."""
        if self._process != os.getpid():
            # Inherited files share their offset with the parent: do not touch them. Inherited connections share what
            # it waits for: closing them here could stop its requests, so the folder that owns them is kept.
            self._process = os.getpid()
            self._folders.append(folder_of(self._path))
            self._readers, self._open = {}, OrderedDict()
        reader = self._readers.get(shard.path)
        if reader is None:
            reader = self._readers[shard.path] = ShardReader(self._folders[-1], shard)
        self._open[shard.path] = reader
        self._open.move_to_end(shard.path)
        if len(self._open) > self.most:
            self._open.popitem(last=False)[1].close()
        return reader

    def close(self) -> None:
        """Closes the files."""
        for reader in self._open.values():
            reader.close()
        self._open.clear()


def _most_open() -> int:
    """Number of files that a split may keep open: a quarter of the limit, so that two splits leave half of it.

    Consecutive examples are in different shards: with more shards than that, each example in index order opens a file.
    """
    if sys.platform == "win32":  # has no such limit
        return _MOST
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if most == resource.RLIM_INFINITY else max(min(most // 4, _MOST), 1)
