"""Plans the shards: what `WriteShards` would do, without decoding an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from maskmill.transforms.examples.crops import parts_of
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.global_window import in_global_window
from maskmill.transforms.parallel.look_ahead import LookAhead, shared_pool
from maskmill.transforms.shards.hdf5_file import estimate_bytes
from maskmill.transforms.shards.records import ShardKey, ShardSummary, StoredShard
from maskmill.transforms.sink.find_shard import FoundShard, SinkOptions, find_shard
from maskmill.transforms.sink.write_shards import WrittenShards, outputs_of

# Shards that are looked for at the same time: each waits for a disk or a store.
_SHARDS_AT_A_TIME = 3


def is_planned(summary: ShardSummary) -> bool:
    """Returns whether the shard has yet to be written; its size is an estimate then."""
    return not summary.stored.sha256


def plan_shard(specs: list[ExampleSpec], found: FoundShard, options: SinkOptions, split: str) -> StoredShard:
    """Returns the facts of a shard that was found, or estimates those of one that has to be written."""
    if found.stored is not None:
        return found.stored
    form = options.forms[split]
    examples = sum(len(parts_of(spec, form)) for spec in specs)
    return StoredShard(
        examples=examples,
        bytes=examples * estimate_bytes(form),
        sha256="",
        fingerprint=found.version.fingerprint,
        images=None if form.crops is None else len(specs),
    )


class PlanShard(beam.DoFn):
    """Plans shards; see `PlanShards`."""

    def __init__(self, options: SinkOptions) -> None:
        self.options = options

    def start_bundle(self) -> None:
        """Starts with no shard under way."""
        self.ahead: LookAhead[list[Any]] = LookAhead(shared_pool(_SHARDS_AT_A_TIME, "plan"), _SHARDS_AT_A_TIME)

    def process(self, shard: tuple[ShardKey, list[ExampleSpec]]) -> Iterable[Any]:
        """Begins to plan a shard; yields the outputs for shards that have to make room for it."""
        yield from self._outputs(self.ahead.call(self._plan, *shard))

    def finish_bundle(self) -> Iterable[Any]:
        """Yields the outputs for the shards that are still under way."""
        yield from in_global_window(self._outputs(self.ahead.finish()))

    def _outputs(self, planned: Iterator[list[Any]]) -> Iterator[Any]:
        for outputs in planned:
            yield from outputs

    def _plan(self, key: ShardKey, specs: list[ExampleSpec]) -> list[Any]:
        found = find_shard(key, specs, self.options)
        stored = plan_shard(specs, found, self.options, key.split)
        return list(outputs_of(key, specs, self.options.forms[key.split], stored, found))


@dataclasses.dataclass(kw_only=True, eq=False)
class PlanShards(beam.PTransform):
    """Tells what `WriteShards` would do, in the same outputs, and changes nothing.

    The summary of a shard that has yet to be written is one that `is_planned`.

    Attributes:
        options: of the sink.
    """

    options: SinkOptions

    def expand(self, shards: beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]) -> WrittenShards:
        outputs = shards | "PlanShard" >> beam.ParDo(PlanShard(self.options)).with_outputs(
            "rejected", main="summaries"
        ).with_output_types(ShardSummary)
        return WrittenShards(outputs.summaries, outputs.rejected)
