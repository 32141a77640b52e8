"""Finds the file of a shard that is there already: in the dataset, in the staging folder, or in another dataset."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from maskmill.names import staged_path
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.files.paths import join
from maskmill.transforms.shards.fingerprint import ShardVersion, version_of_shard
from maskmill.transforms.shards.records import KEPT, REUSED, WRITTEN, ReusableShard, ShardKey, StoredShard
from maskmill.transforms.shards.staging import read_record
from maskmill.transforms.sink.image_versions import content_hashes, modified_times

# Threads that computed versions at the same time would share the interpreter's lock, and all be ready late: meanwhile,
# what writes shards would wait for the first one.
_one_at_a_time = threading.Lock()


@dataclasses.dataclass(frozen=True, kw_only=True)
class SinkOptions:
    """What the shards of a dataset are, where they may be found, and how they are written.

    Attributes:
        forms: of the examples, by split.
        staging: folder for the files, with a folder in it for each split.
        published: shards of the dataset, by path; one with an unchanged fingerprint is kept.
        reusable: shards of another dataset that may be copied, by fingerprint.
        checksum: whether to detect changed images by content (reads every image) instead of size and time.
        workers: threads that share a shard in each process of Beam; None is one per core.
        processes: number of processes that write whole shards instead; 0 for none. Shards of images in an object store
            are left to the threads.
    """

    forms: Mapping[str, ExampleFormat]
    staging: str
    published: Mapping[str, StoredShard] = dataclasses.field(default_factory=dict)
    reusable: Mapping[str, ReusableShard] = dataclasses.field(default_factory=dict)
    checksum: bool = False
    workers: int | None = None
    processes: int = 0


class FoundShard(NamedTuple):
    """What is there of a shard before a run writes it.

    Attributes:
        version: of the shard.
        staged: path of its file in the staging folder, whether it is there or not.
        state: `KEPT` if the dataset has the file, `REUSED` if another dataset has it, and `WRITTEN` if it is staged or
            has to be written.
        stored: the facts of the file; None if it has to be written.
        copy_from: the shard of the other dataset; None unless the state is `REUSED`.
    """

    version: ShardVersion
    staged: str
    state: str
    stored: StoredShard | None = None
    copy_from: ReusableShard | None = None


def find_shard(key: ShardKey, specs: Sequence[ExampleSpec], options: SinkOptions) -> FoundShard:
    """Finds a shard; changes nothing.

    Args:
        key: the shard.
        specs: of its examples, in order.
        options: of the sink.

    Raises:
        OSError: an image cannot be read, or the staging folder not be looked into.
    """
    versions = content_hashes(specs, options.workers) if options.checksum else modified_times(specs)
    with _one_at_a_time:
        version = version_of_shard(specs, options.forms[key.split], versions)
    fingerprint = version.fingerprint
    staged = join(options.staging, staged_path(key.path, fingerprint))
    published = options.published.get(key.path)
    if published is not None and published.fingerprint == fingerprint:
        return FoundShard(version, staged, KEPT, published)
    if stored := read_record(staged):
        return FoundShard(version, staged, WRITTEN, stored)
    if reusable := options.reusable.get(fingerprint):
        return FoundShard(version, staged, REUSED, reusable.stored, reusable)
    return FoundShard(version, staged, WRITTEN)
