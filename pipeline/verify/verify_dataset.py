"""Checks that a finished dataset is what was written: every file, every byte, every example."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TextIO

from maskmill.completeness import check_sizes
from maskmill.format_version import highest_format
from maskmill.history import check_history
from maskmill.manifest import check_sums, unseal
from maskmill.names import HISTORY, JOURNAL, MANIFEST, REJECTED
from maskmill.pipeline.dataset.list_files import list_sizes, list_split_sizes
from maskmill.pipeline.errors import DamagedError, MaskmillError, UsageError
from maskmill.pipeline.messages.progress_bar import show_progress
from maskmill.pipeline.verify.check_files import check_contents, listed_files
from maskmill.pipeline.verify.check_original import check_original, splits_of_original
from maskmill.pipeline.verify.findings import Findings
from maskmill.transforms.files.find_files import exists
from maskmill.transforms.files.paths import absolute, is_local, join
from maskmill.transforms.files.read_write import read_bytes, read_bytes_if_there
from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.parallel.progress import Progress

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


def run_verify(directory: str, *, quick: bool, quiet: bool, out: TextIO, err: TextIO) -> None:
    """Checks a dataset and reports what was found.

    Args:
        directory: folder of the dataset.
        quick: checks names and sizes only.
        quiet: shows no progress, and no message if the dataset is whole.
        out: takes the problems, or the message about a whole dataset.
        err: takes progress.

    Raises:
        DamagedError, UsageError, MaskmillError, OSError: as `verify`, and DamagedError for any problem.
    """
    progress = Progress()
    try:
        with show_progress(progress, err, quiet=quiet, unit="bytes"):
            report = verify(directory, quick=quick, progress=progress)
    except KeyboardInterrupt:
        err.write("\nstopped\n")
        err.flush()
        # At once: a normal exit would wait for threads, which only read.
        os._exit(130)
    if report.problems:
        out.write("".join(f"{line}\n" for line in report.shown_problems()))
        out.flush()  # before the error
        from maskmill.pipeline.verify.mend_command import mend_command  # slow, and rarely needed

        raise DamagedError(report.failure(directory, mend_command(directory)))
    if not quiet:
        out.write(report.success(directory) + "\n")


def verify(root: str, *, quick: bool = False, workers: int | None = None, progress: Progress | None = None) -> Findings:
    """Checks a dataset, and prints nothing.

    Args:
        root: folder of the dataset, on any file system.
        quick: checks names and sizes only, and reads nothing but manifest.json.
        workers: number of threads; None is one a core.
        progress: counts the bytes that are read.

    Raises:
        UsageError: there is no such folder.
        DamagedError: there is no dataset in it, or one that is not published yet.
        MaskmillError: a later version of maskmill wrote the dataset.
        OSError: the folder cannot be listed.
    """
    path = absolute(root)
    if is_local(path) and not os.path.isdir(path):
        raise UsageError(f"{root}: there is no such folder; name the folder of a dataset")
    sizes = list_sizes(path)
    workers, progress = workers or usable_cores(), progress or Progress()
    if MANIFEST in sizes:
        return _verify(path, sizes, quick, workers, progress)
    if exists(join(path, JOURNAL)):
        raise DamagedError(f"{root} has no {MANIFEST}: publishing was interrupted; run the same command again")
    if REJECTED in sizes:
        problem = f"{root} has no {MANIFEST}, which maskmill writes last"
        raise DamagedError(f"{problem}; run the same maskmill create with --overwrite, or copy the dataset again")
    splits = splits_of_original(path, sizes)
    if not splits:
        raise DamagedError(f"no dataset in {root}")
    return check_original(path, splits, quick=quick, workers=workers, progress=progress)


def _verify(root: str, sizes: Mapping[str, int], quick: bool, workers: int, progress: Progress) -> Findings:
    try:
        manifest = _read_manifest(root)
        files = listed_files(manifest)
        problems = list(check_sums(manifest))
    except _UNREADABLE as error:
        return Findings((f"{MANIFEST}: {_reason(error)}",), 0, 0, 0, has_manifest=True, quick=quick)
    in_splits, unlisted = list_split_sizes(root, manifest["splits"])
    found = {**sizes, **in_splits}
    problems += [*unlisted, *check_sizes({file.path: file.bytes for file in files}, found, MANIFEST)]
    if not quick:
        present = [file for file in files if found.get(file.path) == file.bytes]
        progress.expect(sum(file.bytes for file in present))
        problems += check_contents(root, manifest, present, workers=workers, progress=progress)
        problems += check_history(read_bytes_if_there(join(root, HISTORY)), manifest["format_version"])
    shards = [file for file in files if file.split is not None]
    size = sizes[MANIFEST] + sum(file.bytes for file in files)
    examples = sum(shard.examples for shard in shards)
    return Findings(tuple(problems), examples, len(shards), size, has_manifest=True, quick=quick)


def _read_manifest(root: str) -> dict[str, Any]:
    manifest = unseal(read_bytes(join(root, MANIFEST)))
    version = manifest["format_version"]
    if version > highest_format():
        raise MaskmillError(
            f"{join(root, MANIFEST)} is of format version {version}, and this maskmill knows none above "
            f"{highest_format()}; verify with the maskmill that made the dataset"
        )
    return manifest


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read ({error})"
    if isinstance(error, ValueError):
        return "was changed after it was written"
    return f"does not hold what a manifest does ({type(error).__name__}: {error})"
