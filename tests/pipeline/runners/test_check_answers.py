"""Job servers and clusters that answer, and those that are not asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.runners import check_answers as module
from maskmill.pipeline.runners.check_answers import check_answers
from maskmill.pipeline.runners.check_settings import flink_address


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 2)


@pytest.fixture(name="job_server")
def serve_grpc() -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield f"localhost:{port}"
    server.stop(None)


@pytest.fixture(name="asked")
def serve_http() -> Iterator[tuple[str, list[str]]]:
    """A web server, and the paths that it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(401)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"localhost:{server.server_port}", paths
        server.shutdown()


def pipeline(*options: str) -> beam.Pipeline:
    return beam.Pipeline(options=PipelineOptions([*options]))


def test_a_job_server_that_answers_is_enough(job_server: str) -> None:
    check_answers(pipeline("--runner=PortableRunner", f"--job_endpoint={job_server}"))


def test_a_flink_that_answers_is_enough_whatever_it_says(asked: tuple[str, list[str]]) -> None:
    master, paths = asked
    check_answers(pipeline("--runner=FlinkRunner", f"--flink_master={master}"))
    check_answers(pipeline("--runner=FlinkRunner", f"--flink_master=http://{master}/flink/", "--flink_submit_uber_jar"))
    assert paths == ["/v1/config", "/flink/v1/config"]


def test_somebody_with_whom_no_secure_connection_is_made_answers_too(asked: tuple[str, list[str]]) -> None:
    check_answers(pipeline("--runner=FlinkRunner", f"--flink_master=https://{asked[0]}"))


@pytest.mark.parametrize(
    "options",
    [
        ("--runner=FnApiRunner", "--job_endpoint=localhost:1", "--flink_master=localhost:1"),
        ("--runner=DirectRunner", "--job_endpoint=localhost:1"),
        ("--runner=PortableRunner", "--job_endpoint=embed"),
        ("--runner=FlinkRunner",),
        ("--runner=FlinkRunner", "--flink_master=[auto]"),
        ("--runner=FlinkRunner", "--flink_master= [local] ", "--flink_submit_uber_jar"),
        ("--runner=FlinkRunner", "--flink_master=localhost:1", "--output_executable_path=job.jar"),
        ("--runner=PrismRunner",),
        ("--runner=SparkRunner",),
    ],
)
def test_what_beam_starts_itself_is_not_asked(options: tuple[str, ...]) -> None:
    check_answers(pipeline(*options))


@pytest.mark.parametrize(
    ("master", "uber_jar", "address"),
    [
        ("localhost:8081", False, "http://localhost:8081"),
        (" localhost:8081 ", True, "http://localhost:8081"),
        ("https://flink.example:443/", True, "https://flink.example:443"),
        ("flink", False, "http://flink:8081"),
        ("https://flink.example/a/", True, "https://flink.example/a"),
        ("http://[::1]:8081", False, "http://[::1]:8081"),
        ("http://[::1]", False, "http://[::1]:8081"),
    ],
)
def test_the_address_of_flink_is_read_as_beam_reads_it(master: str, uber_jar: bool, address: str) -> None:
    flags = ["--flink_submit_uber_jar"] if uber_jar else []
    found = flink_address(PipelineOptions([f"--flink_master={master}", *flags]))
    assert found is not None
    assert found.geturl() == address


@pytest.mark.parametrize(
    "master", ["", "  ", ":8081", "http://", "localhost:x", "localhost:70000", "localhost:0", "[x"]
)
def test_what_is_no_address_is_refused(master: str) -> None:
    with pytest.raises(UsageError, match=r"is not an address; give HOST:PORT, such as localhost:8081"):
        flink_address(PipelineOptions([f"--flink_master={master}"]))
