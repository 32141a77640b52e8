"""What a run is to do: parameters and arguments, checked against the input that they name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from maskmill import format_version
from maskmill.names import staging_folder
from maskmill.pipeline.job.find_inputs import csv_files, find_inputs, row_format
from maskmill.pipeline.job.input_fingerprint import input_fingerprint
from maskmill.pipeline.job.params import Params, data_params
from maskmill.pipeline.job.rejected_limit import NONE_REJECTED, RejectedLimit
from maskmill.pipeline.job.section_models import SplitParams
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.records import Source
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import Selection, SplitRule
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.files.paths import absolute, join
from maskmill.transforms.shards.records import ReusableShard, StoredShard


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that the graph is made from.

    Attributes:
        files: CSV files, each once.
        sources: annotations with their image folders.
        folders: image folders, each once.
        rules: which examples a split takes.
        forms: of the examples, by split.
        classes: names of all classes, of which examples know the numbers, from 1.
        layout: of the shards.
        output_dir: as given.
        root: `output_dir`, absolute.
        key: the same for the same command; it names the staging folder.
        data_params: content of data_params.json, without what only the run can know.
        negatives: share of the images without a defect that become examples; None is those that rows with `-1` list.
        unlisted: sources that want the images of a folder also without rows, by the index of the folder.
        group_pattern: regular expression that finds an image's group in its ImageId.
        assignment: how examples get to splits and shards, a key of `graph.ASSIGNMENTS`.
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
        reuse: where they are from, a dataset or a folder of datasets, absolute; empty where nothing is to be copied.
        started: when the run has begun, in ISO 8601.
        runner: name of the runner.
        attended: whether the program that starts the run waits for its end.
    """

    files: tuple[CsvFile, ...]
    sources: tuple[Source, ...]
    folders: tuple[str, ...]
    rules: tuple[SplitRule, ...]
    forms: Mapping[str, ExampleFormat]
    classes: tuple[str, ...]
    layout: ShardLayout
    output_dir: str
    root: str
    key: str
    data_params: Mapping[str, Any]
    negatives: float | None = None
    unlisted: Mapping[int, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    group_pattern: str | None = None
    assignment: str = "position"
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
    reuse: str = ""
    started: str = ""
    runner: str = ""
    attended: bool = True

    @property
    def staging(self) -> str:
        """Folder for files that are not published yet."""
        return join(self.root, staging_folder(self.key))

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        return tuple(rule.name for rule in self.rules)

    @property
    def num_shards(self) -> int | None:
        """Number of shards; None where a bound on their size asks for more: how many is only known to the graph."""
        return len(self.rules) * self.layout.num_shards if self.layout.max_shard_bytes is None else None


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
    inputs = find_inputs(params)
    pairs = list(dict.fromkeys((tuple(one.csv), one.images) for one in inputs.values()))
    folders = tuple(dict.fromkeys(one.images for one in inputs.values()))
    numbers = {name: pairs.index((tuple(one.csv), one.images)) for name, one in inputs.items()}
    rules = tuple(
        SplitRule(name, Selection(numbers[name], tuple(sorted(split.class_id))), *params.shares[name])
        for name, split in params.splits.items()
    )
    sources = tuple(
        Source(folders.index(images), _class_ids(rules, number), bool(params.negatives))
        for number, (_, images) in enumerate(pairs)
    )
    unlisted = {
        folder: tuple(number for number, source in enumerate(sources) if source.folder == folder)
        for folder in range(len(folders))
    }
    statuses = {path: info for one in inputs.values() for path, info in one.csv.items()}
    files = csv_files([csv for csv, _ in pairs], statuses, row_format(params))
    forms = {name: _example_format(split, params) for name, split in params.splits.items()}
    tree = data_params(params, dict(input_args))
    return Job(
        files=files,
        sources=sources,
        folders=folders,
        rules=rules,
        forms=forms,
        classes=params.class_names,
        negatives=params.negatives,
        unlisted=unlisted if params.negatives else {},
        group_pattern=params.maskmill.group_pattern,
        assignment=params.maskmill.assignment,
        layout=layout,
        output_dir=output_dir,
        root=absolute(output_dir),
        key=_staging_key(
            [(file.path, file.uses) for file in files],
            sources,
            folders,
            rules,
            forms,
            layout,
            params.maskmill.model_dump(),
        ),
        data_params=tree,
        workers=workers,
        checksum=checksum,
        max_rejected=max_rejected,
        salt=params.maskmill.salt,
        input=input_fingerprint(statuses.values(), folders, [tree, layout, checksum]),
    )


def _class_ids(rules: Iterable[SplitRule], source: int) -> frozenset[int]:
    """The classes of which any split wants rows of a source."""
    return frozenset(
        class_id for rule in rules if rule.selection.source == source for class_id in rule.selection.class_ids
    )


def _example_format(split: SplitParams, params: Params) -> ExampleFormat:
    height, width = split.image_shape[:2]
    resized = min(height, split.max_image_shape[0]), min(width, split.max_image_shape[1])
    label = LabelFormat(
        params.loss, split.num_classes, height, width, split.class_id, params.maskmill.label_dtype == "uint8"
    )
    return ExampleFormat(resized, label, params.maskmill.max_image_pixels)


def _staging_key(*parts: object) -> str:
    """The same for the same command, also on a changed input, so that it finds what an earlier attempt left."""
    return hashlib.sha256(json.dumps([format_version.CURRENT, parts], default=sorted).encode()).hexdigest()[:16]
