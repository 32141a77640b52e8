"""What Dataflow would be given, and what the command says then: translated for it, against servers of the tests.

Nothing here needs the network. `make test-dataflow` runs these tests.
"""

from __future__ import annotations

import base64
import bz2
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT
from tests.support.needs import needs_package
from tests.support.stores import Store, google_cloud_storage

pytestmark = pytest.mark.dataflow

# What Airflow's provider for Google looks for, in a line of standard output.
AIRFLOWS_PATTERN = re.compile(r'Created job with id: \[(?P<job_id_python>[^"\n\s]*)\]')
PAR_DO = "beam:transform:pardo:v1"
COMBINE = re.compile(r"beam:transform:combine_\w+:v1")
MAX_PAYLOAD_BYTES = 8_192


@pytest.fixture(name="store", scope="module")
def run_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A bucket with a dataset and a parameter file."""
    needs_package("google.cloud.dataflow", "gcp")
    folder = tmp_path_factory.mktemp("dataflow")
    data = write_dataset(folder / "data", [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcd", 1)])
    with google_cloud_storage() as store:
        store.put_folder(data, "data")
        params = write_params(folder / "params.yaml", store.path("data"))  # type: ignore[arg-type]
        store.put("params.yaml", params.read_bytes())
        yield store


def create_on_dataflow(
    store: Store, *flags: str, status: int = 0, output_dir: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `create` with DataflowRunner."""
    options = ["--runner=DataflowRunner", "--project=test-project", "--region=us-central1"]
    return create(store, *options, f"--temp_location={store.path('tmp')}", *flags, status=status, output_dir=output_dir)


