"""Removes old datasets, and what unfinished runs have left, from a folder of datasets."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Mapping
from typing import NamedTuple, TextIO

from maskmill.manifest import unseal
from maskmill.names import ATTEMPT, LATEST, MANIFEST, is_utf8
from maskmill.pipeline.dataset.find_existing import shards_of
from maskmill.pipeline.dataset.journal import Journal, write_journal
from maskmill.pipeline.dataset.latest import list_datasets, read_latest
from maskmill.pipeline.dataset.run_lock import locked, warn_of_no_lock
from maskmill.pipeline.dataset.unfinished import Unfinished, find_unfinished, remove_if_empty, remove_unfinished
from maskmill.pipeline.errors import MaskmillError, UsageError
from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.transforms.files.file_names import shown_path
from maskmill.transforms.files.find_files import exists, is_folder, list_folder
from maskmill.transforms.files.paths import absolute, join
from maskmill.transforms.files.read_write import read_bytes, remove, sync

# Within this time, what an unfinished run has left may still be of use, or belong to a run that lives in a cluster.
ABANDONED_AFTER_SECONDS = 24 * 3600.0


class PrunePlan(NamedTuple):
    """What happens to the folders in a folder of datasets; each tuple is sorted.

    Attributes:
        old: datasets to remove.
        kept: datasets to keep.
        others: folders without a dataset, or with a manifest.json that cannot be trusted; they stay.
        unfinished: what runs have left that published nothing, by name of the folder or file; not in `old` ones.
    """

    old: tuple[str, ...]
    kept: tuple[str, ...]
    others: tuple[str, ...]
    unfinished: Mapping[str, Unfinished]


def plan_prune(folder: str, keep: int) -> PrunePlan:
    """Decides which datasets stay: the last `keep` by name, and always the one that `latest.json` names."""
    names = list_datasets(folder)
    datasets = [name for name in names if is_utf8(name) and _is_dataset(join(folder, name))]
    kept = {*datasets[-keep:], read_latest(folder)}
    old = tuple(name for name in datasets if name not in kept)
    found = {name: find_unfinished(join(folder, name)) for name in names if is_utf8(name) and name not in old}
    unfinished = {name: left for name, left in found.items() if left} | _unfinished_files(folder)
    return PrunePlan(
        old,
        tuple(name for name in datasets if name in kept),
        tuple(name for name in names if name not in datasets and name not in unfinished),
        unfinished,
    )


def run_prune(directory: str, *, keep: int, dry_run: bool, out: TextIO, err: TextIO, no_lock: bool = False) -> None:
    """Removes old datasets and says which.

    Args:
        directory: folder of the datasets, as given.
        keep: number of the newest datasets that stay, at least 1.
        dry_run: only says what would be removed.
        out: takes what was removed.
        err: takes what could not be removed, and what unfinished runs have left.
        no_lock: takes no lock on a dataset that it removes.

    Raises:
        UsageError: there is no dataset in the folder.
        MaskmillError: a dataset could not be removed; the others were.
    """
    folder = absolute(directory)
    plan = plan_prune(folder, keep) if is_folder(folder) else PrunePlan((), (), (), {})
    if not plan.old and not plan.kept and not plan.unfinished:
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
    for name, left in plan.unfinished.items():
        err.write(f"{name}: an unfinished run has left {format_bytes(left.bytes)}, ")
        err.write(f"{_clear(folder, name, left, dry_run=dry_run, no_lock=no_lock)}\n")
    if plan.kept:
        out.write(f"kept, by name: {', '.join(plan.kept)}\n")
    if stay:
        raise MaskmillError(f"{stay} of {len(plan.old)} old datasets could not be removed; run the same command again")


def _is_dataset(root: str) -> bool:
    return bool(_read_manifest(root))


def _read_manifest(root: str) -> Mapping[str, object]:
    """Content of manifest.json; empty if there is none, or if it was changed."""
    path = join(root, MANIFEST)
    try:
        return unseal(read_bytes(path)) if exists(path) else {}
    except ValueError:
        return {}


def _unfinished_files(folder: str) -> dict[str, Unfinished]:
    """Finds files that killed processes have left beside the datasets: incomplete versions of latest.json."""
    return {
        info.name: Unfinished(info.size, info.modified, locked=False, publishing=False)
        for info in list_folder(folder)
        if info.name.startswith(f"{LATEST}.") and info.name.endswith(ATTEMPT)
    }


def _remove(folder: str, name: str, *, no_lock: bool) -> str:
    """Removes a dataset, its manifest first, so that a half-removed dataset is never taken for a whole one."""
    root = join(folder, name)
    try:
        with locked(root, name, uuid.uuid4().hex, no_lock=no_lock):
            _leave_journal(root)
            remove([join(root, MANIFEST)])
            sync(root)
            remove_unfinished(root)
            remove([root])
    except (MaskmillError, OSError) as error:
        return str(error)
    return ""


def _leave_journal(root: str) -> None:
    """Writes down whose files these are: if this process is killed, the next one removes the rest of them."""
    journal = Journal(tuple(shard["file"] for shard in shards_of(_read_manifest(root))))
    with contextlib.suppress(OSError):  # the disk may be full, which is why datasets are removed
        write_journal(root, journal)


def _clear(folder: str, name: str, left: Unfinished, *, dry_run: bool, no_lock: bool) -> str:
    """Removes what an unfinished run has left if it is old enough, and if no run is at work there; says so."""
    if not left.modified:
        return "nobody can tell when; it stays"
    if time.time() - left.modified < ABANDONED_AFTER_SECONDS:
        return "less than a day ago; it stays"
    if left.publishing and name == read_latest(folder):
        return f"amid publishing; it stays, because {LATEST} names it: run the command of that dataset again"
    if dry_run:
        return "more than a day ago; it would be removed"
    root = join(folder, name)
    try:
        if is_folder(root):
            with locked(root, name, uuid.uuid4().hex, no_lock=no_lock):
                remove_unfinished(root)
            remove_if_empty(root)
        else:
            remove([root])
    except (MaskmillError, OSError) as error:
        return f"more than a day ago; it stays: {error}"
    return "more than a day ago; it is removed"
