"""Writes the page of a report: words, tables and pictures, put into page.html."""

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

from maskmill import open_dataset
from maskmill.history import seconds_of
from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.pipeline.messages.summary import describe_overlaps
from maskmill.pipeline.report.class_counts import NO_DEFECT, ClassCounts, names_of
from maskmill.pipeline.report.compare_splits import find_differences
from maskmill.pipeline.report.draw_example import draw_label
from maskmill.pipeline.report.source import DatasetSource
from maskmill.transforms.text import printable

if TYPE_CHECKING:
    from maskmill.pipeline.report.statistics import SplitStatistics

SAMPLES = 24
# Width of a sample in pixels: about twice that of its place, for high-density screens.
_SAMPLE_WIDTH = 760
_REJECTED_EXAMPLES = 3
_RUNS = 10


def page_of(
    source: DatasetSource,
    splits: Sequence[SplitStatistics],
    counts: Mapping[str, ClassCounts],
    charts: Mapping[str, str],
    seed: int,
) -> str:
    """Writes the whole page.

    Args:
        source: metadata of the dataset.
        splits: statistics of its examples.
        counts: number of examples by class, by split.
        charts: SVG elements by title.
        seed: of the choice of samples.
    """
    import jinja2  # optional

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    columns = names_of(split.by_name for split in counts.values())
    page: str = template.render(
        title=f"The dataset {source.directory}",
        subtitle=_subtitle(source, splits),
        warnings=list(_warnings(source, counts)),
        columns=columns,
        splits=[_split_row(source, split, counts[split], columns) for split in source.examples],
        notes=list(_notes(source, splits, counts)),
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
    by = "maskmill" if source.manifest else "create_hdf5_files.py"
    examples = f"{sum(source.examples.values()):,} examples of {height} × {width} pixels"
    folders = dict.fromkeys(str(source.params[split].get("data_dir", "")) for split in source.examples)
    made = f"made by {by} from the folder {' and '.join(folders)}" if any(folders) else f"made by {by}"
    return f"{examples}, labels for the loss {source.params['model']['loss']}, {total}, {made}."


def _warnings(source: DatasetSource, counts: Mapping[str, ClassCounts]) -> Iterator[str]:
    first = next(iter(counts.values()))
    same = {split: found for split, found in counts.items() if set(found.by_name) == set(first.by_name)}
    by_name = {split: found.by_name for split, found in same.items()}
    for found in find_differences(by_name, {split: found.total for split, found in same.items()}):
        yield (
            f"{found.split} differs from the rest by more than chance: {found.name} in {found.share:.1%} of its "
            f"examples and in {found.other_share:.1%} of the others (probability {found.probability:.1g}); "
            "assignment: stratified would even it out."
        )
    if source.manifest and (shared := source.manifest.get("shared_images")):
        yield f"{shared:,} image{'s are' if shared > 1 else ' is'} in more than one split."
    for split, examples in source.examples.items():
        if not examples:
            yield f"{split} has no examples."


def _split_row(source: DatasetSource, split: str, counts: ClassCounts, columns: Sequence[str]) -> dict[str, Any]:
    cells = [
        f"{counts.by_name[name]:,} ({counts.share(name):.1%})" if name in counts.by_name else "" for name in columns
    ]
    sizes = source.shard_bytes[split]
    return {
        "name": split,
        "examples": f"{source.examples[split]:,}",
        "cells": cells,
        "shards": f"{len(sizes):,}",
        "size": format_bytes(sum(sizes)),
        "shard_size": _from_to(sizes),
    }


def _from_to(sizes: Sequence[int]) -> str:
    smallest, largest = format_bytes(min(sizes, default=0)), format_bytes(max(sizes, default=0))
    return smallest if smallest == largest else f"{smallest} to {largest}"


def _notes(
    source: DatasetSource, splits: Sequence[SplitStatistics], counts: Mapping[str, ClassCounts]
) -> Iterator[str]:
    for split in splits:
        if len(split.positions) < split.examples:
            exact = "; the counts by class are of all" if source.manifest else ""
            yield f"Of {split.name} {len(split.positions):,} examples were looked at, chosen at random{exact}."
        # The manifest counts masks before they are resized.
        elif lost := len(split.members[NO_DEFECT]) - counts[split.name].by_name[NO_DEFECT]:
            yield f"{split.name}: {lost:,} with a defect that is too small to be seen at the size of the examples."
    if source.manifest:
        rows = source.manifest["rows"]
        filtered = [f"{count:,} filtered ({reason})" for reason, count in rows["filtered"].items() if count]
        parts = [f"{rows['in_examples']:,} in examples", *filtered, f"{rows['rejected']:,} rejected"]
        yield f"Of {rows['read']:,} rows: {', '.join(parts)}."
        for what, count in source.manifest.get("notes", {}).items():
            yield f"{what[0].upper()}{what[1:]}: {count:,}."
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
    """Chooses split, index and class of the samples: from each class in turn, each example once."""
    random = np.random.default_rng(seed)
    names = names_of(split.members for split in splits)
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
    seconds = seconds_of(run)
    states: Counter[str] = Counter()
    for split in run["shards"].values():
        states.update(split)
    whole = states["written"] == sum(states.values())
    speed = f"{sum(run['examples'].values()) / seconds:,.0f}" if whole and seconds else ""
    return {
        "finished": datetime.datetime.fromisoformat(run["finished"]).strftime("%Y-%m-%d %H:%M %Z"),
        "seconds": f"{seconds:,.1f}",
        "runner": run["runner"],
        "version": run["version"],
        **{state: f"{states[state]:,}" for state in ("written", "kept", "reused")},
        "speed": speed,
    }
