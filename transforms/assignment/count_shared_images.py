"""Counts the images that more than one split uses."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import apache_beam as beam

from maskmill.transforms.assignment.splits import SplitExample, SplitRule
from maskmill.transforms.tallies import SHARED_IMAGES


def may_share_images(rules: Sequence[SplitRule]) -> bool:
    """Returns whether two splits may use the same image: not if they are disjoint parts of one selection.

    And not if a file gives each image its split.
    """
    return any(
        one.selection.split == other.selection.split
        and (one.selection != other.selection or (one.start < other.stop and other.start < one.stop))
        for one, other in itertools.combinations(rules, 2)
    )


def tally_splits(path_and_splits: tuple[str, Iterable[str]]) -> tuple[str, int]:
    """Tallies 1 for an image of several splits, otherwise 0."""
    _, splits = path_and_splits
    return SHARED_IMAGES, int(len(set(splits)) > 1)


@dataclasses.dataclass(kw_only=True, eq=False)
class CountSharedImages(beam.PTransform):
    """Counts the images that are in more than one split; the output is tallies."""

    def expand(self, examples: beam.PCollection[SplitExample]) -> beam.PCollection[tuple[str, int]]:
        return (
            examples
            | "ImageAndSplit"
            >> beam.Map(lambda example: (example.spec.image.path, example.split)).with_output_types(tuple[str, str])
            | "GroupByPath" >> beam.GroupByKey()
            # (path, [split])
            | "TallySplits" >> beam.Map(tally_splits).with_output_types(tuple[str, int])
        )
