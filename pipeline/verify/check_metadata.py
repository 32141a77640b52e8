"""Compares the files beside the shards with each other."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maskmill.example_list import read_example_list
from maskmill.names import CROISSANT, DATA_PARAMS, EXAMPLES, MANIFEST, meta_file
from maskmill.pipeline.dataset.croissant import all_files, listed_files


def check_meta(text: bytes, split: str, shards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Checks the list of a split's shards, whose lines begin with the output folder as it was given.

    Args:
        text: content of the file.
        split: name of the split.
        shards: entries of the split in the manifest.

    Yields:
        one message for each problem.
    """
    ends = [f"{shard['file']} {shard['examples']}\n".encode() for shard in shards]
    # The dataset may have been moved since: the folder is whatever the first line begins with.
    folder = text.partition(ends[0])[0] if ends else b""
    if text == b"".join(folder + end for end in ends):
        return
    wrong = list(_compare_lines(text.splitlines(keepends=True), ends)) or ["names different folders"]
    yield from (f"{meta_file(split)}: {problem}" for problem in wrong)


def _compare_lines(lines: Sequence[bytes], ends: Sequence[bytes]) -> Iterator[str]:
    for number, (line, end) in enumerate(itertools.zip_longest(lines, ends, fillvalue=b""), start=1):
        if not end:
            yield f"line {number} is one too many"
        elif not line:
            yield f"line {number} is missing"
        elif not line.endswith(b"/" + end):
            yield f"line {number} is {_shown(line)}, and should end with {_shown(end)}"


def _shown(line: bytes) -> str:
    return line.decode(errors="backslashreplace").rstrip("\n")


def check_example_list(text: bytes, shards: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Checks that examples.csv lists the examples of every shard, in order.

    Args:
        text: content of the file.
        shards: entries of all splits in the manifest.

    Yields:
        one message for each problem.
    """
    try:
        places = [(one.shard, one.example) for one in read_example_list(text)]
    except ValueError as error:
        yield f"{EXAMPLES}: is no list of examples ({error})"
        return
    if places != [(shard["file"], example) for shard in shards for example in range(shard["examples"])]:
        yield f"{EXAMPLES}: does not list the examples of the shards, in order"


def check_croissant(text: bytes, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Checks that croissant.json lists the files of the dataset, with their checksums.

    Args:
        text: content of the file.
        manifest: content of manifest.json.

    Yields:
        one message for each problem.
    """
    beside = {name: entry for name, entry in manifest["files"].items() if name != CROISSANT}
    try:
        same = listed_files(json.loads(text)) == list(all_files(manifest["splits"], beside))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{CROISSANT}: does not describe a dataset ({type(error).__name__}: {error})"
        return
    if not same:
        yield f"{CROISSANT}: does not list the files in {MANIFEST}, with their sizes and checksums"


def check_written(data_params: Mapping[str, Any], split: str, examples: int, positions: int) -> Iterator[str]:
    """Checks the numbers of a split in data_params.json.

    Args:
        data_params: content of the file.
        split: name of the split.
        examples: number of examples in the split's shards.
        positions: number of examples, and of those rejected when their shard was written.

    Yields:
        one message for each problem.

    Raises:
        KeyError, TypeError, AttributeError: a number is missing.
    """
    entry = data_params[f"{split}_hdf"]
    name = f"{DATA_PARAMS}: {split}_hdf"
    if entry["total_written"] != examples:
        yield f"{name}.total_written is {entry['total_written']}, and the shards have {examples} examples"
    if entry["n_docs"] != positions:
        yield f"{name}.n_docs is {entry['n_docs']}, and the split has {positions} positions"
    if not _is_cut_in_ranges(entry["dataset_range"], positions):
        yield f"{name}.dataset_range does not cut {positions} positions into consecutive ranges"


def _is_cut_in_ranges(ranges: Mapping[str, Sequence[int]], positions: int) -> bool:
    """Whether {"0": [first, last], "1": …} cover all positions in order; an empty range is []."""
    if set(ranges) != {str(index) for index in range(len(ranges))}:
        return False
    taken = 0
    for index in range(len(ranges)):
        bounds = ranges[str(index)]
        if bounds and (len(bounds) != 2 or bounds[0] != taken or bounds[1] < taken):
            return False
        taken = bounds[1] + 1 if bounds else taken
    return taken == positions
