"""Takes over the finished shards of earlier days whose runs failed, and removes what else those have left.

Each day has a folder of its own, so nothing else would ever find them, and they would fill the disk. They are moved,
not copied: there is one staging folder at a time, however many nights fail one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from maskmill.names import MANIFEST, STAGING, is_utf8, parse_staged, record_path, shard_path, staged_path
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.dataset.latest import list_datasets, read_latest
from maskmill.pipeline.dataset.reuse import split_day
from maskmill.pipeline.dataset.run_lock import can_lock, locked
from maskmill.pipeline.dataset.unfinished import find_unfinished, remove_if_empty, remove_unfinished
from maskmill.pipeline.errors import MaskmillError
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.messages.quantities import count
from maskmill.transforms.files.find_files import exists, list_below
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import make_folder, move, move_all
from maskmill.transforms.shards.staging import write_record


def take_over_unfinished(directory: str, job: Job, run: str, *, no_lock: bool = False) -> Iterator[str]:
    """Moves what earlier runs have finished into the staging folder of this run, and removes the rest that they left.

    Earlier are the folders that come before this one by name. One whose run lives is left alone: its lock is held. A
    job may go on in a cluster although the program that held its lock has ended. It then finds that its shards are gone
    before it has changed anything, and publishes nothing.

    Args:
        directory: value of `--reuse`, as given.
        job: of this run, which holds the lock of its output folder.
        run: id of this run.
        no_lock: takes no lock, and leaves a folder alone that has one.

    Yields:
        what was done, for people.
    """
    folder, name = split_day(directory, job.output.root)
    if not name or not can_lock(folder):
        return
    latest = read_latest(folder)
    for other in reversed(list_datasets(folder)):
        if other >= name or not is_utf8(other):
            continue
        root = join(folder, other)
        try:
            left = find_unfinished(root)
            # Its own command can still complete a dataset that latest.json names.
            if left is None or (left.publishing and other == latest) or (left.locked and no_lock):
                continue
            with locked(root, other, run, no_lock=no_lock):
                taken = _move_finished(root, job)
                remove_unfinished(root)
            remove_if_empty(root)
        except (MaskmillError, OSError) as error:
            yield f"what an unfinished run has left in {other} stays there: {error}"
        else:
            yield f"a run has left {other} unfinished; {count(taken, 'finished shard')} of it are taken over"


def _move_finished(root: str, job: Job) -> int:
    """Moves the finished shards of a folder into the staging folder of this run; returns how many.

    Of the versions of a shard only the newest is moved: a run uses one, and all would take the space of two datasets.
    """
    if not exists(join(root, MANIFEST)):
        _return_published(root)
    found = {info.path: info for info in list_below(join(root, STAGING))}
    finished = [info for info in found.values() if record_path(info.path) in found]
    newest = {_shard_of(info.path): info.path for info in sorted(finished, key=lambda info: info.modified)}
    there = {_shard_of(info.path) for info in list_below(job.output.staging)}
    moves = []
    for (split, shard), path in newest.items():
        if split in job.splits and (split, shard) not in there:
            moves.append((path, join(job.output.staging, shard_path(split, path.rsplit("/", 1)[1]))))
    for split in job.splits:
        make_folder(join(job.output.staging, split))
    move_all(moves)
    # If there is a record, the file is complete.
    move_all([(record_path(source), record_path(target)) for source, target in moves])
    return len(moves)


def _return_published(root: str) -> None:
    """Moves the shards that an interrupted publishing had moved into place back into the staging folder."""
    for path, stored in find_existing(root, ()).shards.items():
        staged = join(root, f"{STAGING}/{staged_path(path, stored.fingerprint)}")
        make_folder(staged.rpartition("/")[0])
        move(join(root, path), staged)
        write_record(staged, stored)


def _shard_of(staged: str) -> tuple[str, str]:
    """Split of a staged file, and the name of its shard in any version."""
    split, name = staged.rsplit("/", 2)[1:]
    return split, parse_staged(name)
