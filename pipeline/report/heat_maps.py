"""Draws where the defects are: a heat map for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill.pipeline.report.statistics import SplitStatistics
from maskmill.pipeline.report.svg import WIDTH, new_figure, nothing, shorten, to_svg

# Inches: of a line of the title of a map, of the bar of colours below them all, and of the highest map.
_TITLE, _BAR, _HIGHEST = 0.25, 0.55, 2.2
_MOST_COLUMNS = 3


def draw_heat_maps(splits: Sequence[SplitStatistics], names: Sequence[str], height: float) -> str:
    """Draws the maps, each from nothing to the most of its class.

    Args:
        splits: statistics of the examples; only those of the size of the largest split are counted.
        names: of the classes.
        height: of another chart, in inches; this one may be higher.
    """
    largest = max(splits, key=lambda split: len(split.positions))
    same = [split for split in splits if split.size == largest.size]
    maps = {name: heat for name in names if (heat := _joined(same, name)) is not None}
    if not maps:
        return nothing(height)
    high, wide = largest.size
    columns, taken = _arrange(len(maps), high / wide, height)
    figure, plots = new_figure(taken, -(-len(maps) // columns), columns)
    between = " " if columns == 1 else "\n"
    for axes, (name, heat) in zip(plots, maps.items(), strict=False):
        image = axes.imshow(
            heat / heat.max(), extent=(0, wide, high, 0), cmap="viridis", vmin=0, vmax=1, aspect="equal"
        )
        axes.set_title(f"{shorten(name)}:{between}at most {heat.max():.2g}%", fontsize=10, loc="left", pad=3)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_anchor("N")
        axes.spines[:].set_visible(False)
    for axes in plots[len(maps) :]:
        axes.remove()
    bar = figure.colorbar(image, ax=plots[: len(maps)], location="bottom", fraction=0.05, pad=0.04, aspect=30)
    bar.set_label("share of the examples with the class")
    bar.set_ticks([0, 1], labels=["none", "most"])
    bar.outline.set_visible(False)
    return to_svg(figure)


def _arrange(maps: int, slope: float, height: float) -> tuple[int, float]:
    """Returns the number of columns and the height, in inches: as few columns as fit into two charts.

    Args:
        maps: number of maps.
        slope: height of a map, divided by its width.
        height: of a chart, in inches.
    """
    columns, taken = 0, float("inf")
    while columns < min(maps, _MOST_COLUMNS) and taken > 2 * height:
        columns += 1
        title = _TITLE if columns == 1 else 2 * _TITLE
        taken = -(-maps // columns) * (min(WIDTH / columns * slope, _HIGHEST) + title) + _BAR
    return columns, taken


def _joined(splits: Sequence[SplitStatistics], name: str) -> NDArray[np.float64] | None:
    """Returns the share of the examples with a class that have it in a cell, in %; None without any."""
    numbers: Mapping[str, int] = {split.name: len(split.areas.get(name, ())) for split in splits}
    every = sum(numbers.values())
    if not every:
        return None
    parts = [split.heat[name] * numbers[split.name] for split in splits if numbers[split.name]]
    heat: NDArray[np.float64] = 100 * np.sum(parts, axis=0) / every
    return heat
