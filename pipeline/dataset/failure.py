"""What has come of a run, for whoever started it."""

from __future__ import annotations

import json

from maskmill.names import JOURNAL, OUTCOME
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError, UsageError
from maskmill.pipeline.job.job import Job
from maskmill.transforms.files.find_files import exists
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes_if_there, write_whole
from maskmill.transforms.shards.staging import count_staged


def leave_outcome(job: Job, error: MaskmillError) -> None:
    """Leaves word of why nothing is published in the staging folder: the graph may run on other machines."""
    outcome = {"exit_status": error.exit_status, "message": str(error), "codes": getattr(error, "codes", {})}
    write_whole(join(job.staging, OUTCOME), json.dumps(outcome).encode())


def raise_outcome(job: Job) -> None:
    """Raises what the graph has left word of, if anything.

    Raises:
        MaskmillError: what was given to `leave_outcome`.
    """
    content = read_bytes_if_there(join(job.staging, OUTCOME))
    if content is not None:
        outcome = json.loads(content)
        if outcome["exit_status"] == TooManyRejectedError.exit_status:
            raise TooManyRejectedError(outcome["message"], outcome["codes"])
        raise MaskmillError(outcome["message"])


def describe_state(job: Job) -> str:
    """What a run that did not come to its end has left."""
    try:
        existing = find_existing(job.root, job.splits)
        whole = existing.manifest is not None
        if existing.manifest and existing.complete and existing.manifest.get("input") == job.input:
            return f"the dataset in {job.output_dir} is whole; the same command removes what is left of the run"
        if exists(join(job.root, JOURNAL)) and not whole:
            return f"in the middle of publishing; {job.output_dir} is no dataset until the same command has ended"
        count = count_staged(job.staging, job.splits)
    except (OSError, UsageError) as error:
        return f"what is in {job.output_dir} cannot be seen either: {error}"
    of_all = f" of {job.num_shards}" if job.num_shards is not None else ""
    shards = f"{count}{of_all} shards"
    found = f"; the dataset in {job.output_dir} is whole" if whole else ""
    return f"nothing was published; {shards} are finished in {job.staging}, where the same command takes them up{found}"
