"""Beam's runner in this process, which by itself keeps the buffers of each stage until the end of the run."""

from __future__ import annotations

from typing import Any

from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.portability.fn_api_runner.worker_handlers import EmbeddedWorkerHandler


class InProcessRunner(FnApiRunner):
    """A runner that lets go of what has processed a bundle: here, a stage hardly ever has a second one.

    A stage's processor has an output buffer for each of its outputs, which has grown to up to 16 MB and would be used
    again for the next bundle. Should there be one, it gets a new processor.
    """

    def _execute_bundle(self, runner_execution_context: Any, bundle_context_manager: Any, bundle_input: Any) -> Any:
        result = super()._execute_bundle(runner_execution_context, bundle_context_manager, bundle_input)
        for handler in bundle_context_manager.worker_handlers:
            if isinstance(handler, EmbeddedWorkerHandler):
                handler.stop_worker()  # which only empties its cache of processors
        return result