def create(
    store: Store, *flags: str, status: int = 0, output_dir: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `create` as a program of its own: what is pickled depends on what `__main__` is."""
    paths = [f"--params={store.path('params.yaml')}", f"--output_dir={output_dir or store.path('out')}"]
    done = subprocess.run(
        [sys.executable, "-m", "maskmill", "create", *paths, *flags],
        env={**os.environ, **store.variables},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(name="template", scope="module")
def write_template(store: Store) -> dict:
    """The job as Dataflow would be given it; also asked to save the main session, which it must not do."""
    location = store.path("template.json")
    flags = [f"--template_location={location}", "--setup_file=./setup.py", "--save_main_session"]
    done = create_on_dataflow(store, *flags)
    assert done.stdout == f"the job was written to {location}; nothing has run yet\n"
    return json.loads(store.get("template.json"))


@pytest.fixture(name="translated", scope="module")
def read_pipeline(store: Store, template: dict) -> beam_runner_api_pb2.Pipeline:
    """The graph of that job."""
    url = template["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
    return beam_runner_api_pb2.Pipeline.FromString(store.get(url.removeprefix(store.path(""))))


def test_the_job_holds_every_step_of_the_graph(translated: beam_runner_api_pb2.Pipeline) -> None:
    steps = {transform.unique_name for transform in translated.components.transforms.values()}
    assert {
        "ReadAnnotations",
        "ListImages",
        "GroupByImage",
        "AssignByPosition",
        "AssignShards/GroupByShard",
        "WriteShards/WriteShard",
        "AggregateMetadata",
        "PublishDataset/Publish",
    } <= steps


def test_all_steps_run_in_one_environment(template: dict, translated: beam_runner_api_pb2.Pipeline) -> None:
    assert len(translated.components.environments) == 1
    (pool,) = template["environment"]["workerPools"]
    assert len(pool["sdkHarnessContainerImages"]) == 1


def test_a_template_runs_nothing_and_touches_no_output(store: Store, template: dict) -> None:
    assert template["type"] == "JOB_TYPE_BATCH"
    assert store.names("out") == []


def test_the_staged_package_holds_every_floor(store: Store, template: dict) -> None:
    staged = {package["name"]: package["location"] for package in template["environment"]["workerPools"][0]["packages"]}
    name = staged["workflow.tar.gz"].split("/", 2)[2]
    with tarfile.open(fileobj=io.BytesIO(store.get(name))) as archive:
        names = {member.split("/", 1)[-1] for member in archive.getnames()}
    assert {"maskmill/pipeline/cli.py", "maskmill/transforms/sink/write_shards.py", "README.md", "setup.py"} <= names


def test_no_main_session_is_staged(store: Store, template: dict) -> None:
    assert template["environment"]["sdkPipelineOptions"]["options"]["save_main_session"] is False
    assert not [name for name in store.names("tmp") if "main_session" in name]


def test_no_function_drags_the_main_module_along(translated: beam_runner_api_pb2.Pipeline) -> None:
    pickles = {
        (transform.unique_name, role, tag): pickle
        for transform in translated.components.transforms.values()
        for role, tag, pickle in _pickles_of(transform)
    }
    found = Counter(role for (_, role, _), pickle in pickles.items() if pickle)
    assert found["DoFn"] > 20
    assert found["CombineFn"] >= 1
    assert found["ViewFn"] == found["WindowMappingFn"] >= 4
    assert [name for name, pickle in pickles.items() if b"__main__" in pickle] == []
    assert {name: len(pickle) for name, pickle in pickles.items() if len(pickle) > MAX_PAYLOAD_BYTES} == {}


def _pickles_of(transform: beam_runner_api_pb2.PTransform) -> Iterator[tuple[str, str, bytes]]:
    """The functions of a step: what each is, of which side input, and its pickle."""
    if transform.spec.urn == PAR_DO:
        par_do = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
        yield "DoFn", "", _unpacked(par_do.do_fn)
        for tag, side_input in par_do.side_inputs.items():
            yield "ViewFn", tag, _unpacked(side_input.view_fn)
            yield "WindowMappingFn", tag, _unpacked(side_input.window_mapping_fn)
    elif COMBINE.fullmatch(transform.spec.urn):
        combine = beam_runner_api_pb2.CombinePayload.FromString(transform.spec.payload)
        yield "CombineFn", "", _unpacked(combine.combine_fn)


def _unpacked(function: beam_runner_api_pb2.FunctionSpec) -> bytes:
    return bz2.decompress(base64.b64decode(function.payload)) if function.payload else b""


def test_a_template_is_written_where_there_is_nothing_to_do_too(store: Store) -> None:
    # The launcher of a Flex Template takes its absence for a failure.
    output_dir, one_file = store.path("made"), "--num_output_files=1"
    create(store, one_file, output_dir=output_dir)
    assert "nothing to do" in create(store, one_file, output_dir=output_dir).stdout
    made = store.get("made/manifest.json")
    create_on_dataflow(store, one_file, f"--template_location={store.path('again.json')}", output_dir=output_dir)
    assert json.loads(store.get("again.json"))["type"] == "JOB_TYPE_BATCH"
    assert store.get("made/manifest.json") == made


def test_a_dry_run_submits_nothing(store: Store) -> None:
    done = create_on_dataflow(store, "--dry_run=True", output_dir=store.path("dry"))
    assert done.stdout == "the job can be translated for Dataflow; nothing was submitted (--dry_run)\n"
    assert store.names("dry") == []


def test_a_local_folder_is_refused(store: Store, tmp_path: Path) -> None:
    done = create_on_dataflow(store, output_dir=str(tmp_path / "out"), status=2)
    assert done.stderr.endswith(f"{tmp_path}/out: is on this machine, which Dataflow cannot see; give a gs:// path\n")
    assert not (tmp_path / "out").exists()


def test_the_id_of_a_job_is_printed_for_airflow(store: Store) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Jobs) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        endpoint = f"--dataflow_endpoint=http://localhost:{service.server_port}"
        done = create_on_dataflow(store, endpoint, "--quiet", status=1)
        service.shutdown()
    (line,) = done.stdout.splitlines()
    found = AIRFLOWS_PATTERN.search(line)
    assert found is not None
    assert found["job_id_python"] == _Jobs.job_id
    assert "the runner says that it is done, but nothing was published" in done.stderr


class _Jobs(BaseHTTPRequestHandler):
    """A service that takes every job, and says at once that it is done, although nobody has worked on it."""

    job_id = "2026-01-02_03_04_05-6789"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = json.dumps({"id": self.job_id, "currentState": "JOB_STATE_DONE"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
