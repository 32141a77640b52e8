"""Passes on why a run published nothing, wherever the graph ran, and describes what it left."""

from __future__ import annotations

import json

from maskmill.names import JOURNAL, OUTCOME
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.errors import ChangedTooMuchError, MaskmillError, TooManyRejectedError, UsageError
from maskmill.pipeline.job.job import Job
from maskmill.transforms.files.find_files import exists
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes_if_there, write_whole
from maskmill.transforms.shards.staging import count_staged


def leave_failure(job: Job, error: MaskmillError) -> None:
    """Writes the reason into the staging folder: the graph may run on other machines."""
    outcome = {"exit_status": error.exit_status, "message": str(error), "codes": getattr(error, "codes", {})}
    write_whole(join(job.output.staging, OUTCOME), json.dumps(outcome).encode())


def raise_failure(job: Job) -> None:
    """Raises the error that the graph has left, if any.

    Raises:
        MaskmillError: the one that was given to `leave_failure`.
    """
    content = read_bytes_if_there(join(job.output.staging, OUTCOME))
    if content is not None:
        outcome = json.loads(content)
        if outcome["exit_status"] == TooManyRejectedError.exit_status:
            raise TooManyRejectedError(outcome["message"], outcome["codes"])
        if outcome["exit_status"] == ChangedTooMuchError.exit_status:
            raise ChangedTooMuchError(outcome["message"])
        raise MaskmillError(outcome["message"])


def describe_state(job: Job) -> str:
    """Says what an unfinished run has left, and what the same command will do with it."""
    shown = job.output.output_dir
    try:
        existing = find_existing(job.output.root, job.splits)
        whole = existing.manifest is not None
        if existing.manifest and existing.complete and existing.manifest.get("input") == job.input.fingerprint:
            return f"the dataset in {shown} is whole; the same command removes what is left of the run"
        if exists(join(job.output.root, JOURNAL)) and not whole:
            return f"in the middle of publishing; {shown} is no dataset until the same command has ended"
        count = count_staged(job.output.staging, job.splits)
    except (OSError, UsageError) as error:
        return f"what is in {shown} cannot be seen either: {error}"
    of_all = f" of {job.num_shards}" if job.num_shards is not None else ""
    shards = f"{count}{of_all} shards"
    found = f"; the dataset in {shown} is whole" if whole else ""
    return f"nothing was published; {shards} are finished in {job.output.staging}: the same command resumes{found}"
