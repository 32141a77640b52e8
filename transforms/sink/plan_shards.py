"""What writing the shards would come to, without reading an image."""

from __future__ import annotations

import dataclasses

import apache_beam as beam

from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.shards.hdf5_file import estimate_bytes
from maskmill.transforms.shards.records import ShardKey, ShardSummary, StoredShard
from maskmill.transforms.sink.write_shards import WriteFile, WriteShard, WriteShards, WrittenShards


def is_planned(summary: ShardSummary) -> bool:
    """Whether the shard is still to be written, and its size estimated."""
    return not summary.stored.sha256


class PlanShard(WriteShard):
    """Finds out how `WriteShard` would come by a shard, and does not do it."""

    def setup(self) -> None:
        """Changes nothing."""

    def _reuse(self, key: ShardKey, fingerprint: str) -> StoredShard | None:
        reusable = self.reusable.get(fingerprint)
        return reusable.stored if reusable else None

    def _write(self, key: ShardKey, specs: list[ExampleSpec], fingerprint: str, _: WriteFile) -> StoredShard:
        return StoredShard(len(specs), len(specs) * estimate_bytes(self.forms[key.split].label), "", fingerprint)


@dataclasses.dataclass(kw_only=True, eq=False)
class PlanShards(WriteShards):
    """Says of each shard what `WriteShards` would do, in a summary that `is_planned`, or of the shard that is there."""

    def expand(self, shards: beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]) -> WrittenShards:
        outputs = shards | "PlanShard" >> beam.ParDo(PlanShard(self)).with_outputs(
            "rejected", main="summaries"
        ).with_output_types(ShardSummary)
        return WrittenShards(outputs.summaries, outputs.rejected)
