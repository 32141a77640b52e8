"""The shards that a process has open: its own, and not too many."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict

from maskmill.catalog import Shard
from maskmill.folder import Folder, folder_of
from maskmill.shard_reader import ShardReader

if sys.platform != "win32":
    import resource

# However many the system allows.
_MOST = 4096


class OpenShards:
    """The shards of a dataset, each opened when first asked for; a process that was forked opens them anew.

    Args:
        path: of the dataset's folder.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._most = _most_open()
        self._process: int | None = None
        self._folder: Folder
        self._readers: dict[str, ShardReader] = {}
        self._open: OrderedDict[str, ShardReader] = OrderedDict()

    def reader(self, shard: Shard) -> ShardReader:
        """The reader of a shard, whose file is closed when many others have been read since."""
        if self._process != os.getpid():
            # What a process has inherited shares its place in the file with its parent: it is not touched.
            self._process, self._folder = os.getpid(), folder_of(self._path)
            self._readers, self._open = {}, OrderedDict()
        reader = self._readers.get(shard.path)
        if reader is None:
            reader = self._readers[shard.path] = ShardReader(self._folder, shard)
        self._open[shard.path] = reader
        self._open.move_to_end(shard.path)
        if len(self._open) > self._most:
            self._open.popitem(last=False)[1].close()
        return reader

    def close(self) -> None:
        """Closes the files."""
        for reader in self._open.values():
            reader.close()
        self._open.clear()


def _most_open() -> int:
    """Files that the shards of a split may hold open: a quarter of a process's, so that two splits leave half of them.

    Positions go from shard to shard, so that in their order a split of more shards opens a file for each example.
    """
    if sys.platform == "win32":  # where a process has as many as it likes
        return _MOST
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if most == resource.RLIM_INFINITY else max(min(most // 4, _MOST), 1)
