"""What a run is to do: parameters and arguments, checked against the input that they name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.errors import UsageError
from pipeline.input_fingerprint import input_fingerprint
from pipeline.params import Params, SplitParams, data_params
from pipeline.rejected_limit import NONE_REJECTED, RejectedLimit
from transforms.csv_blocks import CsvFile, DamagedFileError, read_header
from transforms.example import ExampleFormat
from transforms.find_files import is_folder, match_files
from transforms.fingerprint import FORMAT_VERSION
from transforms.label import LabelFormat
from transforms.layout import STAGING, ShardLayout
from transforms.object_store import FileInfo
from transforms.paths import absolute, join
from transforms.read_annotations import Source
from transforms.rows import ColumnNames, Columns
from transforms.splits import SplitRule
from transforms.staging import ReusableShard, StoredShard


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that the graph is made from.

    Attributes:
        files: CSV files, each once.
        sources: annotations with their image folders.
        folders: image folders, each once.
        rules: which examples a split takes.
        forms: of the examples, by split.
        layout: of the shards.
        output_dir: as given.
        root: `output_dir`, absolute.
        key: the same for the same command; it names the staging folder.
        data_params: content of data_params.json, without what only the run can know.
        workers: threads that decode in each process; None is one a core.
        processes: whether processes decode in their place.
        checksum: whether an image has changed is told by its content, and not by its size and time.
        max_rejected: how many rows and images may be bad.
        salt: of the hash that assigns the examples, where one does.
        run: name of the run, which no other has.
        input: fingerprint of all that decides the dataset.
        replaces: shards below `root`, relative, that the new dataset takes the place of.
        published: those of them that are whole, and may be kept.
        version: of the dataset that is in `root` when the run begins.
        reusable: shards of another dataset, by fingerprint, that may be copied.
        started: when the run has begun, in ISO 8601.
        runner: name of the runner.
        attended: whether the program that starts the run waits for its end.
    """

    files: tuple[CsvFile, ...]
    sources: tuple[Source, ...]
    folders: tuple[str, ...]
    rules: tuple[SplitRule, ...]
    forms: Mapping[str, ExampleFormat]
    layout: ShardLayout
    output_dir: str
    root: str
    key: str
    data_params: Mapping[str, Any]
    workers: int | None = None
    processes: bool = False
    checksum: bool = False
    max_rejected: RejectedLimit = NONE_REJECTED
    salt: str = ""
    run: str = ""
    input: str = ""
    replaces: tuple[str, ...] = ()
    published: Mapping[str, StoredShard] = dataclasses.field(default_factory=dict)
    version: str = ""
    reusable: Mapping[str, ReusableShard] = dataclasses.field(default_factory=dict)
    started: str = ""
    runner: str = ""
    attended: bool = True

    @property
    def staging(self) -> str:
        """Folder for files that are not published yet."""
        return join(self.root, f"{STAGING}/{self.key}")

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        return tuple(rule.name for rule in self.rules)


@dataclasses.dataclass(frozen=True)
class _Input:
    """What a split reads: its CSV files by their paths, in order, and the path of its image folder."""

    csv: Mapping[str, FileInfo]
    images: str


