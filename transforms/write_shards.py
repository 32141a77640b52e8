"""Shards of examples to HDF5 files: the sink.

A shard is written in one go: its images are decoded in order by a pool of threads, a bounded window ahead of the file.
The file is written under a name of its own, and moved into the staging folder when it is whole, with a summary beside
it. A shard whose summary is there already, with the same fingerprint, is not written again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics
from threadpoolctl import threadpool_limits

from transforms.assign_shards import ShardKey
from transforms.decode_examples import reject
from transforms.example import ExampleFormat, ExampleSpec, make_planes
from transforms.files import join, make_folder, read_bytes
from transforms.hdf5_file import EncodedExample, ShardFile, encode_example
from transforms.layout import ShardLayout
from transforms.look_ahead import map_ahead, shared_pool, usable_cores
from transforms.progress import PROGRESS
from transforms.rejected import DataError, Rejected
from transforms.rle import unpack_runs
from transforms.staging import ShardSummary, local_attempt, read_summary, sha256_of, stage, write_summary

# Raised when the same input would give other bytes.
FORMAT_VERSION = 1
# What the examples ahead of the file may take, besides the decoding of one image in each thread.
LOOK_AHEAD_BYTES = 2**26
LOOK_AHEAD_PER_WORKER = 4


class WrittenShards(NamedTuple):
    """What `WriteShards` gives: a summary for each shard, and the examples that could not be made."""

    summaries: beam.PCollection[ShardSummary]
    rejected: beam.PCollection[Rejected]


def fingerprint_of(specs: Iterable[ExampleSpec], form: ExampleFormat) -> str:
    """sha256 over all that decides a shard's bytes, hexadecimal."""
    digest = hashlib.sha256(json.dumps([FORMAT_VERSION, form]).encode())
    for spec in specs:
        digest.update(json.dumps([spec.image_id, spec.class_id, spec.image.size, spec.image.modified]).encode())
        for row in spec.rows:
            runs = unpack_runs(row.runs)
            digest.update(b"%d:" % len(runs) + runs.astype("<u4").tobytes())
    return digest.hexdigest()


def prepare_example(spec: ExampleSpec, form: ExampleFormat) -> EncodedExample | Rejected:
    """Reads, decodes and encodes an example; what is wrong with its image or rows is data."""
    try:
        image, mask = make_planes(spec, read_bytes(spec.image.path), form)
    except DataError as error:
        return reject(spec, error)
    return encode_example(image, mask, form.label)


def window_for(form: ExampleFormat, workers: int) -> int:
    """Number of examples that may be ahead of the file."""
    height, width = form.size
    # The image, and about as much again for labels, which are compressed.
    return max(1, min(workers * LOOK_AHEAD_PER_WORKER, LOOK_AHEAD_BYTES // (2 * height * width)))


def write_shard(
    path: str, specs: Iterable[ExampleSpec], form: ExampleFormat, workers: int | None
) -> tuple[list[ExampleSpec], list[Rejected]]:
    """Writes a shard's file.

    Args:
        path: of the new file, local.
        specs: of the examples, in order.
        form: of the examples.
        workers: threads that decode; None is one a core.

    Returns:
        the examples that are in the file, and those that are rejected: the others move up.
    """
    specs = list(specs)
    workers = workers or usable_cores()
    prepare = functools.partial(prepare_example, form=form)
    prepared = map_ahead(prepare, specs, shared_pool(workers), window_for(form, workers))
    written, rejected = [], []
    with ShardFile(path, form.label) as file, contextlib.closing(prepared):
        for spec, example in zip(specs, prepared, strict=True):
            if isinstance(example, Rejected):
                rejected.append(example)
            else:
                file.append(example)
                written.append(spec)
            PROGRESS.add(1)
    return written, rejected


class WriteShard(beam.DoFn):
    """Writes one shard; see `WriteShards`."""

    def __init__(
        self, layout: ShardLayout, forms: Mapping[str, ExampleFormat], staging: str, workers: int | None
    ) -> None:
        self.layout = layout
        self.forms = forms
        self.staging = staging
        self.workers = workers
        self.write_shards = Metrics.counter("steelbeam", "write-shards")
        self.write_examples = Metrics.counter("steelbeam", "write-examples")
        self.write_bytes = Metrics.counter("steelbeam", "write-bytes")

    def setup(self) -> None:
        """Keeps BLAS to the thread that calls it: the pool already uses all cores."""
        threadpool_limits(1, user_api="blas")

    def process(self, shard: tuple[ShardKey, list[ExampleSpec]]) -> Iterable[Any]:
        """Yields the shard's summary, and what is rejected."""
        key, specs = shard
        staged = join(self.staging, f"{key.split}/{self.layout.file_name(key.number)}")
        fingerprint = fingerprint_of(specs, self.forms[key.split])
        summary = read_summary(staged)
        if summary is not None and summary.fingerprint == fingerprint:
            PROGRESS.add(summary.examples)
        else:
            summary, rejected = self._write(key, specs, staged, fingerprint)
            yield from (beam.pvalue.TaggedOutput("rejected", one) for one in rejected)
        self.write_shards.inc()
        self.write_examples.inc(summary.examples)
        self.write_bytes.inc(summary.bytes)
        yield summary

    def _write(
        self, key: ShardKey, specs: list[ExampleSpec], staged: str, fingerprint: str
    ) -> tuple[ShardSummary, list[Rejected]]:
        make_folder(join(self.staging, key.split))
        with local_attempt(staged) as attempt:
            written, rejected = write_shard(attempt, specs, self.forms[key.split], self.workers)
            summary = ShardSummary(
                split=key.split,
                number=key.number,
                file_name=self.layout.file_name(key.number),
                examples=len(written),
                rows=sum(spec.counted_rows for spec in written),
                merged=sum(max(spec.counted_rows - 1, 0) for spec in written),
                bytes=os.path.getsize(attempt),
                sha256=sha256_of(attempt),
                fingerprint=fingerprint,
            )
            stage(attempt, staged)
        if not rejected:
            # A shard with rejected examples is looked at again, so that they are named again.
            write_summary(staged, summary)
        return summary, rejected


@dataclasses.dataclass(kw_only=True, eq=False)
class WriteShards(beam.PTransform):
    """Decodes the examples of each shard and writes its file into the staging folder.

    A shard may be written twice, or twice at the same time: attempts have names of their own, the same examples give
    the same bytes, and the last one to be moved into place stays.

    Attributes:
        layout: of the shards.
        forms: of the examples, by split.
        staging: folder for the files, below it one for each split.
        workers: threads that decode in each process; None is one a core.
    """

    layout: ShardLayout
    forms: Mapping[str, ExampleFormat]
    staging: str
    workers: int | None = None

    def expand(self, shards: beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]) -> WrittenShards:
        outputs = shards | "WriteShard" >> beam.ParDo(
            WriteShard(self.layout, self.forms, self.staging, self.workers)
        ).with_outputs("rejected", main="summaries").with_output_types(ShardSummary)
        return WrittenShards(outputs.summaries, outputs.rejected)
