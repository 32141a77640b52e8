"""Shards of examples to HDF5 files: the sink.

A shard is written in one go: its images are decoded in order by a pool of threads, a bounded window ahead of the file.
The file is written in a private folder, and moved into the staging folder when it is whole, with a record beside it. A
shard whose file is there already, in the dataset or in the staging folder, with the same fingerprint, is kept; one that
another dataset has may be copied from there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics
from threadpoolctl import threadpool_limits

from transforms.assign_shards import ShardKey
from transforms.decode_examples import reject, row_of
from transforms.example import ExampleFormat, ExampleSpec, make_planes
from transforms.fetch import sha256_of
from transforms.files import make_folder, read_bytes
from transforms.fingerprint import checksums, fingerprint_of, modified_times
from transforms.hdf5_file import EncodedExample, ShardFile, encode_example
from transforms.layout import ShardLayout, staged_path
from transforms.look_ahead import map_ahead, shared_pool, usable_cores
from transforms.paths import join
from transforms.progress import PROGRESS
from transforms.read_ahead import read_ahead
from transforms.rejected import DataError, Rejected
from transforms.staging import (
    KEPT,
    REUSED,
    WRITTEN,
    RejectedExample,
    ReusableShard,
    ShardSummary,
    StoredShard,
    cut_summary,
    local_attempt,
    read_record,
    remove_dead_attempts,
    stage,
    stage_copy,
)

# What the examples ahead of the file may take, besides the decoding of one image in each thread.
LOOK_AHEAD_BYTES = 2**26
LOOK_AHEAD_PER_WORKER = 4


class WrittenShards(NamedTuple):
    """What `WriteShards` gives: a summary for each shard, and the examples that could not be made."""

    summaries: beam.PCollection[ShardSummary]
    rejected: beam.PCollection[Rejected]


def prepare_example(read: tuple[ExampleSpec, bytes | None], form: ExampleFormat) -> EncodedExample | DataError:
    """Decodes and encodes an example; what is wrong with its image or rows is data.

    Args:
        read: the example, and the bytes of its image; None where they are still to be read.
        form: of the example.
    """
    spec, data = read
    try:
        image, mask = make_planes(spec, read_bytes(spec.image.path) if data is None else data, form)
    except DataError as error:
        return error
    return encode_example(image, mask, form.label)


def window_for(form: ExampleFormat, workers: int) -> int:
    """Number of examples that may be ahead of the file."""
    height, width = form.size
    # The image, and about as much again for labels, which are compressed.
    return max(1, min(workers * LOOK_AHEAD_PER_WORKER, LOOK_AHEAD_BYTES // (2 * height * width)))


def write_shard(
    path: str, specs: Sequence[ExampleSpec], form: ExampleFormat, workers: int | None
) -> tuple[RejectedExample, ...]:
    """Writes a shard's file.

    Args:
        path: of the new file, local.
        specs: of the examples, in order.
        form: of the examples.
        workers: threads that decode; None is one a core.

    Returns:
        the examples that are not in the file, in order: the others move up.
    """
    workers = workers or usable_cores()
    prepare = functools.partial(prepare_example, form=form)
    rejected = []
    with (
        ShardFile(path, form.label) as file,
        contextlib.closing(read_ahead(specs)) as read,
        contextlib.closing(map_ahead(prepare, read, shared_pool(workers), window_for(form, workers))) as prepared,
    ):
        for index, example in enumerate(prepared):
            if isinstance(example, DataError):
                rejected.append(RejectedExample(index, row_of(example), example.code.value, example.message))
            else:
                file.append(example)
            PROGRESS.add(1)
    return tuple(rejected)


def summarise(
    layout: ShardLayout, key: ShardKey, specs: Iterable[ExampleSpec], stored: StoredShard, state: str = WRITTEN
) -> ShardSummary:
    """A shard's summary.

    The rows are counted here and not kept with the file: which use of an example accounts for its rows may change
    while the shard does not.
    """
    rejected = {one.example for one in stored.rejected}
    rows = [spec.counted_rows for index, spec in enumerate(specs) if index not in rejected]
    merged = sum(max(counted - 1, 0) for counted in rows)
    return ShardSummary(key.split, key.number, layout.file_name(key.number), sum(rows), merged, stored, state)


class WriteShard(beam.DoFn):
    """Writes one shard; see `WriteShards`."""

    def __init__(self, options: WriteShards) -> None:
        self.layout = options.layout
        self.forms = options.forms
        self.staging = options.staging
        self.published = options.published
        self.reusable = options.reusable
        self.checksum = options.checksum
        self.workers = options.workers
        self.write_shards = Metrics.counter("steelbeam", "write-shards")
        self.keep_shards = Metrics.counter("steelbeam", "keep-shards")
        self.reuse_shards = Metrics.counter("steelbeam", "reuse-shards")
        self.write_examples = Metrics.counter("steelbeam", "write-examples")
        self.write_bytes = Metrics.counter("steelbeam", "write-bytes")

    def setup(self) -> None:
        """Clears away what killed processes have left, and keeps BLAS to one thread: the pool uses all cores."""
        remove_dead_attempts()
        threadpool_limits(1, user_api="blas")

    def process(self, shard: tuple[ShardKey, list[ExampleSpec]]) -> Iterable[Any]:
        """Yields the shard's summary, and what is rejected."""
        key, specs = shard
        versions = checksums(specs, self.workers) if self.checksum else modified_times(specs)
        fingerprint = fingerprint_of(specs, self.forms[key.split], versions)
        stored, state = self._obtain(key, specs, fingerprint)
        for index, row, code, message in stored.rejected:
            yield beam.pvalue.TaggedOutput("rejected", reject(specs[index], row, code, message))
        yield from cut_summary(summarise(self.layout, key, specs, stored, state))

    def _obtain(self, key: ShardKey, specs: list[ExampleSpec], fingerprint: str) -> tuple[StoredShard, str]:
        """The shard in the least costly way, and which that was."""
        published = self.published.get(f"{key.split}/{self.layout.file_name(key.number)}")
        if published is not None and published.fingerprint == fingerprint:
            self.keep_shards.inc()
            found = published, KEPT
        elif staged := read_record(self._staged(key, fingerprint)):
            self.keep_shards.inc()
            found = staged, WRITTEN  # for this dataset, if not by this attempt
        elif copied := self._reuse(key, fingerprint):
            self.reuse_shards.inc()
            found = copied, REUSED
        else:
            return self._write(key, specs, fingerprint), WRITTEN
        PROGRESS.add(len(specs))
        return found

    def _reuse(self, key: ShardKey, fingerprint: str) -> StoredShard | None:
        reusable = self.reusable.get(fingerprint)
        if reusable is None:
            return None
        make_folder(join(self.staging, key.split))
        return reusable.stored if stage_copy(reusable, self._staged(key, fingerprint)) else None

    def _staged(self, key: ShardKey, fingerprint: str) -> str:
        return join(self.staging, staged_path(f"{key.split}/{self.layout.file_name(key.number)}", fingerprint))

    def _write(self, key: ShardKey, specs: list[ExampleSpec], fingerprint: str) -> StoredShard:
        make_folder(join(self.staging, key.split))
        staged = self._staged(key, fingerprint)
        with local_attempt(staged) as attempt:
            rejected = write_shard(attempt, specs, self.forms[key.split], self.workers)
            examples = len(specs) - len(rejected)
            stored = StoredShard(examples, os.path.getsize(attempt), sha256_of(attempt), fingerprint, rejected)
            stage(attempt, staged, stored)
        self.write_shards.inc()
        self.write_examples.inc(stored.examples)
        self.write_bytes.inc(stored.bytes)
        return stored