def make_job(
    params: Params,
    layout: ShardLayout,
    *,
    output_dir: str,
    input_args: Mapping[str, Any],
    workers: int | None = None,
    checksum: bool = False,
    max_rejected: RejectedLimit = NONE_REJECTED,
) -> Job:
    """Finds the input and makes the job.

    Args:
        params: the parameter file.
        layout: of the shards.
        output_dir: where the dataset is to be.
        input_args: arguments, for data_params.json.
        workers: threads that decode in each process; None is one a core.
        processes: whether processes decode in their place.
        checksum: whether an image has changed is told by its content.
        max_rejected: how many rows and images may be bad.

    Returns:
        the job, which knows nothing of what the output folder holds.

    Raises:
        UsageError: input is missing, or not what it should be; all that is wrong with it is named.
        OSError: input cannot be read.
    """
    inputs = _find_inputs(params)
    pairs = list(dict.fromkeys((tuple(one.csv), one.images) for one in inputs.values()))
    folders = tuple(dict.fromkeys(one.images for one in inputs.values()))
    rules = tuple(
        SplitRule(
            name,
            pairs.index((tuple(one.csv), one.images)),
            split.class_id,
            split.train_test_split,
            name == "train_input",
        )
        for (name, split), one in zip(params.splits.items(), inputs.values(), strict=True)
    )
    sources = tuple(
        Source(folders.index(images), frozenset(rule.class_id for rule in rules if rule.source == number))
        for number, (_, images) in enumerate(pairs)
    )
    statuses = {path: info for one in inputs.values() for path, info in one.csv.items()}
    files = _csv_files([csv for csv, _ in pairs], statuses, _column_names(params))
    forms = {name: _example_format(split, params) for name, split in params.splits.items()}
    tree = data_params(params, dict(input_args))
    return Job(
        files=files,
        sources=sources,
        folders=folders,
        rules=rules,
        forms=forms,
        layout=layout,
        output_dir=output_dir,
        root=absolute(output_dir),
        key=_staging_key(
            [(file.path, file.uses) for file in files], sources, folders, rules, forms, layout, params.steelbeam.salt
        ),
        data_params=tree,
        workers=workers,
        checksum=checksum,
        max_rejected=max_rejected,
        salt=params.steelbeam.salt,
        input=input_fingerprint(statuses.values(), folders, [tree, layout, checksum]),
    )


def _find_inputs(params: Params) -> dict[str, _Input]:
    problems: list[str] = []
    found: dict[str, _Input] = {}
    for name, split in params.splits.items():
        if split.data_dir not in found:
            found[split.data_dir] = _find_input(name, split, params, problems)
    if problems:
        raise UsageError("\n".join(dict.fromkeys(problems)))
    return {name: found[split.data_dir] for name, split in params.splits.items()}


def _find_input(name: str, split: SplitParams, params: Params, problems: list[str]) -> _Input:
    data_dir = absolute(split.data_dir)
    if not is_folder(data_dir):
        problems.append(f"{name}.data_dir: there is no folder {split.data_dir} ({data_dir}); correct the path")
        return _Input({}, "")
    images = join(data_dir, params.steelbeam.images)
    if not is_folder(images):
        problems.append(f"{images}: there is no such folder of images; set steelbeam.images, or correct data_dir")
    csv: dict[str, FileInfo] = {}
    for pattern in params.steelbeam.csv:
        found = match_files(data_dir, pattern)
        if not found:
            problems.append(
                f"{join(data_dir, pattern)}: there is no such CSV file; set steelbeam.csv, or correct data_dir"
            )
        csv.update((absolute(info.path), info) for info in found)
    return _Input(csv, absolute(images))


def _column_names(params: Params) -> ColumnNames:
    keys = params.steelbeam
    return ColumnNames(keys.image_column, keys.class_column, keys.mask_column)


def _csv_files(
    sources: Iterable[tuple[str, ...]], statuses: Mapping[str, FileInfo], names: ColumnNames
) -> tuple[CsvFile, ...]:
    uses: dict[str, list[tuple[int, int]]] = {}
    for number, paths in enumerate(sources):
        for rank, path in enumerate(paths):
            uses.setdefault(path, []).append((number, rank))
    problems: list[str] = []
    columns = {path: _columns(path, names, problems) for path in uses}
    if problems:
        raise UsageError("\n".join(problems))
    return tuple(
        CsvFile(path, statuses[path].size, found, tuple(uses[path])) for path, found in columns.items() if found
    )


def _columns(path: str, names: ColumnNames, problems: list[str]) -> Columns | None:
    try:
        return read_header(path, names)
    except ValueError as error:
        problems.append(f"{path}:1: {error}")
    except DamagedFileError as error:
        problems.append(str(error))
    return None


def _example_format(split: SplitParams, params: Params) -> ExampleFormat:
    height, width = split.image_shape[:2]
    resized = min(height, split.max_image_shape[0]), min(width, split.max_image_shape[1])
    label = LabelFormat(params.loss, split.num_classes, height, width, params.steelbeam.label_dtype == "uint8")
    return ExampleFormat(resized, label, params.steelbeam.max_image_pixels)


def _staging_key(*parts: object) -> str:
    """The same for the same command, also on a changed input, so that it finds what an earlier attempt left."""
    return hashlib.sha256(json.dumps([FORMAT_VERSION, parts], default=sorted).encode()).hexdigest()[:16]
