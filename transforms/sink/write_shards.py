"""Writes shards of examples to HDF5 files: the sink.

A shard is written in one go, in a private folder. When it is complete it is moved into the staging folder, and a record
is put beside it. While one shard is being finished the next is begun, so that no core waits for a disk or a store.
A shard that is there already is not written again: see `find_shard`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.read_write import make_folder
from maskmill.transforms.global_window import in_global_window
from maskmill.transforms.parallel.blas import limit_worker
from maskmill.transforms.parallel.look_ahead import LookAhead, shared_pool, usable_cores
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.parallel.ticket_lock import Ticket
from maskmill.transforms.rejected import Rejected
from maskmill.transforms.shards.records import (
    REUSED,
    WRITTEN,
    ShardKey,
    ShardSummary,
    StoredShard,
    cut_summary,
    pack_examples,
)
from maskmill.transforms.shards.staging import local_attempt, remove_dead_attempts, stage, stage_copy
from maskmill.transforms.sink.decode_examples import reject
from maskmill.transforms.sink.find_shard import FoundShard, SinkOptions, find_shard
from maskmill.transforms.sink.write_file import GivenUpError, WrittenFile
from maskmill.transforms.sink.write_in_parallel import write_in_other_process, write_with_threads

# Shards that a process has under way; they share the threads that decode.
SHARDS_AT_A_TIME = 3

# Writes the file of a shard, as those of `write_in_parallel` do.
WriteFile = Callable[[str, list[ExampleSpec], ExampleFormat, Future[None]], WrittenFile]


class WrittenShards(NamedTuple):
    """The outputs of `WriteShards`: the summaries of the shards, and the examples that cannot be made."""

    summaries: beam.PCollection[ShardSummary]
    rejected: beam.PCollection[Rejected]


def summarise_shard(
    key: ShardKey, specs: Iterable[ExampleSpec], stored: StoredShard, found: FoundShard
) -> ShardSummary:
    """Summarises a shard.

    Rows and classes are counted here and not stored with the file: the split that counts the rows of an example may
    change although the shard does not.
    """
    inside = [spec for index, spec in enumerate(specs) if index not in stored.rejected]
    rows = sum(spec.counted_rows for spec in inside)
    merged = sum(max(spec.counted_rows - 1, 0) for spec in inside)
    classes = Counter(class_id for spec in inside for class_id in spec.class_ids or {0})
    versions = [one for index, one in enumerate(found.version.examples) if index not in stored.rejected]
    examples = pack_examples(key.path, versions)
    return ShardSummary(*key, rows, merged, dict(classes), stored, found.state, examples)


def outputs_of(key: ShardKey, specs: list[ExampleSpec], stored: StoredShard, found: FoundShard) -> Iterator[Any]:
    """Yields the outputs for a shard: the examples that are missing from it, and its summary in pieces.

    Args:
        key: the shard.
        specs: of its examples, in order.
        stored: facts of its file, which may be new.
        found: what there was of it before.
    """
    for index, why in stored.rejected.items():
        yield beam.pvalue.TaggedOutput("rejected", reject(specs[index], why))
    yield from cut_summary(summarise_shard(key, specs, stored, found))


class _Done(NamedTuple):
    """A shard that is complete: what there was of it before, and whether this very attempt wrote it."""

    key: ShardKey
    specs: list[ExampleSpec]
    stored: StoredShard
    found: FoundShard
    written: bool


_lock = threading.Lock()
# What writes shards in this process.
_under_way: set[WriteShard] = set()


def give_up(staging: str) -> None:
    """Stops what writes shards into a staging folder in this process, and waits until it has stopped.

    A run that fails in another step, or that is interrupted, would leave threads that go on writing.
    """
    for one in list(_under_way):
        if one.options.staging == staging:
            one.give_up()


class WriteShard(beam.DoFn):
    """Writes shards; see `WriteShards`."""

    def __init__(self, options: SinkOptions) -> None:
        self.options = options
        self.write_shards = Metrics.counter("maskmill", "write-shards")
        self.keep_shards = Metrics.counter("maskmill", "keep-shards")
        self.reuse_shards = Metrics.counter("maskmill", "reuse-shards")
        self.write_examples = Metrics.counter("maskmill", "write-examples")
        self.write_bytes = Metrics.counter("maskmill", "write-bytes")

    def setup(self) -> None:
        """Removes what killed processes left behind, and limits BLAS: threads use all cores."""
        remove_dead_attempts()
        limit_worker()

    def start_bundle(self) -> None:
        """Starts with no shard under way."""
        # Each process has one; as many wait for the disk, and the next ones are ready.
        at_a_time = 2 * self.options.processes + 2 if self.options.processes else SHARDS_AT_A_TIME
        self.ahead: LookAhead[_Done] = LookAhead(shared_pool(at_a_time, "shard"), at_a_time)
        self.given_up: Future[None] = Future()
        self.running = 0
        self.changed = threading.Condition()
        with _lock:
            _under_way.add(self)

    def process(self, shard: tuple[ShardKey, list[ExampleSpec]]) -> Iterable[Any]:
        """Begins a shard; yields the outputs for shards that have to make room for it."""
        if self.given_up.done():
            raise GivenUpError
        yield from self._outputs(self.ahead.call(self._obtain, *shard))

    def finish_bundle(self) -> Iterable[Any]:
        """Yields the outputs for the shards that are still under way."""
        yield from in_global_window(self._outputs(self.ahead.finish()))
        with _lock:
            _under_way.discard(self)

    def _outputs(self, done: Iterator[_Done]) -> Iterator[Any]:
        try:
            for one in done:
                self._count(one)
                yield from outputs_of(one.key, one.specs, one.stored, one.found)
        except Exception:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Stops the shards that are under way, and waits until they have stopped."""
        with _lock:
            _under_way.discard(self)
            if not self.given_up.done():
                self.given_up.set_result(None)
        self.ahead.give_up()
        # Ctrl-C may have come before the last call was pending.
        with self.changed:
            self.changed.wait_for(lambda: not self.running)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """Counts the body among the shards that are being obtained, unless they are given up."""
        with self.changed:
            self.running += 1
        try:
            if self.given_up.done():
                raise GivenUpError
            yield
        finally:
            with self.changed:
                self.running -= 1
                self.changed.notify_all()

    def _count(self, done: _Done) -> None:
        if done.written:
            self.write_shards.inc()
            self.write_examples.inc(done.stored.examples)
            self.write_bytes.inc(done.stored.bytes)
        else:
            counter = self.reuse_shards if done.found.state == REUSED else self.keep_shards
            counter.inc()

    def _obtain(self, key: ShardKey, specs: list[ExampleSpec]) -> _Done:
        with self._counted():
            return self._obtain_in_turn(key, specs)

    def _obtain_in_turn(self, key: ShardKey, specs: list[ExampleSpec]) -> _Done:
        if self.options.processes and specs and is_local(specs[0].image.path):
            return self._find_or_write(key, specs, partial(write_in_other_process, processes=self.options.processes))
        workers, ticket = self.options.workers or usable_cores(), Ticket()
        try:
            return self._find_or_write(key, specs, partial(write_with_threads, workers=workers, ticket=ticket))
        finally:
            ticket.release()

    def _find_or_write(self, key: ShardKey, specs: list[ExampleSpec], write: WriteFile) -> _Done:
        found = find_shard(key, specs, self.options)
        if found.stored is not None and self._copy_if_elsewhere(key, found):
            PROGRESS.add(len(specs))
            return _Done(key, specs, found.stored, found, written=False)
        found = found._replace(state=WRITTEN)
        return _Done(key, specs, self._write(key, specs, found, write), found, written=True)

    def _copy_if_elsewhere(self, key: ShardKey, found: FoundShard) -> bool:
        """Copies a shard that another dataset has; returns False if that fails, and the shard has to be written."""
        if found.copy_from is None:
            return True
        make_folder(join(self.options.staging, key.split))
        return stage_copy(found.copy_from, found.staged)

    def _write(self, key: ShardKey, specs: list[ExampleSpec], found: FoundShard, write: WriteFile) -> StoredShard:
        make_folder(join(self.options.staging, key.split))
        with local_attempt(found.staged) as attempt:
            written = write(attempt, specs, self.options.forms[key.split], self.given_up)
            stored = StoredShard(
                examples=len(specs) - len(written.rejected),
                bytes=os.path.getsize(attempt),
                sha256=written.sha256,
                fingerprint=found.version.fingerprint,
                rejected=written.rejected,
                overlaps=written.overlaps,
                pixel_sums=written.pixel_sums,
                valid_pixels=written.valid_pixels,
                areas=written.areas,
            )
            stage(attempt, found.staged, stored)
        return stored


@dataclasses.dataclass(kw_only=True, eq=False)
class WriteShards(beam.PTransform):
    """Decodes the examples of each shard and writes its file into the staging folder.

    A shard may be written twice, or twice at the same time: attempts have folders of their own, the same examples give
    the same bytes, and the last file that is moved into place stays.

    Attributes:
        options: of the sink.
    """

    options: SinkOptions

    def expand(self, shards: beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]) -> WrittenShards:
        outputs = shards | "WriteShard" >> beam.ParDo(WriteShard(self.options)).with_outputs(
            "rejected", main="summaries"
        ).with_output_types(ShardSummary)
        return WrittenShards(outputs.summaries, outputs.rejected)
