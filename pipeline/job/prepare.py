"""What a command's arguments, its input, and what is there already make of a job, before anything is run."""

from __future__ import annotations

import dataclasses
import os

from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.dataset.find_existing import Existing, of_naming
from maskmill.pipeline.dataset.reuse import Reuse, find_reusable
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.job import Job, make_job
from maskmill.pipeline.job.params_file import read_params
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.files.paths import absolute, is_local


def reusable_of(arguments: CreateArguments) -> Reuse:
    """What `--reuse` allows to copy."""
    return find_reusable(arguments.reuse) if arguments.reuse else Reuse()


def job_of(arguments: CreateArguments) -> Job:
    """The job; everything that can be wrong with arguments, parameters and input is found here.

    Raises:
        UsageError: something is.
    """
    root = absolute(arguments.output_dir)
    if is_local(root) and os.path.isfile(root):
        raise UsageError(f"{arguments.output_dir}: is a file; choose a folder for --output_dir")
    params = read_params(arguments.params)
    return make_job(
        params,
        ShardLayout(
            arguments.name,
            arguments.num_output_files,
            arguments.num_processes or os.cpu_count() or 1,
            params.maskmill.max_shard_bytes,
            by_hash=params.maskmill.assignment != "position",
        ),
        output_dir=arguments.output_dir,
        input_args={
            "name": arguments.name,
            "num_output_files": arguments.num_output_files,
            "num_processes": arguments.num_processes,
            "output_dir": arguments.output_dir,
            "params": arguments.params,
        },
        workers=arguments.workers,
        checksum=arguments.checksum,
        max_rejected=arguments.max_rejected,
    )


def with_existing(job: Job, arguments: CreateArguments, existing: Existing, reuse: Reuse, log: RunLog) -> Job:
    """The job, with what is there already."""
    return dataclasses.replace(
        job,
        replaces=_find_replaced(arguments, existing, log),
        published=existing.shards,
        version=existing.version,
        reusable=reuse.shards,
        reuse=absolute(arguments.reuse) if arguments.reuse else "",
    )


def _find_replaced(arguments: CreateArguments, existing: Existing, log: RunLog) -> tuple[str, ...]:
    """Shards that this dataset takes the place of: ours, and those of somebody else as `--overwrite` allows."""
    foreign = existing.foreign
    if foreign and not arguments.overwrite:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise UsageError(
            f"{arguments.output_dir}: holds HDF5 files that are not of a dataset of maskmill ({shown}); "
            f"choose another --output_dir, or add --overwrite to replace those named {arguments.name}-<i>_p<j>.h5"
        )
    replaced = of_naming(foreign, arguments.name)
    warnings = list(existing.warnings)
    if kept := sorted(set(foreign).difference(replaced)):
        warnings.append(f"{len(kept)} HDF5 files of other names stay in {arguments.output_dir}: {kept[0]} …")
    for warning in warnings:
        log.tell("warning", warning)
    return (*sorted(existing.ours), *replaced)


def is_up_to_date(job: Job, existing: Existing) -> bool:
    """Whether the same command has made the dataset that is there, of the same input."""
    manifest = existing.manifest
    if manifest is None or not existing.complete or manifest.get("input") != job.input or job.checksum:
        return False
    return job.max_rejected.allows(sum(manifest["rejected"].values()), manifest["rows"]["read"])
