"""`--verify`: reads what a run would keep, copy or resume, with progress, and says what is damaged."""

from __future__ import annotations

import functools

from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.check_kept import check_kept
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.messages.progress_bar import show_progress
from maskmill.pipeline.messages.quantities import count, format_bytes
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.parallel.progress import Progress
from maskmill.transforms.text import printable

SHOWN_PROBLEMS = 20


def verify_kept(
    arguments: CreateArguments, job: Job, baseline: Baseline, log: RunLog, *, dry_run: bool = False
) -> Baseline:
    """Reads the files in this process, whatever the runner.

    Args:
        arguments: of the command.
        job: what is to be made.
        baseline: what the run starts from.
        log: takes progress, and what was found.
        dry_run: changes nothing.

    Returns:
        the baseline without damaged shards.
    """
    progress = Progress()
    tell = functools.partial(log.tell, "progress") if log.as_json else None
    with (
        log.step("verify-kept") as counts,
        show_progress(progress, log.err, quiet=arguments.quiet, unit="bytes", tell=tell, watch=log.watch),
    ):
        workers = arguments.workers or usable_cores()
        baseline, kept = check_kept(job, baseline, workers=workers, progress=progress, dry_run=dry_run)
        counts.update(files=kept.files, bytes=kept.bytes, damaged=len(kept.problems))
    for problem in kept.problems[:SHOWN_PROBLEMS]:
        log.tell("warning", printable(problem))
    if (more := len(kept.problems) - SHOWN_PROBLEMS) > 0:
        log.tell("warning", f"… and {more:,} more like these")
    if not kept.files and not arguments.quiet:
        log.tell("verified", "there are no files of earlier runs to read")
    elif not arguments.quiet:
        found = f"{count(len(kept.problems), 'problem')}" if kept.problems else "all are whole"
        log.tell("verified", f"{count(kept.files, 'file')} of earlier runs read, {format_bytes(kept.bytes)}; {found}")
    return baseline
