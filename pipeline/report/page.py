"""Writes the page of a report: words, tables and pictures, put into page.html."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from maskmill.history import seconds_of
from maskmill.pipeline.messages.quantities import count, format_bytes
from maskmill.pipeline.messages.summary import describe_overlaps
from maskmill.pipeline.report.charts import Chart
from maskmill.pipeline.report.class_counts import NO_DEFECT, ClassCounts, names_of
from maskmill.pipeline.report.class_tables import class_rows, together_rows
from maskmill.pipeline.report.colours import class_colour, hex_colour
from maskmill.pipeline.report.compare_splits import SIGNIFICANCE, Difference, find_differences
from maskmill.pipeline.report.near_duplicates import MOST_PAIRS, NearDuplicates, Place
from maskmill.pipeline.report.samples import draw_samples
from maskmill.pipeline.report.source import DatasetSource
from maskmill.pipeline.report.statistics import SplitStatistics
from maskmill.transforms.text import printable

_REJECTED_EXAMPLES = 3
_RUNS = 10
_CHOICE = ", in turn of each class and of those without a defect; the mask is drawn over the image"
# Near-duplicates, and images of a single grey, that are listed.
_PAIRS = 50


def page_of(
    source: DatasetSource,
    splits: Sequence[SplitStatistics],
    counts: Mapping[str, ClassCounts],
    charts: Mapping[str, Chart],
    duplicates: NearDuplicates,
    seed: int,
) -> str:
    """Writes the whole page.

    Args:
        source: metadata of the dataset.
        splits: statistics of its examples.
        counts: number of examples by class, by split.
        charts: by title.
        duplicates: examples that look the same.
        seed: of the choice of samples.
    """
    import jinja2  # optional

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    columns = names_of(split.by_name for split in counts.values())
    of_crops = any(split.dataset.of_crops for split in splits)
    # Crops of an image are alike: chance makes their shares differ by more than those of independent examples.
    differences = [] if of_crops else _differences(counts)
    page: str = template.render(
        title=f"The dataset {source.directory}",
        subtitle=_subtitle(source, splits),
        warnings=[*map(_describe_difference, differences), *_warnings(source)],
        columns=columns,
        splits=[_split_row(source, split, counts[split.name], columns) for split in splits],
        comparison="" if of_crops else _comparison(counts, differences),
        notes=list(_notes(source, splits, counts)),
        classes=class_rows(splits, list(source.numbers)),
        together=list(together_rows(splits)),
        colours={name: hex_colour(class_colour(number)) for name, number in source.numbers.items()},
        charts=charts,
        samples_note=f"Chosen at random with the seed {seed}{_CHOICE if source.labelled else ''}.",
        samples=list(draw_samples(splits, source.classes, source.numbers, seed)),
        duplicates=_near_duplicates(duplicates, labelled=source.labelled),
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
    labels = f"labels for the loss {source.params['model']['loss']}" if source.labelled else "without labels"
    kind = "crops" if any(split.dataset.of_crops for split in splits) else "examples"
    examples = f"{sum(source.examples.values()):,} {kind} of {height} × {width} pixels"
    folders = dict.fromkeys(str(source.params[split].get("data_dir", "")) for split in source.examples)
    made = f"made by {by} from the folder {' and '.join(folders)}" if any(folders) else f"made by {by}"
    return f"{examples}, {labels}, {total}, {made}."


def _comparable(counts: Mapping[str, ClassCounts]) -> dict[str, ClassCounts]:
    """Returns the counts of the splits that have the classes of the first one, and examples."""
    first = next(iter(counts.values()))
    return {split: found for split, found in counts.items() if set(found.by_name) == set(first.by_name) and found.total}


def _differences(counts: Mapping[str, ClassCounts]) -> list[Difference]:
    same = _comparable(counts)
    by_name = {split: found.by_name for split, found in same.items()}
    return find_differences(by_name, {split: found.total for split, found in same.items()})


def _describe_difference(found: Difference) -> str:
    return (
        f"{found.split} differs from the rest by more than chance: {found.name} in {found.share:.1%} of its "
        f"examples and in {found.other_share:.1%} of the others (probability {found.probability:.1g}); "
        "assignment: stratified would even it out."
    )


def _comparison(counts: Mapping[str, ClassCounts], differences: Sequence[Difference]) -> str:
    """Says that splits do not differ, where that is so; "" otherwise."""
    same = _comparable(counts)
    if (
        differences
        or len(same) < 2
        or not any(found.by_name for found in same.values())
        or len(same) < sum(bool(found.total) for found in counts.values())
    ):
        return ""
    return (
        "The splits do not differ by more than chance in their shares of each class (chi-square tests; a false warning "
        f"has a probability of at most {SIGNIFICANCE:.0%})."
    )


def _warnings(source: DatasetSource) -> Iterator[str]:
    if source.manifest and (shared := source.manifest.get("shared_images")):
        yield f"{shared:,} image{'s are' if shared > 1 else ' is'} in more than one split."
    for split, examples in source.examples.items():
        if not examples:
            yield f"{split} has no examples."


def _split_row(
    source: DatasetSource, split: SplitStatistics, counts: ClassCounts, columns: Sequence[str]
) -> dict[str, Any]:
    cells = [
        f"{counts.by_name[name]:,} ({counts.share(name):.1%})" if name in counts.by_name else "" for name in columns
    ]
    sizes = source.shard_bytes[split.name]
    return {
        "name": split.name,
        "examples": f"{split.examples:,}",
        "cells": cells,
        "shards": f"{len(sizes):,}",
        "size": format_bytes(sum(sizes)),
        "shard_size": _from_to(sizes),
        "mean": _by_channel(split.pixels.mean) if split.pixels else "",
        "std": _by_channel(split.pixels.std) if split.pixels else "",
    }


def _by_channel(number: float | NDArray[np.float64]) -> str:
    return ", ".join(f"{one:.2f}" for one in np.atleast_1d(number).tolist())


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
        elif source.labelled and (lost := len(split.members[NO_DEFECT]) - counts[split.name].by_name[NO_DEFECT]):
            yield f"{split.name}: {lost:,} with a defect that is too small to be seen at the size of the examples."
    if source.manifest:
        if source.labelled:
            yield _rows_note(source.manifest["rows"])
        for what, count in source.manifest.get("notes", {}).items():
            yield f"{what[0].upper()}{what[1:]}: {count:,}."
        for name, split_entry in source.manifest["splits"].items():
            overlaps = split_entry.get("overlaps") or {"pixels": 0}
            if overlaps["pixels"]:
                yield f"{describe_overlaps(name, overlaps)}."


def _rows_note(rows: Mapping[str, Any]) -> str:
    filtered = [f"{count:,} filtered ({reason})" for reason, count in rows["filtered"].items() if count]
    parts = [f"{rows['in_examples']:,} in examples", *filtered, f"{rows['rejected']:,} rejected"]
    return f"Of {rows['read']:,} rows: {', '.join(parts)}."


def _near_duplicates(found: NearDuplicates, *, labelled: bool) -> dict[str, Any]:
    between = sum(pair.between_splits for pair in found.pairs)
    differ = sum(not pair.same_masks for pair in found.pairs)
    return {
        "pairs": [
            {
                "images": [_image(pair.first), _image(pair.second)],
                "splits": [pair.first.split, pair.second.split],
                "bits": pair.bits,
                "masks": ("equal" if pair.same_masks else "differ") if labelled else "none",
            }
            for pair in found.pairs[:_PAIRS]
        ],
        "words": list(_describe_near_duplicates(found, between, differ)),
    }


def _describe_near_duplicates(found: NearDuplicates, between: int, differ: int) -> Iterator[str]:
    if found.pairs:
        masks = f"; the masks of {differ:,} of them differ" if differ else ""
        pairs = f"{count(len(found.pairs), 'pair')} of examples {'looks' if len(found.pairs) == 1 else 'look'} the same"
        yield f"{pairs}, {between:,} of them in different splits{masks}."
    else:
        yield "No two examples look the same."
    if len(found.pairs) > _PAIRS:
        yield f"The first {_PAIRS} are listed."
    if found.flat:
        first = ", ".join(map(_image, found.flat[:_PAIRS]))
        more = f" and {len(found.flat) - _PAIRS:,} more" if len(found.flat) > _PAIRS else ""
        verb = "shows a single grey and is" if len(found.flat) == 1 else "show a single grey and are"
        yield f"{count(len(found.flat), 'example')} {verb} not compared: {first}{more}."
    if not found.compared_all:
        yield f"Only {MOST_PAIRS:,} pairs of examples with similar hashes were compared: there are too many."


def _image(place: Place) -> str:
    return f"{printable(place.image_id)} ({place.position})" if place.image_id else str(place.position)


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
