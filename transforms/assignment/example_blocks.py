"""Examples in blocks whose order is known: those of a block are ranked by themselves, wherever that is done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import NamedTuple

import apache_beam as beam

from maskmill.transforms.assignment.image_hash import BITS, hash_image
from maskmill.transforms.assignment.splits import SelectedExample
from maskmill.transforms.batches import Batch, IntoBatches
from maskmill.transforms.examples.spec import ExampleSpec, size_of_spec, spec_to_plain

# Strata of an assignment by position: images that the CSV has, and those that only the image folder has.
LISTED, UNLISTED = 0, 1


class BlockKey(NamedTuple):
    """A block of examples. Blocks are in the order of these numbers.

    Attributes:
        selection: index of the selection.
        stratum: a part of the selection that is cut into splits by itself.
        rank: of the CSV file that the first rows of the examples are in; 0 in blocks of hashes.
        start: of the block in the CSV file; or the number of the block, of all hashes.
    """

    selection: int
    stratum: int
    rank: int
    start: int


# Beam has a deterministic coder for plain tuples only.
BlockKeyType = tuple[int, int, int, int]


def block_of_hash(number: int, blocks: int) -> int:
    """Number of the block, of so many, that a hash is in."""
    return number * blocks >> BITS


def key_by_position(selected: SelectedExample, salt: str, blocks: int) -> tuple[BlockKeyType, ExampleSpec]:
    """Puts an example into the block of the CSV that its first row is in; one without rows into a block by its hash."""
    number, rank, spec = selected
    if rank is None:
        return (number, UNLISTED, 0, block_of_hash(hash_image(spec.image_id, salt).place, blocks)), spec
    return (number, LISTED, rank, spec.rows[0].line.block), spec


@dataclasses.dataclass(kw_only=True, eq=False)
class GroupByBlock(beam.PTransform):
    """Groups examples by block.

    Attributes:
        key: gives an example its block.
        args: further arguments of `key`.
    """

    key: Callable[..., tuple[BlockKeyType, ExampleSpec]]
    args: tuple[object, ...]

    def expand(
        self, examples: beam.PCollection[SelectedExample]
    ) -> beam.PCollection[tuple[BlockKeyType, Iterable[Batch]]]:
        batch_type = tuple[BlockKeyType, Batch]
        return (
            examples
            | "KeyByBlock" >> beam.Map(self.key, *self.args)
            | "BatchExamples" >> beam.ParDo(IntoBatches(spec_to_plain, size_of_spec)).with_output_types(batch_type)
            | "GroupBlocks" >> beam.GroupByKey()
        )  # (BlockKey, [Batch of ExampleSpec])
