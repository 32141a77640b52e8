"""The frame of each chart: an SVG in the colours of the page, with few ticks, and a legend below its data."""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from maskmill.pipeline.report.colours import split_shade

# Placeholders for the page's own colours while matplotlib draws: of its text, and of the panel of a chart.
INK, PAPER = "#010203", "#040506"
# Names of parts in the SVG, by which a test finds them; that of a data area is followed by its number.
DATA_AREA, LEGEND = "data-area", "legend"
# Inches; a page scales a chart to the width of its place.
WIDTH = 4.4
# Points: the line around a filled shape, so that a light one stands out.
BORDER = 0.5
_STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "maskmill",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.constrained_layout.use": True,
}
_MOST_TICKS = 5
# Letters of a name in a chart; the tables have the whole name.
_MOST_LETTERS = 16
# Letters in a row of a legend: its names, and 7 for each square.
_LEGEND_LETTERS = 46


def style() -> Any:
    """Returns a context in which charts are drawn."""
    return mpl.rc_context(dict(_STYLE))


def new_figure(height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Returns a figure with plots that share their axes, row by row."""
    figure = Figure(figsize=(WIDTH, height))
    plots = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel().tolist()
    for number, axes in enumerate(plots):
        axes.patch.set_gid(f"{DATA_AREA}-{number}")
    return figure, plots


def nothing(height: float) -> str:
    """Draws a chart that has nothing to show."""
    figure, [axes] = new_figure(height)
    axes.set_axis_off()
    axes.text(0.5, 0.5, "there are none", ha="center", transform=axes.transAxes)
    return to_svg(figure)


def shorten(name: str) -> str:
    """Shortens a name that is too long for a chart."""
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"


def set_linear_ticks(axes: Axes) -> None:
    """Puts few ticks on the x axis."""
    axes.xaxis.set_major_locator(MaxNLocator(_MOST_TICKS, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter("{x:,g}")


def set_whole_ticks(axes: Axes, first: int, last: int) -> None:
    """Puts few ticks on the x axis, at whole numbers from the first to at most the last."""
    axes.set_xticks(whole_ticks(first, last))
    axes.xaxis.set_major_formatter("{x:,g}")


def whole_ticks(first: int, last: int) -> list[int]:
    """Returns at most five numbers from the first to the last, at equal distances."""
    steps = (step * 10**power for power in itertools.count() for step in (1, 2, 5))
    step = next(step for step in steps if (last - first) // step < _MOST_TICKS)
    return list(range(first, last + 1, step))


def set_logarithmic_ticks(axes: Axes, low: float, high: float) -> None:
    """Makes the x axis logarithmic, from low to high, with few ticks."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(logarithmic_ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:,g}")


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """Returns at most five round numbers from low to high: 1, 2, 5, 10, …, or 1, 10, …, or every n-th of these."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps, every in (((1, 2, 5), 1), *(((1,), every) for every in range(1, len(decades) + 1))):
        ticks = [float(f"{step}e{decade}") for decade in decades[::every] for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= _MOST_TICKS:
            return ticks
    return []


def logarithmic_edges(low: float, high: float, bins: int) -> list[float]:
    """Returns the edges of bins of equal ratio; around a single value they are a little apart."""
    spread = 1.1 if high <= low * 1.1 else 1.0
    edges: list[float] = np.geomspace(low / spread, high * spread, bins + 1).tolist()
    return edges


def put_legend_below(figure: Figure, names: Sequence[str], handles: Sequence[Any]) -> None:
    """Puts a legend below the plots, in as many rows as its names take."""
    shown = [shorten(name) for name in names]
    columns = max(1, min(len(shown), _LEGEND_LETTERS // (max(map(len, shown)) + 7)))
    legend = figure.legend(handles, shown, loc="outside lower center", ncols=columns)
    legend.set_gid(LEGEND)


def shade(order: int) -> tuple[float, ...]:
    """Returns the shade of a split by its order, from 0."""
    colour: tuple[float, ...] = to_rgba(INK, split_shade(order))
    return colour


def shades(splits: int) -> list[Patch]:
    """Returns the squares of splits for a legend."""
    return [Patch(facecolor=shade(order), edgecolor=INK, linewidth=BORDER) for order in range(splits)]


def to_svg(figure: Figure) -> str:
    """Returns the chart as an SVG element that fills the width of its place."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    element = text[text.index("<svg") :].replace(INK, "currentColor").replace(PAPER, "var(--panel)")
    return re.sub(r'(<svg[^>]*?) height="[^"]*"([^>]*?) width="[^"]*"', r"\1\2", element, count=1, flags=re.DOTALL)


def height_of(svg: str) -> float:
    """Returns the height of a chart, in inches."""
    [height] = re.findall(r'viewBox="\S+ \S+ \S+ (\S+)"', svg)
    return float(height) / 72


def with_own_names(svg: str, prefix: str) -> str:
    """Puts a prefix before the ids of an SVG, so that several may be in one page."""
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
