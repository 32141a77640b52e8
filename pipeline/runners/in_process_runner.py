"""Makes Beam's in-process runner release the buffers of each stage, and start worker processes that print nothing.

`FnApiRunner._execute_bundle` is private; tried with Beam 2.77. If a later Beam calls it in another way, the runner
works as Beam's own and takes more memory.
"""

from __future__ import annotations

import contextlib
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult

from maskmill.pipeline.runners import local_worker


class InProcessRunner(FnApiRunner):
    """A runner that releases what has processed a bundle: here, a stage hardly ever has a second one.

    The processor of a stage has a buffer for each of its outputs, of up to 16 MB, which Beam keeps for the stage's next
    bundle. If there is one, it gets a new processor.
    """

    def run_via_runner_api(
        self, pipeline_proto: beam_runner_api_pb2.Pipeline, options: PipelineOptions
    ) -> PipelineResult:
        """Runs a pipeline as Beam does, with worker processes of ours (`multi_processing`)."""
        for environment in pipeline_proto.components.environments.values():
            if environment.urn == python_urns.SUBPROCESS_SDK:
                environment.payload = local_worker.command().encode()
        return super().run_via_runner_api(pipeline_proto, options)

    def _execute_bundle(self, *arguments: Any, **more: Any) -> Any:
        result = super()._execute_bundle(*arguments, **more)
        with contextlib.suppress(ImportError, AttributeError, IndexError):
            _release_processors(arguments[1])
        return result


def _release_processors(bundle_context_manager: Any) -> None:
    from apache_beam.runners.portability.fn_api_runner.worker_handlers import EmbeddedWorkerHandler

    for handler in bundle_context_manager.worker_handlers:
        if isinstance(handler, EmbeddedWorkerHandler):
            handler.stop_worker()  # only empties its cache of processors
