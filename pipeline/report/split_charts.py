"""Draws how splits differ: examples by class, area by class, and the sizes of the shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from maskmill.pipeline.report.class_counts import ClassCounts
from maskmill.pipeline.report.statistics import SplitStatistics
from maskmill.pipeline.report.svg import (
    BORDER,
    INK,
    PAPER,
    new_figure,
    nothing,
    put_legend_below,
    set_linear_ticks,
    set_logarithmic_ticks,
    set_whole_ticks,
    shade,
    shades,
    shorten,
    to_svg,
)

# Above this number shards are drawn as a histogram instead of a bar each.
_MOST_BARS = 60
# Share of the row of a class that its bars fill.
_FILLED = 0.75
_BORDERED: Mapping[str, Any] = {"edgecolor": INK, "linewidth": BORDER}


def draw_examples_by_class(counts: Mapping[str, ClassCounts], names: Sequence[str], height: float) -> str:
    """Draws the share of each split's examples that have a class, with their number.

    Args:
        counts: number of examples by class, by split.
        names: of the classes, in the order of the rows.
        height: of the chart, in inches.
    """
    figure, [axes] = new_figure(height)
    bar = _FILLED / len(counts)
    for order, found in enumerate(counts.values()):
        rows = [row for row, name in enumerate(names) if name in found.by_name]
        shares = [100 * found.share(names[row]) for row in rows]
        bars = axes.barh(_offsets(rows, order, len(counts)), shares, bar, color=shade(order), **_BORDERED)
        axes.bar_label(bars, [f"{found.by_name[names[row]]:,}" for row in rows], padding=2, fontsize=9)
    _name_rows(axes, names)
    set_linear_ticks(axes)
    axes.set_xlabel("% of the split's examples")
    axes.margins(x=0.15)
    put_legend_below(figure, list(counts), shades(len(counts)))
    return to_svg(figure)


def draw_area_by_split(splits: Sequence[SplitStatistics], names: Sequence[str], height: float) -> str:
    """Draws the area of each class in each split: the median, a box with the middle 50%, a line with 90%.

    Args:
        splits: statistics of the examples.
        names: of the classes, in the order of the rows.
        height: of the chart, in inches.
    """
    areas = [100 * split.areas[name] for split in splits for name in names if len(split.areas.get(name, ()))]
    if not areas:
        return nothing(height)
    figure, [axes] = new_figure(height)
    bar = _FILLED / len(splits)
    for order, split in enumerate(splits):
        for row, name in enumerate(names):
            if len(found := split.areas.get(name, ())):
                least, low, middle, high, most = np.quantile(100 * np.asarray(found), (0.05, 0.25, 0.5, 0.75, 0.95))
                [place] = _offsets([row], order, len(splits))
                axes.plot([least, most], [place, place], color=INK, linewidth=1, solid_capstyle="butt")
                axes.barh(place, high - low, bar * 0.8, left=low, color=PAPER, linewidth=0)
                axes.barh(place, high - low, bar * 0.8, left=low, color=shade(order), **_BORDERED)
                axes.plot([middle], [place], "o", markersize=4.5, color=PAPER, markeredgecolor=INK, zorder=4)
    _name_rows(axes, names)
    low, high = (float(one([np.quantile(area, share) for area in areas])) for one, share in ((min, 0.05), (max, 0.95)))
    set_logarithmic_ticks(axes, low / 1.2, high * 1.2)
    axes.set_xlabel("% of the image: median, middle 50%, 90%")
    put_legend_below(figure, [split.name for split in splits], shades(len(splits)))
    return to_svg(figure)


def draw_shards(sizes: Mapping[str, Sequence[int]], height: float) -> str:
    """Draws the sizes of the shards: a bar each, or how many have which size if there are many.

    Args:
        sizes: sizes of the shards in bytes, by split.
        height: of the chart, in inches.
    """
    figure, [axes] = new_figure(height)
    most = max(map(len, sizes.values()), default=0)
    many = most > _MOST_BARS
    every = np.concatenate([np.asarray(found, float) for found in sizes.values()]) / 1e6
    edges = np.linspace(every.min(), max(every.max(), every.min() + 1e-3), 31) if len(every) else np.arange(2)
    for order, found in enumerate(sizes.values()):
        megabytes = np.array(found) / 1e6
        if many:
            heights = 100 * np.histogram(megabytes, edges)[0] / max(len(found), 1)
            places, width = edges[:-1], np.diff(edges) / len(sizes)
            axes.bar(places + order * width, heights, width, color=shade(order), align="edge", **_BORDERED)
        else:
            places = np.arange(len(found)) - 0.4 + 0.8 * order / len(sizes)
            axes.bar(places, megabytes, 0.8 / len(sizes), color=shade(order), align="edge", **_BORDERED)
    if many:
        set_linear_ticks(axes)
    else:
        set_whole_ticks(axes, 0, max(most - 1, 0))
    axes.grid(axis="y")
    axes.set_xlabel("MB" if many else "index of the shard")
    axes.set_ylabel("% of the split's shards" if many else "MB")
    put_legend_below(figure, list(sizes), shades(len(sizes)))
    return to_svg(figure)


def _offsets(rows: Sequence[int], order: int, splits: int) -> list[float]:
    """Returns where the bars of a split are: beside each other, around the middle of each row."""
    return [row + _FILLED * ((order + 0.5) / splits - 0.5) for row in rows]


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [shorten(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
