"""Checks the contents of the files that a manifest lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from maskmill.measures import FIRST_FORMAT
from maskmill.names import CROISSANT, DATA_PARAMS, EXAMPLES, MANIFEST, meta_file
from maskmill.pipeline.dataset.split_statistics import split_statistics
from maskmill.pipeline.job.example_format import example_format
from maskmill.pipeline.verify.check_metadata import check_croissant, check_example_list, check_meta, check_written
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.files.checksums import open_hashed
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool
from maskmill.transforms.parallel.progress import Progress
from maskmill.transforms.shards.check_shard import Sums, arrays_of, check_shard
from maskmill.transforms.shards.records import StoredShard

_AHEAD_PER_WORKER = 2


class ListedFile(NamedTuple):
    """A file that the manifest lists.

    Attributes:
        path: in the dataset.
        bytes: size of the file.
        sha256: hexadecimal.
        split: split of a shard; None for another file.
        examples: number of examples of a shard.
        sums: what the manifest says of all examples of a shard; None if its format says nothing.
    """

    path: str
    bytes: int
    sha256: str
    split: str | None = None
    examples: int = 0
    sums: Sums | None = None


def listed_files(manifest: Mapping[str, Any]) -> list[ListedFile]:
    """Returns all files of a manifest: first those beside the shards, then the shards.

    Raises:
        KeyError, TypeError, AttributeError: the content is not that of a manifest.
    """
    beside = [ListedFile(name, entry["bytes"], entry["sha256"]) for name, entry in manifest["files"].items()]
    measured = manifest["format_version"] >= FIRST_FORMAT
    return beside + [
        ListedFile(
            *(shard["file"], shard["bytes"], shard["sha256"], split, shard["examples"]),
            sums=_sums_of(shard) if measured else None,
        )
        for split, entry in manifest["splits"].items()
        for shard in entry["shards"]
    ]


def _sums_of(shard: Mapping[str, Any]) -> Sums:
    valid_pixels = [shard["valid_pixels"]] if "valid_pixels" in shard else []
    return Sums(shard.get("areas", []), shard.get("pixel_sums", [0, 0]), valid_pixels)


def check_contents(
    root: str, manifest: Mapping[str, Any], files: Sequence[ListedFile], *, workers: int, progress: Progress
) -> Iterator[str]:
    """Reads every byte of the files, and checks the content of each whose checksum is right.

    Args:
        root: folder of the dataset.
        manifest: content of manifest.json.
        files: listed files that are there with the right sizes.
        workers: number of threads.
        progress: counts the bytes that are read.

    Yields:
        one message for each problem.
    """
    whole: set[str] = set()
    for file in files:
        if file.split is None:
            problems = _check_file(root, file, {}, progress)
            yield from problems
            whole |= set() if problems else {file.path}
    yield from _check_lists(root, manifest, whole)
    forms: dict[str, ExampleFormat] = {}
    if DATA_PARAMS in whole:
        try:
            data_params = json.loads(read_bytes(join(root, DATA_PARAMS)))
            forms = {
                split: example_format(data_params, split, entry.get("classes"))
                for split, entry in manifest["splits"].items()
            }
            yield from _check_all_written(data_params, manifest)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield f"{DATA_PARAMS}: does not say what was written ({type(error).__name__}: {error})"

    def check(file: ListedFile) -> list[str]:
        return _check_file(root, file, forms, progress)

    shards = (file for file in files if file.split is not None)
    right = True
    for problems in map_ahead(check, shards, shared_pool(workers), workers * _AHEAD_PER_WORKER):
        yield from problems
        right = right and not problems
    if right and manifest["format_version"] >= FIRST_FORMAT:
        yield from _check_statistics(manifest, forms)


def _check_file(root: str, file: ListedFile, forms: Mapping[str, ExampleFormat], progress: Progress) -> list[str]:
    try:
        with open_hashed(join(root, file.path), progress.add) as hashed:
            if hashed.sha256 != file.sha256:
                return [f"{file.path}: its content has changed (sha256 {hashed.sha256} instead of {file.sha256})"]
            # HDF5 may crash on a damaged file; this one is unchanged.
            form = forms.get(file.split) if file.split else None
            problems = check_shard(hashed.file, file.examples, arrays_of(form), form, file.sums) if form else []
            return [f"{file.path}: {problem}" for problem in problems]
    except OSError as error:
        return [f"{file.path}: cannot be read ({error})"]


def _check_lists(root: str, manifest: Mapping[str, Any], whole: set[str]) -> Iterator[str]:
    for split, entry in manifest["splits"].items():
        if meta_file(split) in whole:
            yield from check_meta(read_bytes(join(root, meta_file(split))), split, entry["shards"])
    if EXAMPLES in whole:
        shards = [shard for entry in manifest["splits"].values() for shard in entry["shards"]]
        yield from check_example_list(read_bytes(join(root, EXAMPLES)), shards)
    if CROISSANT in whole:
        yield from check_croissant(read_bytes(join(root, CROISSANT)), manifest)


def _check_statistics(manifest: Mapping[str, Any], forms: Mapping[str, ExampleFormat]) -> Iterator[str]:
    for split, form in forms.items():
        entry = manifest["splits"][split]
        try:
            shards = [StoredShard.from_json(shard) for shard in entry["shards"]]
            right = entry["statistics"] == split_statistics(shards, form, list(entry["classes"]))
        except (ValueError, KeyError, TypeError):
            right = False
        if not right:
            yield f"{MANIFEST}: the statistics of {split} do not follow from its shards"


def _check_all_written(data_params: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    for split, entry in manifest["splits"].items():
        shards = [StoredShard.from_json(shard) for shard in entry["shards"]]
        examples, positions = sum(shard.examples for shard in shards), sum(shard.positions for shard in shards)
        yield from check_written(data_params, split, examples, positions)
