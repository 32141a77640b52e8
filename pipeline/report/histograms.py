"""Draws how a number is distributed: over the examples of each class, or of each split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from maskmill.pipeline.report.colours import class_colour, hex_colour, split_dash
from maskmill.pipeline.report.svg import (
    BORDER,
    INK,
    logarithmic_edges,
    new_figure,
    nothing,
    put_legend_below,
    set_linear_ticks,
    set_logarithmic_ticks,
    set_whole_ticks,
    shade,
    shorten,
    to_svg,
)

_BINS, _LEAST_BINS = 40, 8
# Up to this number, each whole number has a bar of its own.
_MOST_WHOLE = 12

Values = Mapping[str, NDArray[Any]]


def draw_by_class(values: Values, numbers: Mapping[str, int], label: str, height: float, *, whole: bool = False) -> str:
    """Draws a histogram for each class, one above the other, each as high as its fullest bin.

    Args:
        values: of the examples with a class, by its name; more than 0.
        numbers: numbers of the classes, for their colours.
        label: of the axis.
        height: of the chart, in inches.
        whole: whether they are whole numbers.
    """
    filled = {name: array for name, array in values.items() if len(array)}
    if not filled:
        return nothing(height)
    every = np.concatenate(list(filled.values()))
    low, high = float(every.min()), float(every.max())
    figure, rows = new_figure(height, len(filled))
    few = whole and high <= _MOST_WHOLE
    edges = np.arange(0.5, high + 1).tolist() if few else _edges(low, high, whole=whole)
    for axes, (name, array) in zip(rows, filled.items(), strict=True):
        heights, _ = np.histogram(array, edges)
        colour = hex_colour(class_colour(numbers[name]))
        axes.stairs(heights / heights.max(), edges, fill=True, color=colour)
        axes.stairs(heights / heights.max(), edges, color=INK, linewidth=BORDER)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_ylabel(shorten(name), rotation=0, ha="right", va="center")
        axes.grid(axis="x")
    axes = rows[-1]
    if few:
        axes.set_xlim(0.4, high + 0.6)
        set_whole_ticks(axes, 1, int(high))
    else:
        set_logarithmic_ticks(axes, edges[0], edges[-1])
    axes.set_xlabel(label)
    for axes in rows[:-1]:
        axes.tick_params(axis="x", length=0)
    return to_svg(figure)


def _edges(low: float, high: float, *, whole: bool) -> list[float]:
    """Returns the edges of bins of equal ratio; of whole numbers, none without a number in it."""
    if not whole:
        return logarithmic_edges(low, high, _BINS)
    edges = np.unique(np.round(np.geomspace(low, high + 1, _BINS + 1))) - 0.5
    return [float(edge) for edge in edges]


def draw_by_split(values: Values, label: str, height: float) -> str:
    """Draws the distribution in each split as a line, in shares of its examples, so that splits of any size compare.

    Args:
        values: of the examples, by split.
        label: of the axis.
        height: of the chart, in inches.
    """
    filled = [array for array in values.values() if len(array)]
    if not filled:
        return nothing(height)
    low, high = (float(one([one(array) for array in filled])) for one in (min, max))
    figure, [axes] = new_figure(height)
    # As many bins as the smallest split can fill.
    bins = int(np.clip(math.sqrt(min(map(len, filled))), _LEAST_BINS, _BINS))
    edges = np.linspace(low, max(high, low + 1), bins + 1)
    names, handles = [], []
    for order, (name, array) in enumerate(values.items()):
        if len(array):
            heights, _ = np.histogram(array, edges)
            look: dict[str, Any] = {"color": shade(order), "linestyle": split_dash(order), "linewidth": 1.6}
            axes.stairs(100 * heights / len(array), edges, baseline=None, **look)
            names.append(name)
            handles.append(Line2D([], [], **look))
    set_linear_ticks(axes)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    axes.set_xlabel(label)
    axes.set_ylabel("% of the split's examples")
    put_legend_below(figure, names, handles)
    return to_svg(figure)
