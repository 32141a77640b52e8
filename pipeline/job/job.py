"""What is to be made: parameters and arguments, checked against the input that they name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from maskmill.format_version import current_format
from maskmill.names import staging_folder
from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.find_inputs import SplitInput, csv_files, find_inputs, input_fingerprint, row_format
from maskmill.pipeline.job.label_format import label_format, names_of_classes
from maskmill.pipeline.job.params import Params, data_params
from maskmill.pipeline.job.params_file import read_params
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.records import Source
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import Selection, SplitRule
from maskmill.transforms.assignment.strategies import strategy
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.files.paths import absolute, is_local, join


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobInput:
    """What a job reads.

    Attributes:
        files: the CSV files, each once.
        sources: annotations with their image folders.
        folders: paths of the image folders, each once.
        unlisted: sources that also use images without rows, by the index of the folder.
        checksum: whether changed images are detected by content instead of size and time.
        fingerprint: sha256 of everything that decides the dataset, hexadecimal.
    """

    files: tuple[CsvFile, ...]
    sources: tuple[Source, ...]
    folders: tuple[str, ...]
    unlisted: Mapping[int, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    checksum: bool = False
    fingerprint: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that the job reads from."""
        return (*(file.path for file in self.files), *self.folders)

    @property
    def csv_bytes(self) -> int:
        """Size of all CSV files, in bytes, as stored."""
        return sum(file.size for file in self.files)


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobSelection:
    """Which images become examples, and of which split.

    Attributes:
        rules: one for each split.
        assignment: name of the strategy that assigns examples to splits and shards.
        salt: of the hash; another salt gives another assignment.
        negatives: share of the images without a defect that become examples; None keeps those that a row lists (-1).
        group_pattern: regular expression that finds an image's group in its ImageId; None if a column names it.
    """

    rules: tuple[SplitRule, ...]
    assignment: str = "position"
    salt: str = ""
    negatives: float | None = None
    group_pattern: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobForm:
    """What an example looks like, and what the dataset says about it.

    Attributes:
        examples: form of the examples, by split.
        classes: names of all classes; examples know their numbers, from 1.
        data_params: content of data_params.json, without what only the run can know.
    """

    examples: Mapping[str, ExampleFormat]
    classes: tuple[str, ...]
    data_params: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobOutput:
    """Where the dataset goes, and in how many files.

    Attributes:
        output_dir: the output folder as given.
        root: the same folder, absolute.
        layout: distribution of a split's examples over its shards.
        key: name of the staging folder, the same for the same command.
    """

    output_dir: str
    root: str
    layout: ShardLayout
    key: str

    @property
    def staging(self) -> str:
        """Path of the folder in which shards wait until they are published."""
        return join(self.root, staging_folder(self.key))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """Everything that decides a dataset, and where it goes."""

    input: JobInput
    selection: JobSelection
    form: JobForm
    output: JobOutput

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        return tuple(rule.name for rule in self.selection.rules)

    @property
    def least_shards(self) -> int:
        """Number of shards of all splits, unless a bound on their size asks for more."""
        return len(self.selection.rules) * self.output.layout.num_shards

    @property
    def num_shards(self) -> int | None:
        """Number of shards of all splits; None if only the graph knows, because their size is bounded."""
        return self.least_shards if self.output.layout.max_shard_bytes is None else None


def read_job(arguments: CreateArguments) -> Job:
    """Reads the parameter file and finds the input.

    Raises:
        UsageError: something is wrong with arguments, parameters or input.
        OSError: input cannot be read.
    """
    root = absolute(arguments.output_dir)
    if is_local(root) and os.path.isfile(root):
        raise UsageError(f"{arguments.output_dir}: is a file; choose a folder for --output_dir")
    params = read_params(arguments.params)
    layout = ShardLayout(
        name=arguments.name,
        num_output_files=arguments.num_output_files,
        num_processes=arguments.num_processes or os.cpu_count() or 1,
        max_shard_bytes=params.maskmill.max_shard_bytes,
        by_hash=strategy(params.maskmill.assignment).by_hash,
    )
    originals = ("name", "num_output_files", "num_processes", "output_dir", "params")
    return make_job(
        params,
        layout,
        output_dir=arguments.output_dir,
        input_args={name: getattr(arguments, name) for name in originals},
        checksum=arguments.checksum,
    )


