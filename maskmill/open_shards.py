"""Keeps the shards of a process open: a bounded number, and never those of its parent."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Callable

from maskmill.catalog import Shard
from maskmill.folder import Folder
from maskmill.shard_reader import ShardReader

if sys.platform != "win32":
    import resource

# Even if the system allows more.
_MOST = 4096


class OpenShards:
    """Opens the shards of a dataset on first use; a forked process opens its own.

    Args:
        open_folder: returns the folder of the dataset; called once in each process.

    Attributes:
        most: number of files that are open at the same time.
    """

    def __init__(self, open_folder: Callable[[], Folder]) -> None:
        self._open_folder = open_folder
        self.most = _most_open()
        self._process: int | None = None
        self._folder: Folder
        self._readers: dict[str, ShardReader] = {}
        self._open: OrderedDict[str, ShardReader] = OrderedDict()

    def reader(self, shard: Shard) -> ShardReader:
        """Returns the reader of a shard; the file least recently used is closed if too many are open."""
        folder = self.folder()
        reader = self._readers.get(shard.path)
        if reader is None:
            reader = self._readers[shard.path] = ShardReader(folder, shard)
        self._open[shard.path] = reader
        self._open.move_to_end(shard.path)
        if len(self._open) > self.most:
            self._open.popitem(last=False)[1].close()
        return reader

    def folder(self) -> Folder:
        """Returns this process's folder of the dataset."""
        if self._process != os.getpid():
            # Inherited files share their offset with the parent: do not touch them.
            self._process, self._folder = os.getpid(), self._open_folder()
            self._readers, self._open = {}, OrderedDict()
        return self._folder

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
