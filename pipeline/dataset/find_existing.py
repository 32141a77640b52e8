"""Looks at an output folder before a run: shards of maskmill that may be kept, and foreign files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from maskmill.history import is_sealed
from maskmill.manifest import unseal
from maskmill.names import (
    HISTORY,
    MANIFEST,
    is_shard_path,
    parse_meta_file,
    parse_meta_line,
    parse_shard_name,
    shard_path,
    split_of,
    staged_path,
    staging_folder,
)
from maskmill.pipeline.dataset.journal import Journal, parse_shards, read_journal
from maskmill.pipeline.dataset.list_files import list_sizes
from maskmill.pipeline.errors import UsageError
from maskmill.transforms.files.find_files import list_folder_if_there
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes, read_bytes_if_there
from maskmill.transforms.shards.records import StoredShard
from maskmill.transforms.shards.staging import list_staged

_CHANGED = f"{MANIFEST} was changed after it was written; every shard is written again"


class Existing(NamedTuple):
    """What is in an output folder.

    Attributes:
        manifest: content of manifest.json; None if there is none, or it cannot be trusted.
        ours: paths of shards that a manifest lists, or that an interrupted publishing may have left.
        foreign: paths of other HDF5 files in the folders of the splits, sorted.
        shards: the whole shards among `ours`, by path.
        complete: whether each file of the manifest is there with the right size.
        warnings: for the person who started the run.
        version: of the dataset; see `version_of`.
    """

    manifest: Mapping[str, Any] | None
    ours: frozenset[str]
    foreign: tuple[str, ...]
    shards: Mapping[str, StoredShard]
    complete: bool = False
    warnings: tuple[str, ...] = ()
    version: str = ""


def find_existing(root: str, splits: Iterable[str]) -> Existing:
    """Looks at an output folder, without opening a shard.

    Args:
        root: the folder; it need not exist.
        splits: names of the splits that will be written.

    Raises:
        UsageError: there is a manifest.json that maskmill did not write, or nothing tells that it did.
        OSError: the folder cannot be read.
    """
    text = read_bytes_if_there(join(root, MANIFEST))
    content = _parse_manifest(text)
    trusted = content is not None and _is_sealed(text)
    damaged = text is not None and not trusted
    journal = read_journal(root) or Journal(())
    listed = parse_shards((shard["file"], shard) for shard in shards_of(content)) if content else {}
    named = _named_beside(root) if damaged else frozenset()
    if damaged and content is None and not named:
        advice = "if it is a damaged one, remove it and add --overwrite; else choose another --output_dir"
        raise UsageError(f"{join(root, MANIFEST)} is not of a dataset of maskmill; {advice}")
    ours = frozenset(listed).union(named, journal.files)
    present = dict(_hdf5_files(root, {*splits, *(split_of(path) for path in ours)}))
    known = listed if trusted else {}
    if text is None:
        known = dict(_published_before_the_end(root, journal))
    shards = {path: stored for path, stored in known.items() if present.get(path) == stored.bytes}
    foreign = tuple(sorted(path for path in present if path not in ours))
    if content is None or not trusted:
        return Existing(None, ours, foreign, shards, warnings=(_CHANGED,) if damaged else (), version=version_of(text))
    complete = len(shards) == len(listed) and _has_files(root, content["files"])
    return Existing(content, ours, foreign, shards, complete, version=version_of(text))


def _named_beside(root: str) -> frozenset[str]:
    """Paths of the shards in the files meta_<split>.dat, if the history proves that maskmill has published here."""
    if not is_sealed(read_bytes_if_there(join(root, HISTORY)) or b""):
        return frozenset()
    return frozenset(path for name in list_sizes(root) for path in _named_in(root, name))


def _named_in(root: str, name: str) -> Iterator[str]:
    if (split := parse_meta_file(name)) is not None:
        lines = read_bytes(join(root, name)).decode(errors="replace").splitlines()
        paths = [shard_path(split, parsed[0]) for parsed in map(parse_meta_line, lines) if parsed]
        yield from filter(is_shard_path, paths)


def version_of(manifest: bytes | None) -> str:
    """Identifies a dataset among those that replace each other in a folder: sha256 of manifest.json, or ""."""
    return hashlib.sha256(manifest).hexdigest() if manifest is not None else ""


def _has_files(root: str, files: Mapping[str, Mapping[str, Any]]) -> bool:
    sizes = list_sizes(root)
    return all(sizes.get(name) == entry["bytes"] for name, entry in files.items())


def shards_of(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yields the entries of all shards of a manifest."""
    for split in manifest["splits"].values():
        yield from split["shards"]


def _parse_manifest(text: bytes | None) -> dict[str, Any] | None:
    """Returns the content of a manifest, changed or not; None if it is not that of one."""
    try:
        content = json.loads(text or b"")
        parse_shards((shard["file"], shard) for shard in shards_of(content))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return dict(content)


def _is_sealed(text: bytes | None) -> bool:
    """Whether a manifest is unchanged since it was written."""
    try:
        return bool(unseal(text or b""))
    except ValueError:
        return False


def _published_before_the_end(root: str, journal: Journal) -> Iterator[tuple[str, StoredShard]]:
    """Yields the shards that an interrupted publishing had moved into place: those that are no longer staged."""
    if journal.shards:
        splits = {split_of(path) for path in journal.shards}
        still_staged = list_staged(join(root, staging_folder(journal.key)), splits)
        for path, stored in journal.shards.items():
            if staged_path(path, stored.fingerprint) not in still_staged:
                yield path, stored


def _hdf5_files(root: str, splits: Iterable[str]) -> Iterator[tuple[str, int]]:
    for split in splits:
        for info in list_folder_if_there(join(root, split)):
            if info.name.endswith((".h5", ".hdf5")):
                yield f"{split}/{info.name}", info.size


def of_naming(paths: Iterable[str], name: str) -> list[str]:
    """Selects the paths whose file names have the form `<name>-<i>_p<j>.h5`."""
    parsed = ((path, parse_shard_name(path)) for path in paths)
    return [path for path, found in parsed if found is not None and found.name == name]
