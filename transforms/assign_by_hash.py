"""Annotated images to examples whose splits and shards a hash of their ImageId decides.

An image's place does not depend on the order of the rows, nor on what other images there are: where some come or go,
only their own shards change.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam

from transforms.assign_splits import announce, outputs_of_block, places
from transforms.batches import Batch
from transforms.example import ExampleSpec, spec_from_plain
from transforms.group_by_image import AnnotatedImage
from transforms.select_examples import BlockKey, BlockKeyType, SelectExamples
from transforms.splits import AssignedExamples, SplitExample, SplitRule, SplitSize


class ImageHash(NamedTuple):
    """Two numbers below 2^64: one for the split, one for the place in it."""

    split: int
    place: int


def hash_image(image_id: str, salt: str) -> ImageHash:
    """The first 16 bytes of the sha256 of salt, a zero byte and ImageId, as two big-endian numbers."""
    digest = hashlib.sha256(f"{salt}\0{image_id}".encode()).digest()
    return ImageHash(int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big"))


def takes(rule: SplitRule, image: ImageHash) -> bool:
    """Whether a split takes the examples of an image: its share of all hashes lies before the cut."""
    return (image.split < int(rule.share * 2.0**64)) == rule.before_cut


def assign_by_hash(
    key: BlockKey, specs: Iterable[ExampleSpec], rules: Iterable[SplitRule], salt: str
) -> Iterator[tuple[ExampleSpec, list[SplitExample]]]:
    """Gives the examples of a block their places.

    Yields:
        each example with its places: none where no split takes it, several where splits overlap.
    """
    rules = [rule for rule in rules if rule.selection == key.selection]
    for spec in specs:
        image = hash_image(spec.image_id, salt)
        yield spec, places(spec, ((rule, image.place) for rule in rules if takes(rule, image)))


def count_by_hash(
    block: tuple[BlockKeyType, Iterable[Batch]], rules: Iterable[SplitRule], salt: str
) -> dict[str, SplitSize]:
    """What a block of examples adds to the sizes of the splits, by name."""
    key, batches = block
    hashes = [hash_image(plain[0], salt) for plain in itertools.chain.from_iterable(batches)]
    rules = [rule for rule in rules if rule.selection == BlockKey(*key).selection]
    return {rule.name: SplitSize(sum(takes(rule, image) for image in hashes), len(hashes)) for rule in rules}


def sum_sizes(parts: Iterable[dict[str, SplitSize]], rules: Iterable[SplitRule]) -> dict[str, SplitSize]:
    """Sizes of the splits, of those of their parts."""
    examples: Counter[str] = Counter()
    candidates: Counter[str] = Counter()
    for part in parts:
        for name, size in part.items():
            examples[name] += size.examples
            candidates[name] += size.candidates
    return {rule.name: SplitSize(examples[rule.name], candidates[rule.name]) for rule in rules}


class AssignBlockByHash(beam.DoFn):
    """Gives the examples of a block their places; see `AssignedExamples` for the outputs."""

    def __init__(self, rules: tuple[SplitRule, ...], salt: str) -> None:
        self.rules = rules
        self.salt = salt

    def process(self, element: tuple[BlockKeyType, Iterable[Batch]], _: object) -> Iterable[Any]:
        """Yields the block's examples, once for each split that takes them.

        The sizes of the splits are a side input although only the next step looks at them: so it goes on with the
        examples as they come, and they are not written down to wait for the sizes.
        """
        specs = map(spec_from_plain, itertools.chain.from_iterable(element[1]))
        yield from outputs_of_block(assign_by_hash(BlockKey(*element[0]), specs, self.rules, self.salt))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignByHash(beam.PTransform):
    """Makes examples of annotated images, and gives them their splits and places by a hash of their ImageId.

    Attributes:
        rules: of the splits; the examples before the cut are those with the lowest hashes, about the share of all.
        salt: of the hash.
    """

    rules: tuple[SplitRule, ...]
    salt: str

    def expand(self, images: beam.PCollection[AnnotatedImage]) -> AssignedExamples:
        blocks = images | SelectExamples(rules=self.rules)  # (BlockKey, [Batch of ExampleSpec])
        sizes = (
            blocks
            | "CountByHash" >> beam.Map(count_by_hash, self.rules, self.salt)
            | "CollectSizes" >> beam.combiners.ToList()
            | "SumSizes" >> beam.Map(lambda parts, rules: announce(sum_sizes(parts, rules)), self.rules)
        )
        assigned = blocks | "AssignByHash" >> beam.ParDo(
            AssignBlockByHash(self.rules, self.salt), beam.pvalue.AsSingleton(sizes)
        ).with_outputs("tallies", main="examples").with_output_types(SplitExample)
        return AssignedExamples(assigned.examples, sizes, assigned.tallies)
