"""The page of a report: words, tables and pictures, put into report_page.html."""

from __future__ import annotations

import base64
import datetime
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from PIL import Image

from pipeline.compare_splits import find_differences
from pipeline.draw_example import draw_label
from pipeline.progress_bar import format_bytes
from pipeline.report_source import DatasetSource
from pipeline.summary import describe_overlaps
from steelbeam import open_dataset
from transforms.printable import printable

if TYPE_CHECKING:
    from pipeline.report_statistics import SplitStatistics

SAMPLES = 24
# Width of a sample, in pixels: about twice that of its place, for screens with two pixels to one.
_SAMPLE_WIDTH = 760
_REJECTED_EXAMPLES = 3
_RUNS = 10


def page_of(source: DatasetSource, splits: Sequence[SplitStatistics], charts: Mapping[str, str], seed: int) -> str:
    """The whole page.

    Args:
        source: what the dataset says of itself.
        splits: what its examples show.
        charts: SVG elements by their titles.
        seed: of the choice of samples.
    """
    import jinja2  # an extra

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(Path(__file__).with_name("report_page.html").read_text(encoding="utf-8"))
    columns = list(dict.fromkeys(name for split in splits for name in split.members))
    page: str = template.render(
        title=f"The dataset {source.directory}",
        subtitle=_subtitle(source, splits),
        warnings=list(_warnings(source, splits)),
        columns=columns,
        splits=[_split_row(source, split, columns) for split in splits],
        notes=list(_notes(source, splits)),
        charts=charts,
        samples_note=f"Chosen at random with the seed {seed}, in turn of each class and of those without a defect; "
        "the mask is drawn over the image.",
        samples=list(_samples(source, splits, seed)),
        rejected=_rejected(source),
        no_rejected="None." if source.manifest else "A dataset of create_hdf5_files.py does not say.",
        runs=[_run(run) for run in reversed(source.history[-_RUNS:])],
        parameters=yaml.safe_dump(dict(source.params), sort_keys=False, allow_unicode=True),
    )
    return page


def _subtitle(source: DatasetSource, splits: Sequence[SplitStatistics]) -> str:
    height, width = max(splits, key=lambda split: split.examples).size
    total = format_bytes(sum(map(sum, source.shard_bytes.values())))
    by = "steelbeam" if source.manifest else "create_hdf5_files.py"
    examples = f"{sum(source.examples.values()):,} examples of {height} × {width} pixels"
    return f"{examples}, labels for the loss {source.params['model']['loss']}, {total}, made by {by}."


def _warnings(source: DatasetSource, splits: Sequence[SplitStatistics]) -> Iterator[str]:
    counts = {split.name: {name: len(indices) for name, indices in split.members.items()} for split in splits}
    same = [split for split in splits if list(split.members) == list(splits[0].members)]
    totals = {split.name: len(split.positions) for split in same}
    for found in find_differences(counts, totals):
        yield (
            f"{found.split} differs from the rest by more than chance: {found.name} in {found.share:.1%} of its "
            f"examples and in {found.other_share:.1%} of the others (probability {found.probability:.1g}); "
            "assignment: stratified would even it out."
        )
    if source.manifest and (shared := source.manifest.get("shared_images")):
        yield f"{shared:,} image{'s are' if shared > 1 else ' is'} in more than one split."
    for split in splits:
        if not split.examples:
            yield f"{split.name} has no examples."


def _split_row(source: DatasetSource, split: SplitStatistics, columns: Sequence[str]) -> dict[str, Any]:
    cells = [
        f"{len(split.members[name]):,} ({split.share(name):.1%})" if name in split.members else "" for name in columns
    ]
    sizes = source.shard_bytes[split.name]
    shards, total = f"{len(sizes):,}", format_bytes(sum(sizes))
    return {"name": split.name, "examples": f"{split.examples:,}", "cells": cells, "shards": shards, "size": total}


def _notes(source: DatasetSource, splits: Sequence[SplitStatistics]) -> Iterator[str]:
    for split in splits:
        if len(split.positions) < split.examples:
            yield f"Of {split.name} {len(split.positions):,} examples were looked at, chosen at random."
    if source.manifest:
        rows = source.manifest["rows"]
        filtered = [f"{count:,} filtered ({reason})" for reason, count in rows["filtered"].items() if count]
        parts = [f"{rows['in_examples']:,} in examples", *filtered, f"{rows['rejected']:,} rejected"]
        yield f"Of {rows['read']:,} rows: {', '.join(parts)}."
        for name, split_entry in source.manifest["splits"].items():
            overlaps = split_entry.get("overlaps") or {"pixels": 0}
            if overlaps["pixels"]:
                yield f"{describe_overlaps(name, overlaps)}."


def _samples(source: DatasetSource, splits: Sequence[SplitStatistics], seed: int) -> Iterator[dict[str, Any]]:
    for split, index, name in _choose(splits, seed):
        example = open_dataset(source.directory, split)[index]
        picture = Image.fromarray(draw_label(example))
        scale = min(1.0, _SAMPLE_WIDTH / picture.width)
        picture = picture.resize((round(picture.width * scale), max(1, round(picture.height * scale))))
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=80)
        data = base64.b64encode(stream.getvalue()).decode()
        caption = ", ".join(part for part in (printable(example.image_id), name, f"{split} {index}") if part)
        size = {"width": picture.width, "height": picture.height}
        yield {"source": f"data:image/jpeg;base64,{data}", "caption": caption, **size}


def _choose(splits: Sequence[SplitStatistics], seed: int) -> list[tuple[str, int, str]]:
    """Split, position and class of the samples: of each class in turn, each example once."""
    random = np.random.default_rng(seed)
    names = list(dict.fromkeys(name for split in splits for name in split.members))
    places: dict[str, list[list[int]]] = {}
    for name in names:
        pairs = [
            (number, split.positions[i]) for number, split in enumerate(splits) for i in split.members.get(name, ())
        ]
        places[name] = random.permutation(pairs).tolist()
    chosen: dict[tuple[int, int], str] = {}
    while len(chosen) < SAMPLES and any(places.values()):
        for name in names:
            if places[name] and len(chosen) < SAMPLES:
                number, index = places[name].pop()
                chosen.setdefault((number, index), name)
    return [(splits[number].name, index, name) for (number, index), name in chosen.items()]


def _rejected(source: DatasetSource) -> list[dict[str, Any]]:
    codes = Counter(record["code"] for record in source.rejected)
    return [
        {"name": code, "count": f"{count:,}", "examples": _examples(source, code)}
        for code, count in codes.most_common()
    ]


def _examples(source: DatasetSource, code: str) -> list[str]:
    records = [record for record in source.rejected if record["code"] == code][:_REJECTED_EXAMPLES]
    return [
        printable(f"{record['source']}{':' + str(record['line']) if record['line'] else ''}: {record['message']}")
        for record in records
    ]


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    started, finished = (datetime.datetime.fromisoformat(run[key]) for key in ("started", "finished"))
    seconds = (finished - started).total_seconds()
    states: Counter[str] = Counter()
    for split in run["shards"].values():
        states.update(split)
    whole = states["written"] == sum(states.values())
    speed = f"{sum(run['examples'].values()) / seconds:,.0f}" if whole and seconds else ""
    return {
        "finished": finished.strftime("%Y-%m-%d %H:%M %Z"),
        "seconds": f"{seconds:,.0f}",
        "runner": run["runner"],
        "version": run["version"],
        **{state: f"{states[state]:,}" for state in ("written", "kept", "reused")},
        "speed": speed,
    }
