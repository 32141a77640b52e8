"""Runs a pipeline to its end, and cancels it."""

from __future__ import annotations

import re
import threading
import time
from typing import TextIO

import apache_beam as beam
from apache_beam.runners.runner import PipelineResult, PipelineState

from maskmill.pipeline.errors import last_line
from maskmill.pipeline.runners.dataflow import announce

CANCEL_SECONDS = 20
# What a failure means and what to do, by the beginning of Beam's message.
_ADVICE = {
    "Channel closed prematurely": "a worker process died; if memory ran out, give a smaller --direct_num_workers",
    "Unable to fetch remote prism binary": "name the program: --prism_location=FILE",
    "Unable to fetch remote job server jar": "name the jar, for Flink: --flink_job_server_jar=FILE",
}
# Where Beam downloads from, in such a message; it is of no use here.
_ADDRESS = re.compile(r" at https?://\S+?(?=:?(\s|$))")


def describe_error(error: BaseException) -> str:
    """Says in one line why a runner failed, and what to do if that is known."""
    line = last_line(error).removesuffix(".")
    for start, advice in _ADVICE.items():
        if line.startswith(start):
            return f"{_ADDRESS.sub('', line)}; {advice}"
    return line


class RunnerJob:
    """One run of a pipeline.

    Args:
        pipeline: steps may still be added to it.
        out: takes the id of a job of Dataflow.
    """

    def __init__(self, pipeline: beam.Pipeline, out: TextIO) -> None:
        self.pipeline = pipeline
        self._out = out
        self._result: PipelineResult | None = None
        self._ended = False

    def run(self) -> None:
        """Runs the pipeline to its end.

        Raises:
            RuntimeError: the job ended in another state than done.
            Exception: an error of the runner.
        """
        self._result = self.pipeline.run()
        announce(self._result, self._out)
        state = self._result.wait_until_finish()
        if state != PipelineState.DONE:
            raise RuntimeError(f"the job was not done, but is {state}")

    def cancel(self) -> bool:
        """Cancels the job if it has not ended, and waits for its end for at most `CANCEL_SECONDS`.

        Returns:
            whether nothing is left of the job. A runner in this process ends with its pipeline.
        """
        if self._result is None:
            return True
        # In a daemon thread: a cluster may never answer.
        thread = threading.Thread(target=self._cancel, daemon=True)
        thread.start()
        thread.join(CANCEL_SECONDS)
        return self._ended

    def _cancel(self) -> None:
        assert self._result is not None
        try:
            if not PipelineState.is_terminal(self._result.state):
                self._result.cancel()
            while not PipelineState.is_terminal(self._result.state):
                time.sleep(0.5)
        except Exception:  # noqa: BLE001, each runner has its own
            return
        self._ended = True