@dataclasses.dataclass(kw_only=True, eq=False)
class WriteShards(beam.PTransform):
    """Decodes the examples of each shard and writes its file into the staging folder.

    A shard may be written twice, or twice at the same time: attempts have folders of their own, the same examples give
    the same bytes, and the last one to be moved into place stays.

    Attributes:
        layout: of the shards.
        forms: of the examples, by split.
        staging: folder for the files, below it one for each split.
        published: shards that the dataset has, by path; one whose fingerprint has not changed is kept.
        reusable: shards of another dataset, by fingerprint, that may be copied.
        checksum: whether an image has changed is told by its content, and not by its size and time.
        workers: threads that decode in each process; None is one a core.
    """

    layout: ShardLayout
    forms: Mapping[str, ExampleFormat]
    staging: str
    published: Mapping[str, StoredShard] = dataclasses.field(default_factory=dict)
    reusable: Mapping[str, ReusableShard] = dataclasses.field(default_factory=dict)
    checksum: bool = False
    workers: int | None = None

    def expand(self, shards: beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]) -> WrittenShards:
        outputs = shards | "WriteShard" >> beam.ParDo(WriteShard(self)).with_outputs(
            "rejected", main="summaries"
        ).with_output_types(ShardSummary)
        return WrittenShards(outputs.summaries, outputs.rejected)
