"""Which shards a dataset has, by what it says of itself, and whether they are all there.

Beside the shards lies manifest.json, which steelbeam writes last, or, in a dataset of create_hdf5_files.py, for each
split a list of its shards, meta_<split>.dat.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from steelbeam.errors import DatasetError
from steelbeam.folder import Folder

MANIFEST = "manifest.json"
# Format versions of manifest.json that are known here.
VERSIONS = (1, 2, 3)
_ONLY_OURS = {"rejected.jsonl", ".staging"}
_META_LINE = re.compile(r"(?:.*[/\\])?(?P<file>[^/\\]+) (?P<examples>\d+)")
_META_NAME = re.compile(r"meta_(?P<split>.+)\.dat")
_RANGE = re.compile(r".*-(?P<number>\d+)_p(?P<range>\d+)\.h5", re.DOTALL)


class Shard(NamedTuple):
    """A shard's file.

    Attributes:
        path: in the dataset.
        examples: in it.
        bytes: its size; None where nothing says it.
    """

    path: str
    examples: int
    bytes: int | None

    @property
    def place(self) -> tuple[int, int]:
        """Number of the range of positions that it is of, and its own number; both stand in its name."""
        match = _RANGE.fullmatch(self.path)
        return (int(match["range"]), int(match["number"])) if match else (0, 0)


def find_shards(folder: Folder, path: str, split: str) -> list[Shard]:
    """The shards of a split, ordered by their numbers.

    Args:
        folder: of the dataset.
        path: of it, for messages.
        split: its name.

    Raises:
        DatasetError: there is no such dataset or split, or it is not whole.
    """
    splits = find_splits(folder, path)
    if split not in splits:
        raise DatasetError(f"{path}: has no split {split}; it has {', '.join(splits) or 'none'}")
    shards = sorted(splits[split], key=lambda shard: shard.place)
    problems = list(_compare(shards, folder.list(split)))
    if problems:
        more = f", and {len(problems) - 1} more like that" if len(problems) > 1 else ""
        raise DatasetError(f"{path}: {problems[0]}{more}; copy the dataset again, or make it again")
    return shards


def find_splits(folder: Folder, path: str) -> dict[str, list[Shard]]:
    """The splits of a dataset with their shards, as it says itself.

    Args:
        folder: of the dataset.
        path: of it, for messages.

    Raises:
        DatasetError: there is no such dataset, or it does not say.
    """
    names = folder.list("")
    return _of_manifest(folder, path) if MANIFEST in names else _of_original(folder, path, names)


def _of_manifest(folder: Folder, path: str) -> dict[str, list[Shard]]:
    try:
        manifest = json.loads(folder.read(MANIFEST))
        version = manifest["format_version"]
        if version > VERSIONS[-1]:
            known = f"and this steelbeam knows none above {VERSIONS[-1]}; install a later one"
            raise DatasetError(f"{path}/{MANIFEST} is of format version {version}, {known}")
        return {split: list(map(_shard_of, entry["shards"])) for split, entry in manifest["splits"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}/{MANIFEST} is damaged ({error}); copy the dataset again, or make it again"
        ) from error


def _shard_of(entry: Mapping[str, Any]) -> Shard:
    return Shard(entry["file"], entry["examples"], entry["bytes"])


def _of_original(folder: Folder, path: str, names: Collection[str]) -> dict[str, list[Shard]]:
    if not _ONLY_OURS.isdisjoint(names):
        unfinished = f"{path} has no {MANIFEST}, which steelbeam writes last: a run is still going on, or was cut off"
        raise DatasetError(f"{unfinished}; wait for its end, or run the same steelbeam create again")
    splits = {match["split"]: name for name in names if (match := _META_NAME.fullmatch(name))}
    if not splits:
        raise DatasetError(f"no dataset in {path}; name the folder in which {MANIFEST} or meta_train_input.dat lies")
    return {split: _read_meta(folder, f"{path}/{name}", split, name) for split, name in splits.items()}


def _read_meta(folder: Folder, path: str, split: str, name: str) -> list[Shard]:
    lines = folder.read(name).decode("utf-8", "replace").splitlines()
    matches = [_META_LINE.fullmatch(line) for line in lines]
    if None in matches:
        number = matches.index(None) + 1
        raise DatasetError(f"{path}: line {number} is not a path and a number of examples; make the dataset again")
    # The folder that a line names may be that of another machine.
    return [Shard(f"{split}/{match['file']}", int(match["examples"]), None) for match in matches if match]


def _compare(shards: Sequence[Shard], found: Mapping[str, int | None]) -> Iterator[str]:
    for shard in shards:
        size = found.get(shard.path.rpartition("/")[2])
        if size is None:
            yield f"{shard.path} is missing"
        elif shard.bytes is not None and size != shard.bytes:
            yield f"{shard.path} has {size:,} bytes instead of {shard.bytes:,}"
