"""Removes old datasets from a folder of datasets."""

from __future__ import annotations

import uuid
from typing import NamedTuple, TextIO

from maskmill.manifest import unseal
from maskmill.names import MANIFEST, is_utf8
from maskmill.pipeline.dataset.latest import list_datasets, read_latest
from maskmill.pipeline.dataset.run_lock import locked, warn_of_no_lock
from maskmill.pipeline.errors import MaskmillError, UsageError
from maskmill.transforms.files.file_names import shown_path
from maskmill.transforms.files.find_files import exists, is_folder
from maskmill.transforms.files.paths import absolute, join
from maskmill.transforms.files.read_write import read_bytes, remove, sync


class PrunePlan(NamedTuple):
    """What happens to the folders in a folder of datasets; each tuple is sorted.

    Attributes:
        old: datasets to remove.
        kept: datasets to keep.
        others: folders without a dataset, or with a manifest.json that cannot be trusted; they stay.
    """

    old: tuple[str, ...]
    kept: tuple[str, ...]
    others: tuple[str, ...]


def plan_prune(folder: str, keep: int) -> PrunePlan:
    """Decides which datasets stay: the last `keep` by name, and always the one that `latest.json` names."""
    names = list_datasets(folder)
    datasets = [name for name in names if is_utf8(name) and _is_dataset(join(folder, name))]
    kept = {*datasets[-keep:], read_latest(folder)}
    return PrunePlan(
        tuple(name for name in datasets if name not in kept),
        tuple(name for name in datasets if name in kept),
        tuple(name for name in names if name not in datasets),
    )


def run_prune(directory: str, *, keep: int, dry_run: bool, out: TextIO, err: TextIO, no_lock: bool = False) -> None:
    """Removes old datasets and says which.

    Args:
        directory: folder of the datasets, as given.
        keep: number of the newest datasets that stay, at least 1.
        dry_run: only says what would be removed.
        out: takes what was removed.
        err: takes what could not be removed.
        no_lock: takes no lock on a dataset that it removes.

    Raises:
        UsageError: there is no dataset in the folder.
        MaskmillError: a dataset could not be removed; the others were.
    """
    folder = absolute(directory)
    plan = plan_prune(folder, keep) if is_folder(folder) else PrunePlan((), (), ())
    if not plan.old and not plan.kept:
        raise UsageError(f"{directory}: holds no datasets; name the folder in which they lie, each in one of its own")
    for name in plan.others:
        why = f"it holds no {MANIFEST}, or one that was changed" if is_utf8(name) else "its name is not UTF-8"
        out.write(f"{shown_path(name)} is left alone: {why}\n")
    if no_lock and plan.old and not dry_run:
        err.write(f"warning: {warn_of_no_lock(directory)}\n")
    stay = 0
    for name in plan.old:
        if dry_run:
            out.write(f"{name} would be removed\n")
        elif problem := _remove(folder, name, no_lock=no_lock):
            stay += 1
            err.write(f"{name} stays: {problem}\n")
        else:
            out.write(f"{name} is removed\n")
    out.write(f"kept, by name: {', '.join(plan.kept)}\n")
    if stay:
        raise MaskmillError(f"{stay} of {len(plan.old)} old datasets could not be removed; run the same command again")


def _is_dataset(root: str) -> bool:
    path = join(root, MANIFEST)
    try:
        return exists(path) and bool(unseal(read_bytes(path)))
    except ValueError:
        return False


def _remove(folder: str, name: str, *, no_lock: bool) -> str:
    """Removes a dataset, its manifest first, so that a half-removed dataset is never taken for a whole one."""
    root = join(folder, name)
    try:
        with locked(root, name, uuid.uuid4().hex, no_lock=no_lock):
            remove([join(root, MANIFEST)])
            sync(root)
            remove([root])
    except (MaskmillError, OSError) as error:
        return str(error)
    return ""
