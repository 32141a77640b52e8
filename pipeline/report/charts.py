"""Draws the charts of a report as SVG whose text and lines take the colour of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from maskmill.pipeline.report.class_counts import ClassCounts, names_of
from maskmill.pipeline.report.draw_example import COLOURS
from maskmill.pipeline.report.statistics import SplitStatistics

# Placeholder for the page's own colour while matplotlib draws.
_TEXT = "#010203"
_SIZE = (4.4, 2.8)
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "maskmill",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _TEXT,
    "axes.edgecolor": _TEXT,
    "axes.labelcolor": _TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "legend.frameon": False,
}
# Above this number shards are drawn as a histogram instead of a bar each.
_MOST_BARS = 60


def draw_charts(
    splits: Sequence[SplitStatistics], counts: Mapping[str, ClassCounts], sizes: Mapping[str, Sequence[int]]
) -> dict[str, str]:
    """Draws all charts, by title.

    Args:
        splits: statistics of the examples.
        counts: number of examples by class, by split.
        sizes: sizes of the shards in bytes, by split.
    """
    with mpl.rc_context(_STYLE):
        return dict(_draw(splits, counts, sizes))


def _draw(
    splits: Sequence[SplitStatistics], counts: Mapping[str, ClassCounts], sizes: Mapping[str, Sequence[int]]
) -> Iterator[tuple[str, str]]:
    yield "Examples by class", _classes(counts)
    names = names_of(split.areas for split in splits)
    areas = {name: 100 * _joined([split.areas for split in splits], name) for name in names}
    yield "Area of the defects", _histogram(areas, "% of the image", logarithmic=True)
    runs = {name: _joined([split.runs for split in splits], name) for name in names}
    yield "Runs of the defects", _histogram(runs, "runs in an example", logarithmic=True)
    brightness = {split.name: split.brightness for split in splits}
    yield "Brightness", _histogram(brightness, "mean grey of an image, 0 to 255")
    yield "Where the defects are", _heat(splits)
    yield "Size of the shards", _shards(sizes)


def _joined(splits: Sequence[Mapping[str, NDArray[Any]]], name: str) -> NDArray[Any]:
    """Joins the values of a class over the splits that have it."""
    return np.concatenate([split[name] for split in splits if name in split])


def _classes(counts: Mapping[str, ClassCounts]) -> str:
    figure, axes = _figure()
    names = names_of(split.by_name for split in counts.values())
    height = 0.8 / len(counts)
    for index, (split, found) in enumerate(counts.items()):
        own = [place for place, name in enumerate(names) if name in found.by_name]
        shares = [100 * found.share(names[place]) for place in own]
        bars = axes.barh(np.array(own) + index * height, shares, height, color=_colour(index), label=split)
        axes.bar_label(bars, [f"{found.by_name[names[place]]:,}" for place in own], padding=2, fontsize=8)
    axes.set_yticks(np.arange(len(names)) + height * (len(counts) - 1) / 2, names)
    axes.invert_yaxis()
    axes.set_xlabel("% of the split's examples")
    axes.margins(x=0.15)
    axes.legend(fontsize=8)
    return _to_svg(figure)


def _histogram(values: Mapping[str, ArrayLike], label: str, *, logarithmic: bool = False) -> str:
    figure, axes = _figure()
    arrays = {name: np.asarray(array, float) for name, array in values.items()}
    every = np.concatenate(list(arrays.values())) if arrays else np.empty(0)
    if not len(every):
        return _nothing(figure, axes)
    low, high = float(every.min()), float(every.max())
    if logarithmic:
        edges = np.geomspace(low, max(high, low * 1.1), 31).tolist()
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    else:
        edges = np.linspace(low, max(high, low + 1), 31).tolist()
    for index, (name, array) in enumerate(arrays.items()):
        if len(array):
            axes.hist(array, edges, histtype="stepfilled", alpha=0.35, color=_colour(index))
            axes.hist(array, edges, histtype="step", color=_colour(index), label=name)
    axes.set_xlabel(label)
    axes.set_ylabel("examples")
    axes.legend(fontsize=8)
    return _to_svg(figure)


def _heat(splits: Sequence[SplitStatistics]) -> str:
    figure, axes = _figure()
    largest = max(splits, key=lambda split: len(split.positions))
    same = [split for split in splits if split.heat.shape == largest.heat.shape]
    looked_at = sum(len(split.positions) for split in same)
    if not looked_at:
        return _nothing(figure, axes)
    heat = 100 * np.sum([split.heat * len(split.positions) for split in same], axis=0) / looked_at
    height, width = largest.size
    image = axes.imshow(heat, extent=(0, width, height, 0), cmap="viridis", vmin=0, aspect="equal")
    wide = width > 2 * height
    bar = figure.colorbar(image, ax=axes, location="bottom" if wide else "right", shrink=0.8, pad=0.3 if wide else 0.05)
    bar.set_label("% of the examples")
    axes.set_xlabel("pixels")
    return _to_svg(figure)


def _shards(sizes: Mapping[str, Sequence[int]]) -> str:
    figure, axes = _figure()
    most = max(map(len, sizes.values()), default=0)
    for index, (split, found) in enumerate(sizes.items()):
        megabytes = np.array(found) / 1e6
        if most > _MOST_BARS:
            axes.hist(megabytes, 30, alpha=0.5, color=_colour(index), label=split)
        else:
            places = np.arange(len(found)) + 0.8 * index / len(sizes)
            axes.bar(places, megabytes, 0.8 / len(sizes), color=_colour(index), label=split, align="edge")
    axes.set_xlabel("MB" if most > _MOST_BARS else "shard")
    axes.set_ylabel("shards" if most > _MOST_BARS else "MB")
    axes.legend(fontsize=8)
    return _to_svg(figure)


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    return figure, figure.subplots()


def _nothing(figure: Figure, axes: Axes) -> str:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "there are none", ha="center", transform=axes.transAxes)
    return _to_svg(figure)


def _colour(index: int) -> tuple[float, ...]:
    return tuple(part / 255 for part in COLOURS[index % len(COLOURS)])


def _to_svg(figure: Figure) -> str:
    """Returns the chart as an SVG element that fills the width of its place."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    element = text[text.index("<svg") :].replace(_TEXT, "currentColor")
    return re.sub(r'(<svg[^>]*?) height="[^"]*"([^>]*?) width="[^"]*"', r"\1\2", element, count=1, flags=re.DOTALL)
