"""Yardstick: the graph that comes to mind first, and why maskmill is not made so: decode, then shuffle by shard.

    python -m tests.benchmarks.shuffled_pixels --params FILE --output_dir DIR [--num_output_files N]

The examples are decoded where they are, grouped by shard as arrays, and written. Every pixel crosses the shuffle, and
each label with the four bytes a pixel of the finished example; the runner holds all of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.pipeline.runners.make_runner import DEFAULT_RUNNER
from maskmill.transforms.examples.make_example import ExampleArrays
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.examples.view import view_of
from maskmill.transforms.shards.encode_example import encode_example
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.sink.decode_examples import DecodeExamples
from tests.benchmarks.shard_plan import PlannedShard, make_folders, parse_arguments, plan_shards, spec_of


class Place(NamedTuple):
    """Where an example goes: the path of its shard, and its rank there."""

    path: str
    rank: int


def key_by_shard(
    named: tuple[str, ExampleArrays], places: dict[str, Place]
) -> tuple[str, tuple[int, str, ExampleArrays]]:
    """Puts the path of its shard before a decoded example, and its rank there and its ImageId beside it."""
    image_id, example = named
    return places[image_id].path, (places[image_id].rank, image_id, example)


def write_shard(shard: tuple[str, Iterable[tuple[int, str, ExampleArrays] | None]], form: ExampleFormat) -> None:
    """Writes the examples of a shard in the order of their ranks; None only says that there is such a shard."""
    path, members = shard
    with ShardFile(path, form) as file:
        for _, image_id, example in sorted((one for one in members if one is not None), key=lambda one: one[0]):
            # With the loss bce the label is the mask.
            mask = example.label.reshape(form.size).astype(np.uint8)
            file.append(encode_example(example.image, mask, view_of(form.size, form.size), form), image_id)


@dataclasses.dataclass(kw_only=True, eq=False)
class WriteDecoded(beam.PTransform):
    """Decodes the examples of shards, shuffles them, and writes the shards.

    Attributes:
        shards: of one split.
    """

    shards: Sequence[PlannedShard]

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection[None]:
        form = self.shards[0].form
        ranked = [(shard.path, rank, spec_of(one)) for shard in self.shards for rank, one in enumerate(shard.examples)]
        places = {spec.image_id: Place(path, rank) for path, rank, spec in ranked}
        decoded = begin | "Specs" >> beam.Create([spec for _, _, spec in ranked]) | DecodeExamples(form=form)
        keyed = decoded.examples | "KeyByShard" >> beam.Map(key_by_shard, places)
        every_shard = begin | "EveryShard" >> beam.Create([(shard.path, None) for shard in self.shards])
        return (
            (keyed, every_shard)
            | "WithEveryShard" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            # (path, [(rank, ExampleArrays) | None])
            | "WriteShard" >> beam.Map(write_shard, form)
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the program."""
    arguments = parse_arguments(__doc__ or "", argv)
    shards = plan_shards(arguments.params, arguments.output_dir, arguments.num_output_files)
    make_folders(shards)
    train, evaluation = shards[: arguments.num_output_files], shards[arguments.num_output_files :]
    with beam.Pipeline(options=PipelineOptions(["--runner", DEFAULT_RUNNER])) as pipeline:
        _ = pipeline | "WriteTrain" >> WriteDecoded(shards=train)
        _ = pipeline | "WriteEval" >> WriteDecoded(shards=evaluation)


if __name__ == "__main__":
    main()
