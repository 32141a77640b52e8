"""Runners, clusters, file systems and disks as users have them: an error in seconds that says what to do, or a run."""

from __future__ import annotations

import errno
import fcntl
import json
import shutil
import socket
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from maskmill.names import HISTORY
from maskmill.pipeline.runners import check_answers
from maskmill.pipeline.verify.verify_dataset import verify
from tests.support.builders import write_params
from tests.support.command import Said, create_here, run_here, run_maskmill, tree
from tests.support.datasets import EMPTY, SHARD, copy_of, make_dataset
from tests.support.user_files import UserFiles

# Between these, Beam itself waits for five minutes.
SECONDS = 30
SUITED = "use FnApiRunner (the default, in this process), FlinkRunner, DataflowRunner or PrismRunner"
TWO_ROWS = UserFiles(csv="ImageId,ClassId,EncodedPixels\na.jpg,3,1 2\nb.jpg,3,5 1\n")
FLAGS = ("--num_output_files=4", "--num_processes=2", "--max_rejected=1")


@pytest.fixture(name="params")
def write_two_rows(tmp_path: Path) -> Path:
    return TWO_ROWS.write(tmp_path)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(name="places", scope="module")
def make_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Files, and ports of this machine: nobody's, one that takes connections and is silent, and a web server's."""
    folder = tmp_path_factory.mktemp("places")
    with zipfile.ZipFile(folder / "server.jar", "w"):
        pass
    (folder / "text").write_text("no jar")
    with socket.create_server(("localhost", 0)) as silent, HTTPServer(("localhost", 0), _Handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield {
            "nobody": "localhost:1",
            "silent": f"localhost:{silent.getsockname()[1]}",
            "web": f"localhost:{web.server_port}",
            "jar": str(folder / "server.jar"),
            "text": str(folder / "text"),
            "missing": str(folder / "missing"),
        }
        web.shutdown()


FLINK = "--runner=FlinkRunner --flink_job_server_jar={jar}"
PORTABLE = "--runner=PortableRunner"
# Flags, and words of the error.
REFUSED: list[tuple[str, str]] = [
    ("--direct_num_workers=-1", "--direct_num_workers: -1 is too small; the least is 0"),
    ("--direct_num_workers -1", "--direct_num_workers: -1 is too small; the least is 0"),
    ("--direct_num_workers=", "--direct_num_workers: '' is not a whole number"),
    ("--direct_num_workers=two", "--direct_num_workers: 'two' is not a whole number"),
    ("--direct_num_workers=-1 --runner=DirectRunner", "the least is 0"),
    ("--direct_running_mode=foo", "--direct_running_mode: invalid choice: 'foo' (choose from 'in_memory'"),
    ("--parallelism=0", "--parallelism: 0 is too small; the least is 1"),
    ("--parallelism=-3 --runner=FlinkRunner", "--parallelism: -3 is too small"),
    ("--parallelism=x", "--parallelism: 'x' is not a whole number"),
    ("--max_num_workers=-4", "--max_num_workers: -4 is too small"),
    ("--runner=InteractiveRunner", f"--runner=InteractiveRunner is for notebooks; {SUITED}"),
    ("--runner=interactive", f"--runner=interactive is for notebooks; {SUITED}"),
    ("--runner=apache_beam.runners.interactive.interactive_runner.InteractiveRunner", "is for notebooks"),
    ("--runner=RenderRunner", "--runner=RenderRunner draws pipelines, and does not run them"),
    ("--runner=apache_beam.runners.render.RenderRunner", "draws pipelines, and does not run them"),
    ("--runner=apache_beam.runners.trivial_runner.TrivialRunner", "is an example"),
    ("--runner=KafkaStreamsRunner", "is for endless streams"),
    ("--runner=NoSuchRunner", f"--runner=NoSuchRunner: Apache Beam has no such runner; {SUITED}"),
    ("--runner=FlinkRuner", "did you mean FlinkRunner?"),
    ("--runner=", f"--runner=: Apache Beam has no such runner; {SUITED}"),
    ("--runner=apache_beam.NoRunner", "--runner=apache_beam.NoRunner: Apache Beam has no such runner"),
    ("--runner=no_such_package.Runner", "cannot be imported (No module named 'no_such_package')"),
    ("--runner=os.getcwd", "--runner=os.getcwd is not a runner"),
    ("--runner=os.path", "--runner=os.path: Apache Beam has no such runner"),
    (PORTABLE, "--runner=PortableRunner needs --job_endpoint=HOST:PORT"),
    (f"{PORTABLE} --job_endpoint={{nobody}}", "no job server answers at localhost:1 (--job_endpoint); start it"),
    (f"{PORTABLE} --job_endpoint={{silent}}", "(--job_endpoint); start it, or give HOST:PORT of one that runs"),
    (f"{PORTABLE} --job_endpoint={{web}}", "(--job_endpoint); start it"),
    (f"{PORTABLE} --job_endpoint=localhost", "no job server answers at localhost (--job_endpoint)"),
    (f"{PORTABLE} --job_endpoint=http://{{nobody}}", "no job server answers at http://localhost:1 (--job_endpoint)"),
    ("--runner=FlinkRunner --job_endpoint={nobody}", "no job server answers at localhost:1 (--job_endpoint)"),
    ("--runner=PrismRunner --job_endpoint={nobody}", "no job server answers at localhost:1 (--job_endpoint)"),
    (f"{FLINK} --flink_master={{nobody}}", "no Flink cluster answers at http://localhost:1 (--flink_master); start"),
    (f"{FLINK} --flink_master={{nobody}} --flink_submit_uber_jar", "no Flink cluster answers at http://localhost:1"),
    (f"{FLINK} --flink_master={{silent}}", "(--flink_master); start it, or give HOST:PORT"),
    (f"{FLINK} --flink_master=https://{{nobody}}/flink/", "answers at https://localhost:1/flink (--flink_master)"),
    (f"{FLINK} --flink_master=no.such.host.invalid:8081", "no Flink cluster answers at http://no.such.host.invalid:80"),
    (f"{FLINK} --flink_master=localhost:port", "--flink_master=localhost:port: is not an address; give HOST:PORT"),
    (f"{FLINK} --flink_master=", "--flink_master=: is not an address; give HOST:PORT, such as localhost:8081"),
    (f"{FLINK} --flink_master=[local", "--flink_master=[local: is not an address"),
    (f"{FLINK} --flink_master=localhost:99999", "--flink_master=localhost:99999: is not an address"),
    ("--runner=FlinkRunner --flink_job_server_jar={missing}", "missing: there is no such file"),
    ("--runner=FlinkRunner --flink_job_server_jar={text}", "text: is not a jar"),
    ("--runner=FlinkRunner --flink_submit_uber_jar --flink_master={web} --flink_job_server_jar={text}", "is not a jar"),
    (f"{FLINK} --job_server_java_launcher=nojava", "there is no program nojava to start a job server with"),
    (f"{FLINK} --environment_type=FOO", "--environment_type=FOO: there is no such environment; use DOCKER, PROCESS"),
    (f"{FLINK} --environment_type=PROCESS --environment_config=none", "--environment_config=none: names no program"),
    (f"{FLINK} --environment_type=PROCESS --environment_config=[]", "--environment_config=[]: names no program"),
    ("--runner=PrismRunner --prism_location={missing}", "--prism_location="),
    ("--runner=SparkRunner --spark_job_server_jar={missing}", "--spark_job_server_jar="),
    ("--runner=SparkRunner --spark_submit_uber_jar", "needs --spark_rest_url=http://HOST:PORT"),
    (
        "--runner=SparkRunner --spark_submit_uber_jar --spark_rest_url=http://{nobody}",
        "no Spark cluster answers at http://localhost:1 (--spark_rest_url)",
    ),
]

UNANSWERED = [flags for flags, words in REFUSED if "answers at" in words or "start it" in words]


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize(("flags", "words"), REFUSED, ids=[flags or "none" for flags, _ in REFUSED])
def test_what_cannot_run_is_refused_in_seconds(
    flags: str, words: str, params: Path, places: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_answers, "ANSWER_SECONDS", 1)
    # Whoever does not answer may do so later: that is no wrong usage, and a scheduled job tries again.
    status = 1 if flags in UNANSWERED else 2
    said = create_here(params, params.parent / "out", *flags.format(**places).split(), status=status)
    assert words in said.err
    assert said.err.startswith("maskmill: ")
    assert said.err.count("\n") == 1
    assert tree(params.parent / "out") == {}


def test_what_cannot_be_asked_for_a_run_that_has_nothing_to_do_is_not_asked(params: Path) -> None:
    create_here(params, params.parent / "out")
    flags = ("--runner=PortableRunner", "--job_endpoint=localhost:1")
    assert "nothing to do" in create_here(params, params.parent / "out", *flags).out


@pytest.mark.parametrize(
    "flags",
    [
        "--direct_num_workers=0",
        "--direct_num_workers=2 --direct_running_mode=multi_threading",
        "--runner=DirectRunner --direct_num_workers=2",
        "--runner=fnapirunner",
        "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",
        "--runner=PortableRunner --job_endpoint=embed --environment_type=LOOPBACK",
    ],
)
def test_what_suits_runs(flags: str, params: Path) -> None:
    create_here(params, params.parent / "out", *flags.split(), "--quiet")
    run_here("verify", params.parent / "out")


def refuse_locks(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """Has a file system without locks."""

    def flock(*_: object) -> None:
        raise OSError(error, "as it is said there")

    monkeypatch.setattr(fcntl, "flock", flock)


NO_LOCKS = [errno.ENOLCK, errno.ENOSYS, errno.EIO, errno.EOPNOTSUPP, errno.EINVAL, errno.EACCES, errno.ESTALE]


@pytest.mark.parametrize("error", NO_LOCKS, ids=errno.errorcode.get)
def test_a_file_system_without_locks_is_named_and_no_lock_does_without(
    error: int, params: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = params.parent / "out"
    refuse_locks(monkeypatch, error)
    said = create_here(params, output, status=1).err
    assert f"maskmill: {output}: its file system cannot lock a file (as it is said there), so " in said
    assert "if nothing else writes there, add --no_lock; else choose another folder" in said
    assert list(output.iterdir()) == []
    said = create_here(params, output, "--no_lock").err
    assert said.startswith(f"warning: no lock is taken (--no_lock): see to it that nothing else writes to {output};")
    assert not (output / ".lock").exists()
    run_here("verify", output)


def test_prune_does_without_locks_if_it_is_asked_to(
    params: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = params.parent / "days"
    for day in ("1", "2"):
        shutil.copytree(dataset, days / day)
    refuse_locks(monkeypatch, errno.ENOLCK)
    said = run_here("prune", days, "--keep=1", status=1).err
    assert "1 stays: 1: its file system cannot lock a file" in said
    assert "add --no_lock" in said
    assert "warning: no lock is taken" in run_here("prune", days, "--keep=1", "--no_lock").err
    assert [path.name for path in days.iterdir()] == ["2"]


def flip(*paths: str) -> Callable[[Path], None]:
    """Changes a bit in the middle of files, so that their sizes stay."""

    def damage(root: Path) -> None:
        for path in paths:
            content = bytearray((root / path).read_bytes())
            content[len(content) // 2] ^= 4
            (root / path).write_bytes(content)

    return damage


class Damaged(NamedTuple):
    """A dataset that was damaged, and what `create --verify` does about it.

    Attributes:
        damage: damages the dataset.
        words: what the command says, one line each.
        again: shards that it writes again.
        seen: whether `create` alone mends it, too.
    """

    damage: Callable[[Path], object]
    words: tuple[str, ...]
    again: tuple[str, ...] = ()
    seen: bool = False


SECOND = "eval_input/preprocessed_data-0_p0.h5"
CHANGED = "its content has changed; it is written again"
READ = "14 files of earlier runs read"
DAMAGED: dict[str, Damaged] = {
    "nothing": Damaged(lambda _: None, (READ, "all are whole")),
    "shard": Damaged(flip(SHARD), (f"warning: {SHARD}: {CHANGED}", READ, "; 1 problem"), (SHARD,)),
    "shard without examples": Damaged(flip(EMPTY), (f"{EMPTY}: {CHANGED}",), (EMPTY,)),
    "two shards": Damaged(
        flip(SHARD, SECOND), (f"{SHARD}: {CHANGED}", f"{SECOND}: {CHANGED}", "; 2 problems"), (SHARD, SECOND)
    ),
    "shard missing": Damaged(
        lambda root: (root / SHARD).unlink(), (f"{SHARD}: is missing; it is written again",), (SHARD,), seen=True
    ),
    "shard cut off": Damaged(
        lambda root: (root / SHARD).write_bytes(b"short"), (f"{SHARD}: has 5 bytes instead of ",), (SHARD,), seen=True
    ),
    "parameters": Damaged(flip("data_params.json"), (f"data_params.json: {CHANGED}",)),
    "list": Damaged(flip("meta_eval_input.dat"), (f"meta_eval_input.dat: {CHANGED}",)),
    "rejected": Damaged(flip("rejected.jsonl"), (f"rejected.jsonl: {CHANGED}",)),
    "list and shard": Damaged(
        flip("meta_train_input.dat", SHARD), (f"meta_train_input.dat: {CHANGED}", f"{SHARD}: {CHANGED}"), (SHARD,)
    ),
    "list missing": Damaged(
        lambda root: (root / "meta_eval_input.dat").unlink(), ("meta_eval_input.dat: is missing;",), seen=True
    ),
    "history": Damaged(
        flip(HISTORY), (f"{HISTORY}: line 1 was changed after it was written; it is written again, without damaged",)
    ),
    "history missing": Damaged(lambda root: (root / HISTORY).unlink(), (f"{HISTORY}: is missing; it is written",)),
    "history empty": Damaged(lambda root: (root / HISTORY).write_bytes(b""), (f"{HISTORY}: is empty; ",)),
}


def shard_times(root: Path) -> dict[str, int]:
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in root.glob("*_input/*.h5")}


def create_again(dataset: Path, output: Path, *flags: str, status: int = 0) -> Said:
    return create_here(dataset.parent / "params.yaml", output, *FLAGS, *flags, status=status)


@pytest.fixture(name="copy")
def make_own(tmp_path: Path) -> Path:
    """A dataset in its own folder, to damage."""
    return make_dataset(tmp_path)


@pytest.mark.parametrize("case", DAMAGED)
def test_create_verify_writes_again_what_is_damaged_and_nothing_else(case: str, copy: Path) -> None:
    damaged, before = DAMAGED[case], tree(copy)
    damaged.damage(copy)
    hurt = tree(copy)
    if not damaged.seen:
        assert "nothing to do" in create_again(copy, copy).out
        assert tree(copy) == hurt
    times = shard_times(copy)
    said = create_again(copy, copy, "--verify")
    assert [words for words in damaged.words if words not in said.err] == [], said.err
    assert said.err.count("warning: ") == (0 if case == "nothing" else max(1, said.err.count("; it is written again")))
    assert tree(copy) == before
    after = shard_times(copy)
    assert {path for path in after if after[path] != times.get(path)} == set(damaged.again)
    assert run_here("verify", copy).err == ""
    assert ("nothing to do" in said.out) == (case == "nothing")
    said = create_again(copy, copy, "--verify")
    assert "nothing to do" in said.out
    assert "; all are whole" in said.err


def test_a_changed_manifest_has_every_shard_written_again_with_or_without_verify(copy: Path) -> None:
    before, times = tree(copy), shard_times(copy)
    flip("manifest.json")(copy)
    said = create_again(copy, copy, "--verify")
    assert "manifest.json was changed after it was written; every shard is written again" in said.err
    assert tree(copy) == before
    assert all(time != times[path] for path, time in shard_times(copy).items())


def test_plan_verify_says_what_would_be_written_again_and_changes_nothing(copy: Path) -> None:
    flip(SHARD)(copy)
    before = tree(copy)
    params = copy.parent / "params.yaml"
    said = run_here("plan", "--params", params, "--output_dir", copy, *FLAGS, "--verify")
    assert f"warning: {SHARD}: {CHANGED}" in said.err
    assert "1 to be written" in said.out
    assert tree(copy) == before


def test_a_damaged_shard_of_an_earlier_dataset_is_not_copied(dataset: Path, tmp_path: Path) -> None:
    day = shutil.copytree(dataset, tmp_path / "days" / "1")
    flip(SHARD)(day)
    said = create_again(dataset, tmp_path / "days" / "2", f"--reuse={day}", "--verify")
    assert f"warning: {day / SHARD}: its content has changed; it is not copied" in said.err
    assert "8 files of earlier runs read" in said.err
    assert "1 shard written (missing or damaged), 3 shards copied from an earlier dataset\n" in said.out
    made, expected = tree(tmp_path / "days" / "2"), tree(dataset)
    assert {path: made[path] for path in expected if path.endswith(".h5")} == {
        path: content for path, content in expected.items() if path.endswith(".h5")
    }
    run_here("verify", tmp_path / "days" / "2")


def test_a_damaged_shard_is_copied_from_an_earlier_dataset_that_has_it(dataset: Path, copy: Path) -> None:
    before = tree(copy)
    flip(SHARD)(copy)
    # Only an image that is unchanged gives the same fingerprint.
    shutil.copytree(copy, copy.parent / "day")
    create_again(copy, copy.parent / "day", "--verify")
    said = create_again(copy, copy, f"--reuse={copy.parent / 'day'}", "--verify")
    assert "1 shard copied from an earlier dataset" in said.out
    assert "15 files of earlier runs read" in said.err
    assert tree(copy) == before


@pytest.mark.parametrize("record", [False, True])
def test_a_damaged_shard_of_a_failed_run_is_written_again(record: bool, tmp_path: Path) -> None:
    copy = make_dataset(tmp_path)
    before = tree(copy)
    shutil.rmtree(copy)
    create_here(tmp_path / "params.yaml", copy, *FLAGS[:2], status=3)
    staged = sorted(copy.glob(".staging/*/*_input/*.h5"))
    assert len(staged) == 8
    if record:
        Path(f"{staged[3]}.json").write_text("{}")
    else:
        flip(str(staged[3]))(copy)
    problem = "its record is damaged" if record else "its content has changed"
    plan = ("plan", "--params", tmp_path / "params.yaml", "--output_dir", copy, *FLAGS, "--verify")
    assert f"warning: {staged[3]}: {problem}; it is written again" in run_here(*plan).err
    said = create_again(copy, copy, "--verify")
    assert f"warning: {staged[3]}: {problem}; it is written again" in said.err
    assert f"{7 if record else 8} files of earlier runs read" in said.err
    assert tree(copy) == before
    run_here("verify", copy)


def test_programs_are_told_how_many_were_read_and_which_are_written_again(copy: Path) -> None:
    flip(SHARD)(copy)
    lines = [json.loads(line) for line in create_again(copy, copy, "--verify", "--log_format=json").err.splitlines()]
    [step] = [line for line in lines if line.get("step") == "verify-kept"]
    size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file() and path.name != HISTORY)
    assert (step["files"], step["damaged"]) == (14, 1)
    assert step["bytes"] == size - (copy / "manifest.json").stat().st_size
    assert [line["message"] for line in lines if line["level"] == "warning"] == [f"{SHARD}: {CHANGED}"]


def mend(copy: Path, directory: str, cwd: Path) -> str:
    """Types the command that `verify` prints; returns it."""
    said = run_maskmill("verify", directory, status=4, cwd=cwd).stderr
    assert f"maskmill: {directory} is damaged: 1 problem; to write again what is damaged, run\n" in said
    command = said.splitlines()[-1]
    done = subprocess.run(command, shell=True, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert verify(str(copy)).problems == ()
    return command


@pytest.mark.parametrize("case", ["shard", "history missing"])
def test_the_command_that_verify_prints_mends_as_it_is_typed(case: str, tmp_path: Path) -> None:
    copy = make_dataset(tmp_path)
    before = tree(copy)
    DAMAGED[case].damage(copy)
    command = mend(copy, str(copy), tmp_path)
    flags = f"--output_dir {copy} --name preprocessed_data --num_output_files 4 --num_processes 2 --max_rejected 1"
    assert command.endswith(f"create --params {tmp_path / 'params.yaml'} {flags} --verify")
    assert tree(copy) == before


def test_the_command_that_verify_prints_keeps_paths_as_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a blank"
    shutil.copytree(TWO_ROWS.write(tmp_path / "made").parent / "data", folder / "data")
    write_params(folder / "my params.yaml", Path("data"))
    monkeypatch.chdir(folder)
    create_here(Path("my params.yaml"), Path("my out"), "--num_output_files=2", "--name=it's")
    before = tree(folder / "my out")
    flip("train_input/it's-0_p0.h5")(folder / "my out")
    command = mend(folder / "my out", "my out", folder)
    assert "create --params 'my params.yaml' --output_dir 'my out' --name 'it'\"'\"'s' --num_output_files 2 " in command
    assert tree(folder / "my out") == before


def test_a_dataset_that_was_moved_is_mended_where_it_is(dataset: Path, tmp_path: Path) -> None:
    copy = copy_of(dataset, tmp_path)
    flip(SHARD)(copy)
    assert f"--output_dir {copy} " in mend(copy, str(copy), tmp_path)
