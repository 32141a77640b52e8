"""A pipeline with its runner: waited for, and cancelled where that is in vain."""

from __future__ import annotations

import threading
import time
from typing import TextIO

import apache_beam as beam
from apache_beam.runners.runner import PipelineResult, PipelineState

from maskmill.pipeline.runners.dataflow import announce

CANCEL_SECONDS = 20


class RunnerJob:
    """One run of a pipeline.

    Args:
        pipeline: to which the steps may still be added.
        out: where a job of Dataflow is named.
    """

    def __init__(self, pipeline: beam.Pipeline, out: TextIO) -> None:
        self.pipeline = pipeline
        self._out = out
        self._result: PipelineResult | None = None
        self._ended = False

    def run(self) -> None:
        """Runs the pipeline to its end.

        Raises:
            RuntimeError: it has come to another end than being done.
            Exception: whatever the runner says of its failure.
        """
        self._result = self.pipeline.run()
        announce(self._result, self._out)
        state = self._result.wait_until_finish()
        if state != PipelineState.DONE:
            raise RuntimeError(f"the job was not done, but is {state}")

    def cancel(self) -> bool:
        """Cancels what the runner has not ended, and waits for its end for a time.

        Returns:
            whether nothing is left of the job. A runner in this process has ended with its pipeline, or ends with it.
        """
        if self._result is None:
            return True
        # A thread that nobody waits for: a cluster may be silent.
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
