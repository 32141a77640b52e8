"""Draws the charts of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.names import RGB
from maskmill.pipeline.report.class_counts import ClassCounts, names_of
from maskmill.pipeline.report.heat_maps import draw_heat_maps
from maskmill.pipeline.report.histograms import draw_by_class, draw_by_split
from maskmill.pipeline.report.split_charts import draw_area_by_split, draw_examples_by_class, draw_shards
from maskmill.pipeline.report.statistics import SplitStatistics
from maskmill.pipeline.report.svg import height_of, style, with_own_names

# How much higher than others a chart is that takes the place of two.
_TALL = 1.4
# Inches: the least height of a chart, of what is around the rows of its classes, of a row, and of the bar of a split.
_LEAST_HEIGHT, _AROUND, _ROW, _BAR = 2.8, 0.9, 0.4, 0.21


class Chart(NamedTuple):
    """A chart.

    Attributes:
        svg: the SVG element.
        tall: whether it takes the place of two, one above the other.
    """

    svg: str
    tall: bool


def draw_charts(
    splits: Sequence[SplitStatistics],
    counts: Mapping[str, ClassCounts],
    numbers: Mapping[str, int],
    sizes: Mapping[str, Sequence[int]],
) -> dict[str, Chart]:
    """Draws all charts, by title.

    Args:
        splits: statistics of the examples.
        counts: number of examples by class, by split.
        numbers: number of each class that labels distinguish, by its name.
        sizes: sizes of the shards in bytes, by split.
    """
    height = max(_LEAST_HEIGHT, _AROUND + (len(numbers) + 1) * max(_ROW, _BAR * len(splits)))
    with style():
        charts = dict(_draw(splits, counts, numbers, sizes, height))
    return {
        title: Chart(with_own_names(svg, f"chart{number}"), height_of(svg) > _TALL * height)
        for number, (title, svg) in enumerate(charts.items())
    }


def _draw(
    splits: Sequence[SplitStatistics],
    counts: Mapping[str, ClassCounts],
    numbers: Mapping[str, int],
    sizes: Mapping[str, Sequence[int]],
    height: float,
) -> Iterator[tuple[str, str]]:
    if numbers:  # none without labels
        yield from _draw_classes(splits, counts, numbers, height)
    yield from _draw_brightness({split.name: split.brightness for split in splits}, height)
    yield "Size of the shards", draw_shards(sizes, height)


def _draw_classes(
    splits: Sequence[SplitStatistics], counts: Mapping[str, ClassCounts], numbers: Mapping[str, int], height: float
) -> Iterator[tuple[str, str]]:
    names = list(numbers)
    yield (
        "Examples by class",
        draw_examples_by_class(counts, names_of(split.by_name for split in counts.values()), height),
    )
    areas = {name: 100 * _joined([split.areas for split in splits], name) for name in names}
    yield "Area of the defects", draw_by_class(areas, numbers, "% of the image", height)
    yield "Area by split", draw_area_by_split(splits, names, height)
    regions = {name: _joined([split.regions for split in splits], name) for name in names}
    yield (
        "Regions of the defects",
        draw_by_class(regions, numbers, "connected regions in an example", height, whole=True),
    )
    runs = {name: _joined([split.runs for split in splits], name) for name in names}
    yield "Runs of the defects", draw_by_class(runs, numbers, "runs in an example", height, whole=True)
    yield "Where the defects are", draw_heat_maps(splits, names, height)


def _draw_brightness(brightness: Mapping[str, NDArray[np.float64]], height: float) -> Iterator[tuple[str, str]]:
    """Draws the brightness of images, [channels, examples] by split; a chart for each channel."""
    channels = max(map(len, brightness.values()))
    for index, name in enumerate(RGB if channels == len(RGB) else ("grey",)):
        of_channel = {split: found[index] if index < len(found) else np.empty(0) for split, found in brightness.items()}
        title = "Brightness" if name == "grey" else f"Brightness of {name}"
        yield title, draw_by_split(of_channel, f"mean {name} of an image, 0 to 255", height)


def _joined(splits: Sequence[Mapping[str, NDArray[Any]]], name: str) -> NDArray[Any]:
    """Joins the values of a class over the splits that have it."""
    return np.concatenate([split[name] for split in splits if name in split])
