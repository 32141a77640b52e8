"""Finds what a run starts from: the dataset in the output folder, and an earlier one to copy shards from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.dataset.find_existing import Existing, find_existing, of_naming
from maskmill.pipeline.dataset.reuse import Reuse, find_reusable
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.job import Job
from maskmill.transforms.files.paths import absolute
from maskmill.transforms.shards.records import ReusableShard, StoredShard

_SHOWN_FILES = 3


class Baseline(NamedTuple):
    """What a run starts from.

    Attributes:
        published: whole shards of the dataset in the output folder, by path; unchanged ones are kept.
        replaces: paths of all shards that the new dataset replaces, those in `published` among them.
        version: of the dataset in the output folder; see `find_existing.version_of`.
        reusable: shards of an earlier dataset, by fingerprint; unchanged ones are copied.
        reuse: dataset or folder of datasets that `--reuse` names, absolute; "" without it.
        previous: folder of the dataset to compare with: the one in the output folder, or else that of `--reuse`; "" if
            there is none.
        up_to_date: whether the same job has made the dataset in the output folder from the same input.
        warnings: for the person who started the run.
    """

    published: Mapping[str, StoredShard] = {}
    replaces: tuple[str, ...] = ()
    version: str = ""
    reusable: Mapping[str, ReusableShard] = {}
    reuse: str = ""
    previous: str = ""
    up_to_date: bool = False
    warnings: tuple[str, ...] = ()


def find_reuse(arguments: CreateArguments) -> Reuse:
    """Finds the shards that `--reuse` allows to copy.

    Raises:
        UsageError: it names neither a dataset nor a folder of datasets.
    """
    return find_reusable(arguments.reuse) if arguments.reuse else Reuse()


def find_baseline(job: Job, arguments: CreateArguments, reuse: Reuse) -> Baseline:
    """Looks at the output folder, without opening a shard.

    Raises:
        UsageError: the folder holds files that the run must not replace.
        OSError: the folder cannot be read.
    """
    existing = find_existing(job.output.root, job.splits)
    replaced, warnings = _find_replaced(arguments, existing)
    return Baseline(
        published=existing.shards,
        replaces=replaced,
        version=existing.version,
        reusable=reuse.shards,
        reuse=absolute(arguments.reuse) if arguments.reuse else "",
        previous=job.output.root if existing.manifest is not None else reuse.root,
        # What a transform does today is only known afterwards.
        up_to_date=arguments.transform is None and _is_up_to_date(job, existing, arguments),
        warnings=(*job.warnings, *warnings),
    )


def _find_replaced(arguments: CreateArguments, existing: Existing) -> tuple[tuple[str, ...], list[str]]:
    """The shards that the dataset replaces: maskmill's own, and others as far as `--overwrite` allows; and warnings."""
    foreign = existing.foreign
    if foreign and not arguments.overwrite:
        more = len(foreign) - _SHOWN_FILES
        shown = ", ".join(foreign[:_SHOWN_FILES]) + (f" and {more} more" if more > 0 else "")
        raise UsageError(
            f"{arguments.output_dir}: holds HDF5 files that are not of a dataset of maskmill ({shown}); "
            f"choose another --output_dir, or add --overwrite to replace those named {arguments.name}-<i>_p<j>.h5"
        )
    replaced = of_naming(foreign, arguments.name)
    warnings = list(existing.warnings)
    if kept := sorted(set(foreign).difference(replaced)):
        warnings.append(f"{len(kept)} HDF5 files of other names stay in {arguments.output_dir}: {kept[0]} …")
    return (*sorted(existing.ours), *replaced), warnings


def _is_up_to_date(job: Job, existing: Existing, arguments: CreateArguments) -> bool:
    manifest = existing.manifest
    if manifest is None or not existing.complete or manifest.get("input") != job.input.fingerprint:
        return False
    examples = sum(split["examples"] for split in manifest["splits"].values())
    if examples < arguments.min_examples:
        return False
    rejected = sum(manifest["rejected"].values())
    counted = job.input.counted(manifest["rows"]["read"], examples + rejected)
    # Only reading every image shows whether its content changed.
    return not job.input.checksum and arguments.max_rejected.allows(rejected, counted)
