"""Checks structure and counts of a dataset of create_hdf5_files.py, which has no manifest."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from maskmill.completeness import find_strays
from maskmill.names import DATA_PARAMS, EVAL, TRAIN, meta_file, parse_meta_line, shard_path, split_of
from maskmill.pipeline.dataset.list_files import list_split_sizes
from maskmill.pipeline.verify.findings import Findings
from maskmill.transforms.files.checksums import open_hashed
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool
from maskmill.transforms.parallel.progress import Progress
from maskmill.transforms.shards.check_shard import ArrayForm, check_shard, first_arrays

SPLITS = (TRAIN, EVAL)


class _Shard(NamedTuple):
    """A line of a meta file: path in the dataset, and number of examples."""

    path: str
    examples: int


def splits_of_original(root: str, names: Collection[str]) -> tuple[str, ...]:
    """Returns the splits of a dataset without a manifest; none if there is no such dataset.

    Args:
        root: folder of the dataset.
        names: names of the files in it.
    """
    sizes, _ = list_split_sizes(root, SPLITS)
    folders = {split_of(path) for path in sizes if path.endswith(".h5")}
    return tuple(split for split in SPLITS if split in folders or meta_file(split) in names)


def check_original(root: str, splits: Sequence[str], *, quick: bool, workers: int, progress: Progress) -> Findings:
    """Checks what can be checked without checksums.

    Args:
        root: folder of the dataset.
        splits: result of `splits_of_original`.
        quick: checks only which files there are.
        workers: number of threads.
        progress: counts the bytes that are read.
    """
    sizes, problems = list_split_sizes(root, splits)
    shards: list[_Shard] = []
    for split in splits:
        listed = _read_meta(root, split, problems)
        shards += listed
        present = [path for path in sizes if path.startswith(f"{split}/")]
        strays = find_strays(present, {shard.path for shard in listed})
        problems += [f"{path}: {meta_file(split)} does not list it" for path in strays]
    problems += [f"{shard.path}: is missing" for shard in shards if shard.path not in sizes]
    shards = [shard for shard in shards if shard.path in sizes]
    if not quick:
        problems += _check_counts(root, splits, shards)
        progress.expect(sum(sizes[shard.path] for shard in shards))
        problems += _check_shards(root, shards, workers, progress)
    examples, size = sum(shard.examples for shard in shards), sum(sizes[shard.path] for shard in shards)
    return Findings(tuple(problems), examples, len(shards), size, has_manifest=False, quick=quick)


def _read_meta(root: str, split: str, problems: list[str]) -> list[_Shard]:
    name = meta_file(split)
    try:
        lines = read_bytes(join(root, name)).decode().splitlines()
    except FileNotFoundError:
        problems.append(f"{name}: is missing")
        return []
    except (OSError, ValueError) as error:
        problems.append(f"{name}: cannot be read ({error})")
        return []
    entries = [parse_meta_line(line) for line in lines]
    wrong = [number for number, entry in enumerate(entries, start=1) if entry is None]
    problems += [f"{name}: line {number} is not a path and a number of examples" for number in wrong]
    return [_Shard(shard_path(split, file), examples) for file, examples in filter(None, entries)]


def _check_counts(root: str, splits: Sequence[str], shards: Sequence[_Shard]) -> Iterator[str]:
    try:
        content = json.loads(read_bytes(join(root, DATA_PARAMS)))
        for split in splits:
            written = content[f"{split}_hdf"]["total_written"]
            listed = sum(shard.examples for shard in shards if shard.path.startswith(f"{split}/"))
            if written != listed:
                yield f"{DATA_PARAMS}: {split}_hdf.total_written is {written}, and the shards have {listed} examples"
    except FileNotFoundError:
        yield f"{DATA_PARAMS}: is missing"
    except OSError as error:
        yield f"{DATA_PARAMS}: cannot be read ({error})"
    except (ValueError, KeyError, TypeError):
        yield f"{DATA_PARAMS}: does not say how many examples were written"


def _check_shards(root: str, shards: Sequence[_Shard], workers: int, progress: Progress) -> Iterator[str]:
    def check(shard: _Shard) -> tuple[Mapping[str, ArrayForm] | None, list[str]]:
        try:
            with open_hashed(join(root, shard.path), progress.add) as hashed:
                # There is no checksum, and HDF5 may crash on a damaged file: that cannot be helped here.
                arrays = first_arrays(hashed.file, shard.examples)
                return arrays, check_shard(hashed.file, shard.examples, arrays)
        except OSError as error:
            return None, [f"cannot be read ({error})"]

    first: dict[str, tuple[str, Mapping[str, ArrayForm]]] = {}
    results = map_ahead(check, shards, shared_pool(workers), 2 * workers)
    for shard, (arrays, problems) in zip(shards, results, strict=True):
        yield from (f"{shard.path}: {problem}" for problem in problems)
        if arrays is not None:
            path, expected = first.setdefault(split_of(shard.path), (shard.path, arrays))
            if arrays != expected:
                yield f"{shard.path}: holds {_shown(arrays)}, but {path} holds {_shown(expected)}"


def _shown(arrays: Mapping[str, ArrayForm]) -> str:
    return ", ".join(f"{name} {form}" for name, form in arrays.items())
