"""Checks jobs for Dataflow, and announces them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, TestOptions
from apache_beam.runners.runner import PipelineResult

from maskmill.pipeline.errors import UsageError
from maskmill.transforms.files.paths import is_local

DATAFLOW_RUNNER = "DataflowRunner"


def check_reachable(pipeline: beam.Pipeline, paths: Iterable[str]) -> None:
    """Refuses local paths, which workers of Dataflow would look for on their own disks.

    Raises:
        UsageError: a path is local.
    """
    if _is_dataflow(pipeline):
        for path in paths:
            if is_local(path):
                raise UsageError(f"{path}: is on this machine, which Dataflow cannot see; give a gs:// path")


def describe_unrun(pipeline: beam.Pipeline) -> str | None:
    """Describes a job that is only translated (for a template, or a dry run); None if the job is to run."""
    if not _is_dataflow(pipeline):
        return None
    if pipeline.options.view_as(TestOptions).dry_run:
        return "the job can be translated for Dataflow; nothing was submitted (--dry_run)"
    template = pipeline.options.view_as(GoogleCloudOptions).template_location
    return f"the job was written to {template}; nothing has run yet" if template else None


def announce(result: PipelineResult, out: TextIO) -> None:
    """Prints the id of a submitted job at once, in the words that Airflow's operators look for."""
    if getattr(result, "has_job", False):
        out.write(f"Created job with id: [{result.job_id()}]\n")
        out.flush()


def _is_dataflow(pipeline: beam.Pipeline) -> bool:
    # By name: without apache-beam[gcp] the class does not exist.
    return type(pipeline.runner).__name__ == DATAFLOW_RUNNER
