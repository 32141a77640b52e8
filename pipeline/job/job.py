"""Defines what is to be made, in frozen parts: input, selection, form, output."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

from maskmill.names import staging_folder
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.records import Source
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import SplitRule
from maskmill.transforms.examples.crops import CropFormat
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.files.paths import join


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobInput:
    """What a job reads.

    Attributes:
        files: the CSV files, each once.
        sources: annotations with their image folders.
        folders: paths of the image folders that sources read, each tuple once; see `ListImages`.
        unlisted: sources that also use images without rows, by their index in `folders`.
        checksum: whether changed images are detected by content instead of size and time.
        fingerprint: sha256 of everything that decides the dataset, hexadecimal.
        excluded: names of files that become no examples, as `file_named` gives them.
        groups: path of the CSV file with the group of each image; None if there is none.
        image_suffix: what makes the name of a file of the name in a row, or in the file of groups.
        splits_file: path of the CSV file with the split of each image; None if there is none.
    """

    files: tuple[CsvFile, ...]
    sources: tuple[Source, ...]
    folders: tuple[tuple[str, ...], ...]
    unlisted: Mapping[int, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    checksum: bool = False
    fingerprint: str = ""
    excluded: frozenset[str] = frozenset()
    groups: str | None = None
    splits_file: str | None = None
    image_suffix: str = ""

    @property
    def image_folders(self) -> tuple[str, ...]:
        """Path of every image folder, each once."""
        return tuple(dict.fromkeys(itertools.chain.from_iterable(self.folders)))

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that the job reads from."""
        lists = filter(None, (self.groups, self.splits_file))
        return (*(file.path for file in self.files), *self.image_folders, *lists)

    def counted(self, rows: int, images: int) -> int:
        """Returns what a percentage of `--max_rejected` is of: the rows, or without a CSV the images."""
        return rows if self.files else images

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
        transform: name of the transform that is applied to the selected examples; "" if there is none.
        duplicates: what happens to examples whose image files are equal: "keep", "together" or "drop".
        folds: whether the splits are folds.
    """

    rules: tuple[SplitRule, ...]
    assignment: str = "position"
    salt: str = ""
    negatives: float | None = None
    group_pattern: str | None = None
    transform: str = ""
    duplicates: str = "keep"
    folds: bool = False


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

    @property
    def crops(self) -> CropFormat | None:
        """How the images of all splits are cut; None if they are not."""
        return next(iter(self.examples.values())).crops

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the classes that any split takes, each once; none without labels."""
        labelled = (form for form in self.examples.values() if form.labelled)
        numbers = dict.fromkeys(number for form in labelled for number in form.label.classes)
        return tuple(self.classes[number - 1] for number in numbers)

    @property
    def layout(self) -> str:
        """Layout of the shards, `groups` or `arrays`."""
        return next(iter(self.examples.values())).layout


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
    """Everything that decides a dataset, and where it goes.

    Attributes:
        input: what is read.
        selection: which images become examples.
        form: what an example looks like.
        output: where the dataset goes.
        warnings: for the person who starts the run.
    """

    input: JobInput
    selection: JobSelection
    form: JobForm
    output: JobOutput
    warnings: tuple[str, ...] = ()

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
