"""Adds to Beam's client of a Flink cluster: time limits, messages for people, and a way to cancel a job."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import requests
from apache_beam.runners.portability import flink_uber_jar_job_server

_ANSWER_SECONDS = 60
ASK_EVERY_SECONDS = 2


class FlinkJob(flink_uber_jar_job_server.FlinkBeamJob):
    """A job that is submitted to a cluster over REST (`--flink_submit_uber_jar`)."""

    def request(self, method: Any, path: str, expected_status: int = 200, **kwargs: Any) -> Any:
        """As Beam's, which has no time limit.

        Raises:
            ConnectionError: the cluster does not answer.
            RuntimeError: the cluster refuses the request.
        """
        try:
            return super().request(method, path, expected_status, timeout=_ANSWER_SECONDS, **kwargs)
        except requests.RequestException as error:
            raise ConnectionError(f"no Flink cluster answers at {self._master_url} (--flink_master)") from error

    def get_state_stream(self) -> Iterator[Any]:
        """As Beam's, which polls less and less often, at last once a minute."""
        for state, timestamp in self.with_state_history(self._ask()):
            yield state, timestamp
            if self.is_terminal_state(state):
                return

    def get_message_stream(self) -> Iterator[Any]:
        """As Beam's, but ends when the cluster is gone: the thread that reads it would print a traceback."""
        with contextlib.suppress(ConnectionError):
            yield from super().get_message_stream()

    def _ask(self) -> Iterator[Any]:
        while True:
            yield self.get_state()
            time.sleep(ASK_EVERY_SECONDS)

    def cancel(self) -> None:
        """Cancels the job; Beam's own request has an address that Flink does not know."""
        self.request(requests.patch, f"v1/jobs/{self._flink_job_id}?mode=cancel", expected_status=202)


def install() -> None:
    """Makes Beam use this class; it has no option for that."""
    flink_uber_jar_job_server.FlinkBeamJob = FlinkJob
