"""Shards of examples to HDF5 files: the sink.

A shard is written in one go, in a private folder, and moved into the staging folder when it is whole, with a record
beside it. While one is being finished, the next is begun: no core waits for a disk or a store. A shard whose file is
there already, in the dataset or in the staging folder, with the same fingerprint, is kept; one that another dataset has
may be copied from there.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.transforms.window import GlobalWindows
from threadpoolctl import threadpool_limits

from maskmill.names import staged_path
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.read_write import make_folder
from maskmill.transforms.parallel.look_ahead import LookAhead, shared_pool, usable_cores
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.parallel.turns import Turn
from maskmill.transforms.rejected import Rejected
from maskmill.transforms.shards.fingerprint import checksums, fingerprint_of, modified_times
from maskmill.transforms.shards.records import (
    KEPT,
    REUSED,
    WRITTEN,
    ReusableShard,
    ShardKey,
    ShardSummary,
    StoredShard,
    cut_summary,
)
from maskmill.transforms.shards.staging import local_attempt, read_record, remove_dead_attempts, stage, stage_copy
from maskmill.transforms.sink.decode_examples import reject
from maskmill.transforms.sink.write_file import write_elsewhere, write_shard
from maskmill.transforms.sink.write_file_alone import WrittenFile

# By one process. What decodes is the same for all of them.
SHARDS_AT_A_TIME = 3
# At the least, for each process of a pool, so that each writes whole shards: with fewer, some would be idle at the end.
SHARDS_A_PROCESS = 4


# Writes the file of a shard, as `write_shard` does.
WriteFile = Callable[[str, list[ExampleSpec], ExampleFormat, int, Future[None]], WrittenFile]


class WrittenShards(NamedTuple):
    """What `WriteShards` gives: a summary for each shard, and the examples that could not be made."""

    summaries: beam.PCollection[ShardSummary]
    rejected: beam.PCollection[Rejected]


def summarise(key: ShardKey, specs: Iterable[ExampleSpec], stored: StoredShard, state: str = WRITTEN) -> ShardSummary:
    """A shard's summary.

    Rows and classes are counted here and not kept with the file: which use of an example accounts for its rows may
    change while the shard does not.
    """
    inside = [spec for index, spec in enumerate(specs) if index not in stored.rejected]
    rows = sum(spec.counted_rows for spec in inside)
    merged = sum(max(spec.counted_rows - 1, 0) for spec in inside)
    classes = Counter(class_id for spec in inside for class_id in spec.class_ids or {0})
    return ShardSummary(*key, rows, merged, dict(classes), stored, state)


class _Done(NamedTuple):
    """A shard that is whole, how this run has come by it, and whether this very attempt has made it."""

    key: ShardKey
    specs: list[ExampleSpec]
    stored: StoredShard
    state: str
    made: bool


class WriteShard(beam.DoFn):
    """Writes shards; see `WriteShards`."""

    def __init__(self, options: WriteShards) -> None:
        self.forms = options.forms
        self.staging = options.staging
        self.published = options.published
        self.reusable = options.reusable
        self.checksum = options.checksum
        self.workers = options.workers
        self.processes = options.processes
        self.num_shards = options.num_shards
        self.write_shards = Metrics.counter("maskmill", "write-shards")
        self.keep_shards = Metrics.counter("maskmill", "keep-shards")
        self.reuse_shards = Metrics.counter("maskmill", "reuse-shards")
        self.write_examples = Metrics.counter("maskmill", "write-examples")
        self.write_bytes = Metrics.counter("maskmill", "write-bytes")

    def setup(self) -> None:
        """Clears away what killed processes have left, and keeps BLAS to one thread: the pool uses all cores."""
        remove_dead_attempts()
        threadpool_limits(1, user_api="blas")

    def start_bundle(self) -> None:
        """Begins with no shard under way."""
        self.cores = self.workers or usable_cores()
        self.alone = self.processes and self.num_shards >= SHARDS_A_PROCESS * self.cores
        # Each process has one; as many wait for the disk, and the next ones lie ready.
        at_a_time = 2 * self.cores + 2 if self.alone else SHARDS_AT_A_TIME
        self.ahead: LookAhead[_Done] = LookAhead(shared_pool(at_a_time, "shard"), at_a_time)
        self.given_up: Future[None] = Future()

    def process(self, shard: tuple[ShardKey, list[ExampleSpec]]) -> Iterable[Any]:
        """Begins a shard; yields the summary of one that is finished, and what is rejected of it."""
        yield from self._outputs(self.ahead.call(self._obtain, *shard))

    def finish_bundle(self) -> Iterable[Any]:
        """Yields what `process` does, for the shards that are under way."""
        for output in self._outputs(self.ahead.finish()):
            if isinstance(output, beam.pvalue.TaggedOutput):
                yield beam.pvalue.TaggedOutput(output.tag, GlobalWindows.windowed_value(output.value))
            else:
                yield GlobalWindows.windowed_value(output)

    def _outputs(self, done: Iterator[_Done]) -> Iterable[Any]:
        try:
            for one in done:
                self._count(one)
                for index, why in one.stored.rejected.items():
                    yield beam.pvalue.TaggedOutput("rejected", reject(one.specs[index], why))
                yield from cut_summary(summarise(one.key, one.specs, one.stored, one.state))
        except Exception:
            self.given_up.set_result(None)
            self.ahead.give_up()
            raise

    def _count(self, done: _Done) -> None:
        if done.made:
            self.write_shards.inc()
            self.write_examples.inc(done.stored.examples)
            self.write_bytes.inc(done.stored.bytes)
        else:
            counter = self.reuse_shards if done.state == REUSED else self.keep_shards
            counter.inc()

    def _obtain(self, key: ShardKey, specs: list[ExampleSpec]) -> _Done:
        """Comes by the shard in the least costly way."""
        if self.alone and (not specs or is_local(specs[0].image.path)):
            return self._find_or_write(key, specs, write_elsewhere)
        turn = Turn()
        try:
            return self._find_or_write(key, specs, partial(write_shard, turn=turn, processes=self.processes))
        finally:
            turn.end()

    def _find_or_write(self, key: ShardKey, specs: list[ExampleSpec], write: WriteFile) -> _Done:
        versions = checksums(specs, self.workers) if self.checksum else modified_times(specs)
        fingerprint = fingerprint_of(specs, self.forms[key.split], versions)
        published = self.published.get(key.path)
        if published is not None and published.fingerprint == fingerprint:
            found = published, KEPT
        elif staged := read_record(self._staged(key, fingerprint)):
            found = staged, WRITTEN  # for this dataset, if not by this attempt
        elif copied := self._reuse(key, fingerprint):
            found = copied, REUSED
        else:
            return _Done(key, specs, self._write(key, specs, fingerprint, write), WRITTEN, made=True)
        PROGRESS.add(len(specs))
        return _Done(key, specs, *found, made=False)

    def _reuse(self, key: ShardKey, fingerprint: str) -> StoredShard | None:
        reusable = self.reusable.get(fingerprint)
        if reusable is None:
            return None
        make_folder(join(self.staging, key.split))
        return reusable.stored if stage_copy(reusable, self._staged(key, fingerprint)) else None

    def _staged(self, key: ShardKey, fingerprint: str) -> str:
        return join(self.staging, staged_path(key.path, fingerprint))

    def _write(self, key: ShardKey, specs: list[ExampleSpec], fingerprint: str, write: WriteFile) -> StoredShard:
        make_folder(join(self.staging, key.split))
        staged = self._staged(key, fingerprint)
        with local_attempt(staged) as attempt:
            written = write(attempt, specs, self.forms[key.split], self.cores, self.given_up)
            stored = StoredShard(
                examples=len(specs) - len(written.rejected),
                bytes=os.path.getsize(attempt),
                sha256=written.sha256,
                fingerprint=fingerprint,
                rejected=written.rejected,
                overlaps=written.overlaps,
            )
            stage(attempt, staged, stored)
        return stored


@dataclasses.dataclass(kw_only=True, eq=False)
class WriteShards(beam.PTransform):
    """Decodes the examples of each shard and writes its file into the staging folder.

    A shard may be written twice, or twice at the same time: attempts have folders of their own, the same examples give
    the same bytes, and the last one to be moved into place stays.

    Attributes:
        forms: of the examples, by split.
        staging: folder for the files, below it one for each split.
        published: shards that the dataset has, by path; one whose fingerprint has not changed is kept.
        reusable: shards of another dataset, by fingerprint, that may be copied.
        checksum: whether an image has changed is told by its content, and not by its size and time.
        workers: threads that decode in each process of Beam; None is one a core.
        processes: whether processes decode in their place.
        num_shards: that there are at least: where they are many, each of the processes writes whole ones.
    """

    forms: Mapping[str, ExampleFormat]
    staging: str
    published: Mapping[str, StoredShard] = dataclasses.field(default_factory=dict)
    reusable: Mapping[str, ReusableShard] = dataclasses.field(default_factory=dict)
    checksum: bool = False
    workers: int | None = None
    processes: bool = False
    num_shards: int = 0

    def expand(self, shards: beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]) -> WrittenShards:
        outputs = shards | "WriteShard" >> beam.ParDo(WriteShard(self)).with_outputs(
            "rejected", main="summaries"
        ).with_output_types(ShardSummary)
        return WrittenShards(outputs.summaries, outputs.rejected)