def make_job(
    params: Params, layout: ShardLayout, *, output_dir: str, input_args: Mapping[str, Any], checksum: bool = False
) -> Job:
    """Finds the input and makes the job.

    Args:
        params: the parameter file.
        layout: distribution of a split's examples over its shards.
        output_dir: folder of the dataset, as given.
        input_args: flags of the command, for data_params.json.
        checksum: whether changed images are detected by content.

    Raises:
        UsageError: input is missing, or not what it should be; the message names everything that is wrong with it.
        OSError: input cannot be read.
    """
    inputs = find_inputs(params)
    rules = _rules(params, inputs)
    form = JobForm(
        examples={split: _example_format(params, split) for split in params.splits},
        classes=names_of_classes(params.document),
        data_params=data_params(params, dict(input_args)),
    )
    settings = [form.data_params, layout, checksum]
    job_input = _job_input(params, inputs, rules, checksum=checksum, settings=settings)
    selection = JobSelection(
        rules=rules,
        assignment=params.maskmill.assignment,
        salt=params.maskmill.salt,
        negatives=params.negatives,
        group_pattern=params.maskmill.group_pattern,
    )
    key = _staging_key(
        [(file.path, file.sources) for file in job_input.files],
        job_input.sources,
        job_input.folders,
        rules,
        form.examples,
        layout,
        params.maskmill.model_dump(),
    )
    output = JobOutput(output_dir=output_dir, root=absolute(output_dir), layout=layout, key=key)
    return Job(input=job_input, selection=selection, form=form, output=output)


def _pairs(inputs: Mapping[str, SplitInput]) -> list[tuple[tuple[str, ...], str]]:
    """CSV files and image folder of each source; splits that read the same share a source."""
    return list(dict.fromkeys((tuple(one.csv), one.images) for one in inputs.values()))


def _rules(params: Params, inputs: Mapping[str, SplitInput]) -> tuple[SplitRule, ...]:
    pairs = _pairs(inputs)
    sources = {name: pairs.index((tuple(one.csv), one.images)) for name, one in inputs.items()}
    return tuple(
        SplitRule(name, Selection(sources[name], tuple(sorted(split.class_id))), *params.shares[name])
        for name, split in params.splits.items()
    )


def _job_input(
    params: Params,
    inputs: Mapping[str, SplitInput],
    rules: Iterable[SplitRule],
    *,
    checksum: bool,
    settings: object,
) -> JobInput:
    pairs = _pairs(inputs)
    folders = tuple(dict.fromkeys(one.images for one in inputs.values()))
    sources = tuple(
        Source(folders.index(images), _class_ids(rules, number), empty_rows=bool(params.negatives))
        for number, (_, images) in enumerate(pairs)
    )
    unlisted = {
        folder: tuple(number for number, source in enumerate(sources) if source.folder == folder)
        for folder in range(len(folders))
    }
    statuses = {path: info for one in inputs.values() for path, info in one.csv.items()}
    return JobInput(
        files=csv_files([csv for csv, _ in pairs], statuses, row_format(params)),
        sources=sources,
        folders=folders,
        unlisted=unlisted if params.negatives else {},
        checksum=checksum,
        fingerprint=input_fingerprint(statuses.values(), folders, settings),
    )


def _class_ids(rules: Iterable[SplitRule], source: int) -> frozenset[int]:
    """The classes whose rows any split takes from a source."""
    return frozenset(
        class_id for rule in rules if rule.selection.source == source for class_id in rule.selection.class_ids
    )


def _example_format(params: Params, split: str) -> ExampleFormat:
    label, most = label_format(params.document, split), params.splits[split].max_image_shape
    resized = min(label.height, most[0]), min(label.width, most[1])
    return ExampleFormat(resized, label, params.maskmill.max_image_pixels)


def _staging_key(*parts: object) -> str:
    """The same for the same command, even if the input changed, so that it finds what an earlier attempt left."""
    return hashlib.sha256(json.dumps([current_format(), parts], default=sorted).encode()).hexdigest()[:16]
