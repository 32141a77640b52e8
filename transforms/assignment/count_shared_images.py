"""Examples to the number of images that more than one split uses."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import apache_beam as beam

from maskmill.transforms.assignment.splits import SplitExample, SplitRule

SHARED_IMAGES = "images in more than one split"


def may_share_images(rules: Sequence[SplitRule]) -> bool:
    """Whether two splits could use the same image: not where they are cut of the same examples, side by side."""
    return any(
        one.selection != other.selection or (one.start < other.stop and other.start < one.stop)
        for one, other in itertools.combinations(rules, 2)
    )


def tally_splits(path_and_splits: tuple[str, Iterable[str]]) -> tuple[str, int]:
    """1 for an image of several splits, else 0."""
    _, splits = path_and_splits
    return SHARED_IMAGES, int(len(set(splits)) > 1)


@dataclasses.dataclass(kw_only=True, eq=False)
class CountSharedImages(beam.PTransform):
    """Counts the images that are in more than one split, as tallies to be summed."""

    def expand(self, examples: beam.PCollection[SplitExample]) -> beam.PCollection[tuple[str, int]]:
        return (
            examples
            | "ImageAndSplit"
            >> beam.Map(lambda example: (example.spec.image.path, example.split)).with_output_types(tuple[str, str])
            | "GroupByPath" >> beam.GroupByKey()
            # (path, [split])
            | "TallySplits" >> beam.Map(tally_splits).with_output_types(tuple[str, int])
        )
