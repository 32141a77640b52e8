"""The tables of a report by class: areas, regions and pixels, and classes that occur together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from maskmill.pipeline.report.class_counts import NO_DEFECT, NO_LABEL, names_of
from maskmill.pipeline.report.statistics import SplitStatistics

# Shares of the examples whose area is at most that of the column.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Name of the row for all splits.
ALL = "all"


def class_rows(splits: Sequence[SplitStatistics], names: Sequence[str]) -> list[dict[str, Any]]:
    """Describes each class in each split, and in all of them.

    Args:
        splits: statistics of the examples.
        names: of the classes that the labels distinguish.

    Returns:
        cells of the rows, as text; "" where there is nothing to say.
    """
    rows = []
    for name in names:
        having = [split for split in splits if name in split.areas]
        rows += [_row(name, split.name, [split]) for split in having]
        if len(having) > 1:
            rows.append(_row(name, ALL, having))
    return rows


def _row(name: str, title: str, splits: Sequence[SplitStatistics]) -> dict[str, Any]:
    areas = 100 * np.concatenate([split.areas[name] for split in splits])
    regions = np.concatenate([split.regions[name] for split in splits])
    read = sum(len(split.positions) for split in splits)
    some = bool(len(areas))
    return {
        "name": name,
        "split": title,
        "examples": f"{len(areas):,} ({len(areas) / read:.1%})" if read else "0",
        "mean": _three_digits(areas.mean()) if some else "",
        "quantiles": [_three_digits(value) for value in np.quantile(areas, QUANTILES)]
        if some
        else [""] * len(QUANTILES),
        "regions": f"{regions.mean():.1f}" if some else "",
        "most_regions": f"{regions.max():,}" if some else "",
        **_pixels(name, splits),
    }


def _pixels(name: str, splits: Sequence[SplitStatistics]) -> dict[str, str]:
    """Describes the share of a class in all pixels; `pos_weight` belongs to the split that is trained on."""
    found = [(split.examples, split.pixels, list(split.areas).index(name)) for split in splits if split.pixels]
    examples = sum(number for number, _, _ in found)
    share = sum(number * pixels.pixel_share[place] for number, pixels, place in found) / examples if found else 0.0
    weight = found[0][1].pos_weight[found[0][2]] if len(splits) == len(found) == 1 else math.inf
    return {
        "share": _three_digits(100 * share) if share else "0",
        "pos_weight": f"{weight:,.4g}" if math.isfinite(weight) else "",
    }


def _three_digits(number: float) -> str:
    return f"{number:#.3g}".rstrip(".")


def together_rows(splits: Sequence[SplitStatistics]) -> Iterator[dict[str, Any]]:
    """Counts the examples that have two classes, for each class a row with a cell for each.

    Yields:
        name of the class, and its cells: the number of examples, and their share of those with the class of the row.
    """
    names = [name for name in names_of(split.members for split in splits) if name not in (NO_DEFECT, NO_LABEL)]
    for name in names:
        own = sum(len(split.members.get(name, ())) for split in splits)
        numbers = [sum(split.together(name, other) for split in splits) for other in names]
        yield {"name": name, "cells": [(f"{number:,}", number / own if own else 0.0) for number in numbers]}
