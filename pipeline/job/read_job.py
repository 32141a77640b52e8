"""Makes a job from arguments and parameters, checked against the input that they name."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from maskmill.format_version import current_format
from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.crop_format import check_crops
from maskmill.pipeline.job.example_format import example_format
from maskmill.pipeline.job.find_inputs import SplitInput, csv_files, find_inputs, input_fingerprint, row_format
from maskmill.pipeline.job.image_lists import ImageLists, read_image_lists, warn_of_unknown
from maskmill.pipeline.job.job import Job, JobForm, JobInput, JobOutput, JobSelection
from maskmill.pipeline.job.label_format import names_of_classes
from maskmill.pipeline.job.params import Params, data_params, with_splits
from maskmill.pipeline.job.params_file import check_params, read_params
from maskmill.transforms.annotations.records import Source
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import Selection, SplitRule
from maskmill.transforms.assignment.strategies import strategy
from maskmill.transforms.files.paths import absolute, is_local


def read_job(arguments: CreateArguments) -> Job:
    """Reads the parameter file and finds the input.

    Raises:
        UsageError: something is wrong with arguments, parameters or input.
        OSError: input cannot be read.
    """
    root = absolute(arguments.output_dir)
    if is_local(root) and os.path.isfile(root):
        raise UsageError(f"{arguments.output_dir}: is a file; choose a folder for --output_dir")
    given, transform = arguments.params, arguments.transform
    params = read_params(given) if isinstance(given, str) else check_params(given)
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
        # Parameters that a program gives are in no file; the rest of data_params.json repeats them anyway.
        input_args={
            **{name: getattr(arguments, name) for name in originals},
            "params": given if isinstance(given, str) else None,
        },
        checksum=arguments.checksum,
        transform=f"{type(transform).__module__}.{type(transform).__qualname__}" if transform is not None else "",
    )


def make_job(
    params: Params,
    layout: ShardLayout,
    *,
    output_dir: str,
    input_args: Mapping[str, Any],
    checksum: bool = False,
    transform: str = "",
) -> Job:
    """Finds the input and makes the job.

    Args:
        params: the parameter file.
        layout: distribution of a split's examples over its shards.
        output_dir: folder of the dataset, as given.
        input_args: flags of the command, for data_params.json.
        checksum: whether changed images are detected by content.
        transform: name of the transform that is applied to the selected examples; "" if there is none.

    Raises:
        UsageError: input is missing, or not what it should be; the message names everything that is wrong with it.
        OSError: input cannot be read.
    """
    lists = read_image_lists(params)
    if lists.splits_file:
        params = with_splits(params, lists.splits)
    inputs = find_inputs(params)
    rules = _rules(params, inputs)
    check_crops(params)
    form = JobForm(
        examples={split: example_format(params.document, split) for split in params.splits},
        classes=names_of_classes(params.document),
        data_params=data_params(params, dict(input_args)),
    )
    _check_views(params, form)
    # Besides the file what it means to this version, which may take defaults and class_id in another way than before.
    settings = [form.data_params, layout, checksum, params.maskmill.settings(), form.chosen]
    settings += [*([transform] if transform else []), *lists.settings]
    job_input = _job_input(params, inputs, rules, lists, checksum=checksum, settings=settings)
    selection = JobSelection(
        rules=rules,
        assignment=params.assignment,
        salt=params.maskmill.salt,
        negatives=params.negatives,
        group_pattern=params.maskmill.group_pattern,
        transform=transform,
        duplicates=params.maskmill.duplicates,
        folds=params.maskmill.folds is not None,
    )
    key = _staging_key(
        [(file.path, file.sources) for file in job_input.files],
        job_input.sources,
        job_input.image_folders,
        rules,
        form.examples,
        layout,
        params.maskmill.settings(),
    )
    output = JobOutput(output_dir=output_dir, root=absolute(output_dir), layout=layout, key=key)
    warnings = (*params.warnings, *warn_of_unknown(lists.named, job_input.image_folders))
    return Job(input=job_input, selection=selection, form=form, output=output, warnings=warnings)


def _check_views(params: Params, form: JobForm) -> None:
    """Raises UsageError for labels that repeat an image: its view shows it once, and areas count every repetition."""
    for split, one in form.examples.items():
        if params.maskmill.views and one.labelled and one.resize == "stretch" and one.resized != one.size:
            raise UsageError(
                f"maskmill.views: examples of {split} repeat their image, as image_shape is above max_image_shape; "
                "raise max_image_shape, or remove views"
            )


def _pairs(inputs: Mapping[str, SplitInput]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """CSV files and image folders of each source; splits that read the same share a source."""
    return list(dict.fromkeys((tuple(one.csv), one.images) for one in inputs.values()))


def _rules(params: Params, inputs: Mapping[str, SplitInput]) -> tuple[SplitRule, ...]:
    pairs = _pairs(inputs)
    sources = {name: pairs.index((tuple(one.csv), one.images)) for name, one in inputs.items()}
    by_file = params.maskmill.splits_file is not None
    rules = tuple(
        SplitRule(
            name,
            Selection(sources[name], tuple(sorted(split.class_id)), name if by_file else ""),
            *params.shares[name],
        )
        for name, split in params.splits.items()
    )
    if params.maskmill.duplicates == "together":
        _check_apart(rules)
    return rules


def _check_apart(rules: Iterable[SplitRule]) -> None:
    """Raises UsageError if two splits take the same share of the examples: equal images would be in both."""
    for one, other in itertools.combinations(rules, 2):
        if one.selection.split == other.selection.split and one.start < other.stop and other.start < one.stop:
            raise UsageError(
                f"maskmill.duplicates: {one.name} and {other.name} take the same share of the examples, so equal "
                "images would be in both; give both the same train_test_split, or set duplicates: drop"
            )


def _job_input(
    params: Params,
    inputs: Mapping[str, SplitInput],
    rules: Iterable[SplitRule],
    lists: ImageLists,
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
    found = JobInput(
        files=csv_files([csv for csv, _ in pairs], statuses, row_format(params), rows_needed=not params.negatives),
        sources=sources,
        folders=folders,
        unlisted=unlisted if params.negatives else {},
        checksum=checksum,
        excluded=lists.excluded,
        groups=lists.groups,
        splits_file=lists.splits_file,
        image_suffix=params.maskmill.image_suffix,
    )
    fingerprint = input_fingerprint(statuses.values(), found.image_folders, settings)
    return dataclasses.replace(found, fingerprint=fingerprint)


def _class_ids(rules: Iterable[SplitRule], source: int) -> frozenset[int]:
    """The classes whose rows any split takes from a source."""
    return frozenset(
        class_id for rule in rules if rule.selection.source == source for class_id in rule.selection.class_ids
    )


def _staging_key(*parts: object) -> str:
    """The same for the same command, even if the input changed, so that it finds what an earlier attempt left."""
    return hashlib.sha256(json.dumps([current_format(), parts], default=sorted).encode()).hexdigest()[:16]
