"""Finds the shards that a dataset lists, and checks that they are all there.

manifest.json lists them, which maskmill writes last; in a dataset of create_hdf5_files.py meta_<split>.dat does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from maskmill.completeness import check_sizes
from maskmill.errors import DatasetError
from maskmill.folder import Folder
from maskmill.format_version import highest_format
from maskmill.manifest import check_sums, unseal
from maskmill.names import (
    EVAL,
    GROUPS,
    MANIFEST,
    REJECTED,
    STAGING,
    TRAIN,
    meta_file,
    parse_meta_file,
    parse_meta_line,
    parse_shard_name,
    shard_path,
)

_ONLY_OURS = {REJECTED, STAGING}


class Shard(NamedTuple):
    """A shard as its dataset lists it.

    Attributes:
        path: in the dataset.
        examples: number of examples.
        bytes: size of the file; None if the dataset does not say.
        sha256: of the file, in hexadecimal digits; None if the dataset does not say.
        layout: of the file, as the dataset says; the file itself shows it, too.
        images: number of images in it, if their crops are its examples; None if an example is an image.
        labelled: whether its examples have labels.
    """

    path: str
    examples: int
    bytes: int | None
    sha256: str | None = None
    layout: str = GROUPS
    images: int | None = None
    labelled: bool = True

    @property
    def place(self) -> tuple[int, int]:
        """Index of its range of positions, and its own index in the split, as its name says."""
        parsed = parse_shard_name(self.path)
        return (parsed.range, parsed.number) if parsed else (0, 0)


class Split(NamedTuple):
    """A split as its dataset lists it.

    Attributes:
        shards: in the order of their indices.
        class_names: names of the classes that its labels distinguish, in the order of the areas, or that a model is to
            find if it has no labels; empty if the dataset does not say.
    """

    shards: list[Shard]
    class_names: tuple[str, ...]


class _Catalog(NamedTuple):
    """What a dataset lists.

    Attributes:
        splits: shards of each split.
        files: size in bytes of every listed file, by path in the dataset; None if the dataset does not say.
        where: file that lists them, for messages.
        folders: folders in the dataset that hold shards.
        problems: contradictions in the listing, one message each.
        class_names: names of the classes that labels distinguish, by split.
    """

    splits: Mapping[str, list[Shard]]
    files: Mapping[str, int | None]
    where: str
    folders: Collection[str]
    problems: tuple[str, ...] = ()
    class_names: Mapping[str, tuple[str, ...]] = {}


def find_split(folder: Folder, path: str, split: str) -> Split:
    """Finds the shards of a split.

    Args:
        folder: folder of the dataset.
        path: its path, for messages.
        split: name of the split.

    Raises:
        DatasetError: there is no such dataset or split, or it is not whole.
    """
    [found] = find_several(folder, path, [split])
    return found


def find_several(folder: Folder, path: str, names: Iterable[str]) -> list[Split]:
    """Finds the shards of several splits, in the order of their names; arguments and errors are as in `find_split`."""
    names = list(names)
    beside = folder.list("")
    catalog = _read_catalog(folder, path, beside)
    for name in names:
        if name not in catalog.splits:
            raise DatasetError(f"{path}: has no split {name}; it has {', '.join(catalog.splits) or 'none'}")
    problems = [*catalog.problems, *check_sizes(catalog.files, _sizes(folder, beside, catalog.folders), catalog.where)]
    if problems:
        more = f", and {len(problems) - 1} more like that" if len(problems) > 1 else ""
        raise DatasetError(f"{path}/{problems[0]}{more}; copy the dataset again, or make it again")
    return [
        Split(sorted(catalog.splits[name], key=lambda shard: shard.place), catalog.class_names.get(name, ()))
        for name in names
    ]


def find_splits(folder: Folder, path: str) -> Mapping[str, list[Shard]]:
    """Finds the splits that a dataset lists, with their shards.

    Args:
        folder: folder of the dataset.
        path: its path, for messages.

    Raises:
        DatasetError: there is no such dataset, or its listing cannot be read.
    """
    return _read_catalog(folder, path, folder.list("")).splits


def _sizes(folder: Folder, beside: Mapping[str, int | None], folders: Collection[str]) -> dict[str, int]:
    """Sizes of the files in a dataset: those `beside` its shards' folders, and those in them, by path."""
    found = {f"{name}/{file}": size for name in folders for file, size in folder.list(name).items()}
    return {path: size for path, size in {**beside, **found}.items() if size is not None}


def _read_catalog(folder: Folder, path: str, beside: Collection[str]) -> _Catalog:
    return _of_manifest(folder, path) if MANIFEST in beside else _of_original(folder, path, beside)


def _of_manifest(folder: Folder, path: str) -> _Catalog:
    try:
        manifest = unseal(folder.read(MANIFEST))
        version = manifest["format_version"]
        if version > highest_format():
            known = f"and this maskmill knows none above {highest_format()}; install a later one"
            raise DatasetError(f"{path}/{MANIFEST} is of format version {version}, {known}")
        layout = manifest.get("layout", GROUPS)
        splits = {split: list(_shards_of(entry, layout)) for split, entry in manifest["splits"].items()}
        files = {name: entry["bytes"] for name, entry in manifest["files"].items()}
        files |= {shard.path: shard.bytes for shards in splits.values() for shard in shards}
        names = {
            split: tuple(entry.get("class_names") or (entry.get("statistics") or {}).get("pixel_share", ()))
            for split, entry in manifest["splits"].items()
        }
        return _Catalog(splits, files, MANIFEST, splits, tuple(check_sums(manifest)), names)
    except FileNotFoundError as error:
        raise DatasetError(f"{path}: a run is replacing the dataset; wait until it ends") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}/{MANIFEST} is damaged ({error}); copy the dataset again, or make it again"
        ) from error


def _shards_of(split: Mapping[str, Any], layout: str) -> Iterator[Shard]:
    labelled = split.get("labels", True)
    for entry in split["shards"]:
        yield Shard(
            entry["file"],
            entry["examples"],
            entry["bytes"],
            entry.get("sha256"),
            layout=layout,
            images=entry.get("images"),
            labelled=labelled,
        )


def _of_original(folder: Folder, path: str, names: Collection[str]) -> _Catalog:
    if not _ONLY_OURS.isdisjoint(names):
        unfinished = f"{path} has no {MANIFEST}, which maskmill writes last: a run is still at work, or was interrupted"
        raise DatasetError(f"{unfinished}; wait until it ends, or run the same maskmill create again")
    splits = list(filter(None, map(parse_meta_file, names)))
    if not splits:
        raise DatasetError(f"no dataset in {path}; name the folder in which {MANIFEST} or {meta_file(TRAIN)} lies")
    shards = {split: _read_meta(folder, path, split) for split in splits}
    files = {shard.path: shard.bytes for of_split in shards.values() for shard in of_split}
    # A folder of one of these names without a list of shards is a damaged split, not a foreign folder.
    return _Catalog(shards, files, meta_file("*"), {TRAIN, EVAL, *splits})


def _read_meta(folder: Folder, path: str, split: str) -> list[Shard]:
    name = meta_file(split)
    lines = folder.read(name).decode("utf-8", "replace").splitlines()
    entries = [parse_meta_line(line) for line in lines]
    if None in entries:
        number = entries.index(None) + 1
        problem = f"line {number} is not a path and a number of examples"
        raise DatasetError(f"{path}/{name}: {problem}; make the dataset again")
    return [Shard(shard_path(split, file), examples, None) for file, examples in filter(None, entries)]
