"""`maskmill.create`, `plan`, `verify` and `report`: the commands' work, for a program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest

import maskmill
from maskmill.pipeline.create.make_dataset import PROCESSES_FROM_CSV_BYTES
from maskmill.transforms.parallel.progress import PROGRESS
from tests.support.builders import HEADER, params_of, write_dataset, write_params
from tests.support.command import create_here, digest, run_here, tree

ROWS = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdefgh", start=1)]


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def run_script(code: str, folder: Path, *, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a script that has no main guard."""
    (folder / "script.py").write_text(textwrap.dedent(code))
    command = [sys.executable, "script.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_importing_maskmill_and_its_errors_imports_neither_beam_nor_numpy(tmp_path: Path) -> None:
    said = run_script(
        """
        import sys
        import maskmill

        maskmill.MaskmillError, maskmill.Result, maskmill.create, maskmill.verify
        print([name for name in ("apache_beam", "numpy", "h5py", "tqdm") if name in sys.modules])
        """,
        tmp_path,
    )
    assert said.stdout == "[]\n"


def test_a_call_makes_what_the_command_makes_and_says_the_same(
    tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with open(data / "train.csv", "a", encoding="utf-8") as csv:
        csv.write("gone.jpg,3,1 2\na.jpg,4,1 2\na.jpg,3,9 1\n")
    params, flags = write_params(tmp_path / "params.yaml", data), ("--num_output_files=2", "--max_rejected=1")
    said = create_here(params, tmp_path / "command", *flags)
    result = maskmill.create(params, tmp_path / "called", num_output_files=2, max_rejected=1)
    assert digest(tmp_path / "called") == digest(tmp_path / "command")
    assert (result.published, result.path) == (True, str(tmp_path / "called"))
    assert (result.rows.read, result.rows.in_examples, result.rows.merged, result.rows.rejected) == (11, 9, 1, 1)
    assert result.rows.filtered["of another class"] == 1
    assert result.rows.classes == {"1": 0, "2": 0, "3": 10, "4": 1}
    assert result.examples == {"train_input": 4, "eval_input": 4}
    assert result.splits["train_input"].classes == {"3": 4}
    assert result.splits["train_input"].negatives == 0
    assert result.shards["eval_input"] == {"written": 2, "kept": 0, "reused": 0}
    assert result.rejected == {"IMAGE_MISSING": 1}
    assert result.bytes["train_input"] == sum(path.stat().st_size for path in tmp_path.glob("called/train_input/*.h5"))
    assert result.seconds > 0
    shown, told = str(result).splitlines(), said.out.replace("/command", "/called").splitlines()
    timed = next(index for index, line in enumerate(told) if "examples a second" in line)
    assert (shown[:timed], shown[timed + 1 :]) == (told[:timed], told[timed + 1 :])
    again = maskmill.create(params, tmp_path / "called", num_output_files=2, max_rejected=1)
    assert (again.published, again.shards["eval_input"]) == (False, {"written": 0, "kept": 2, "reused": 0})
    assert "nothing to do" in str(again)
    findings = maskmill.verify(tmp_path / "called")
    assert (findings.problems, findings.examples) == ((), 8)
    assert capfd.readouterr() == ("", "")


def test_a_mapping_is_checked_as_a_file_is_and_makes_the_same_shards(tmp_path: Path, data: Path) -> None:
    content = params_of(data, image_shape=(16, np.int64(24), 1))
    content["train_input"]["data_dir"] = data  # a Path
    maskmill.create(content, tmp_path / "mapping", num_output_files=1)
    create_here(write_params(tmp_path / "params.yaml", data), tmp_path / "file", "--num_output_files=1")
    assert digest(tmp_path / "mapping") == digest(tmp_path / "file")
    written = json.loads((tmp_path / "mapping" / "data_params.json").read_text())
    assert written["input_args"]["params"] is None
    assert written["train_input"]["data_dir"] == str(data)
    shard = next((tmp_path / "mapping" / "train_input").glob("*.h5"))
    shard.write_bytes(b"damaged")
    [problem] = maskmill.verify(tmp_path / "mapping").problems
    assert shard.name in problem
    assert (
        "run the maskmill create that made it, with --verify" in run_here("verify", tmp_path / "mapping", status=4).err
    )
    maskmill.create(content, tmp_path / "mapping", num_output_files=1, verify=True)
    assert maskmill.verify(tmp_path / "mapping").problems == ()


def test_a_wrong_mapping_is_refused_with_the_paths_of_all_its_keys(tmp_path: Path, data: Path) -> None:
    content: dict[Any, Any] = params_of(data)
    content["train_input"] |= {"class_id": object(), "train_test_splt": 0.5, "num_classes": 2**70}
    del content["train_input"]["train_test_split"]
    content[5] = 6
    with pytest.raises(maskmill.UsageError) as caught:
        maskmill.create(content, tmp_path / "out")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("params: ") for line in lines)
    for words in (
        "train_input.class_id: a value of the type object",
        "train_input.train_test_splt: unknown key; did you mean train_test_split?",
        "train_input.num_classes: the number does not fit in 64 bits",
        '5: the key is not a string; put it in quotes: "5"',
    ):
        assert any(words in line for line in lines), words
    content = params_of(data)
    content["model"]["itself"] = content
    with pytest.raises(maskmill.UsageError, match="levels deep"):
        maskmill.create(content, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"params": 3}, "params: 3 is not a path or a mapping"),
        ({"output_dir": b"x"}, "output_dir: b'x' is not a path"),
        ({"output_dir": " "}, "output_dir: ' ' does not name a folder"),
        ({"num_output_files": 0}, "num_output_files: 0 is too small; the least is 1"),
        ({"num_output_files": 1.5}, "num_output_files: 1.5 is not a whole number"),
        ({"num_processes": True}, "num_processes: True is not a whole number"),
        ({"name": "a/b"}, "name: 'a/b' cannot begin a file name"),
        ({"workers": 0}, "workers: 0 is too small"),
        ({"max_rejected": 0.5}, "max_rejected: 0.5 is not a whole number"),
        ({"max_rejected": "5 percent"}, "max_rejected: '5 percent' is neither a whole number nor a percentage"),
        ({"checksum": 1}, "checksum: 1 is neither True nor False"),
        ({"progress": "yes"}, "progress: 'yes' is neither True nor False nor a function"),
        ({"beam_options": "--runner=x"}, "beam_options: '--runner=x' is not a list of strings"),
        ({"beam_options": ["--runnr=x"]}, "unknown argument --runnr; did you mean --runner?"),
        ({"beam_options": ["--dry_run=True"]}, "beam_options: --dry_run=True only translates the job"),
        ({"reuse": "\udcff"}, "the name is not UTF-8"),
        ({"transform": beam.PTransform}, "transform: PTransform is a class; make an object of it: PTransform()"),
        ({"transform": len}, "is a function; make a PTransform of it, such as beam.Filter(function)"),
        ({"transform": 3}, "transform: 3 is not a PTransform of Apache Beam"),
    ],
)
def test_a_wrong_keyword_is_refused_by_its_name_before_any_work(
    tmp_path: Path, data: Path, keywords: dict[str, Any], words: str
) -> None:
    given = {"params": params_of(data), "output_dir": tmp_path / "out", **keywords}
    for function in (maskmill.create, maskmill.plan):
        with pytest.raises(maskmill.UsageError) as caught:
            function(**given)
        assert words in str(caught.value)
        assert caught.value.code == "WRONG_USAGE"
    assert not (tmp_path / "out").exists()


def test_what_goes_wrong_is_an_error_with_a_code_that_names_keywords(tmp_path: Path, data: Path) -> None:
    (data / "train_images" / "a.jpg").write_bytes(b"")
    params, out = params_of(data), tmp_path / "out"
    with pytest.raises(maskmill.TooManyRejectedError) as rejected:
        maskmill.create(params, out)
    assert (rejected.value.code, rejected.value.codes) == ("TOO_MANY_REJECTED", {"IMAGE_EMPTY": 1})
    assert "at most 0 allowed (max_rejected)" in str(rejected.value)
    (tmp_path / "own" / "train_input").mkdir(parents=True)
    (tmp_path / "own" / "train_input" / "own.h5").write_text("precious")
    with pytest.raises(maskmill.UsageError, match="choose another output_dir, or add overwrite=True to replace"):
        maskmill.create(params, tmp_path / "own")
    with pytest.raises(maskmill.UsageError, match="there is no such folder"):
        maskmill.verify(tmp_path / "nowhere")
    with pytest.raises(maskmill.DamagedError) as damaged:
        maskmill.verify(data)
    assert damaged.value.code == "DAMAGED"
    with pytest.raises(maskmill.DamagedError):
        maskmill.report(data, tmp_path / "page.html")
    with pytest.raises(maskmill.MaskmillError) as failed:
        maskmill.create(params, "/proc/self/maskmill")
    assert failed.value.code == "FAILED"
    assert maskmill.create(params, out, max_rejected="100%").rejected == {"IMAGE_EMPTY": 1}


def test_warnings_are_in_the_result_and_name_keywords(tmp_path: Path, data: Path) -> None:
    result = maskmill.create(params_of(data, own_key=1), tmp_path / "out", no_lock=True)
    unknown, lock = sorted(result.warnings, key=lambda text: "lock" in text)
    assert unknown.endswith("copied to data_params.json: train_input.own_key, eval_input.own_key")
    assert "no lock is taken (no_lock=True)" in lock


def test_a_plan_says_what_create_then_does(tmp_path: Path, data: Path) -> None:
    params = params_of(data)
    plan = maskmill.plan(params, tmp_path / "out", num_output_files=2)
    assert not (tmp_path / "out").exists()
    result = maskmill.create(params, tmp_path / "out", num_output_files=2)
    assert plan.rows == result.rows
    assert {name: split.examples for name, split in plan.splits.items()} == result.examples
    assert plan.splits["train_input"].shards["write"] == result.shards["train_input"]["written"] == 2
    assert "8 rows read, 8 of them in examples; 8 images" in str(plan)


def test_a_report_is_where_it_is_said_to_be(tmp_path: Path, data: Path) -> None:
    maskmill.create(params_of(data), tmp_path / "out", num_output_files=1)
    path = maskmill.report(tmp_path / "out", tmp_path / "page.html")
    assert path == str(tmp_path / "page.html")
    assert "<html" in Path(path).read_text(encoding="utf-8")


def test_progress_goes_to_a_function_or_to_a_bar_and_is_silent_otherwise(
    tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[int, int | None, str]] = []
    maskmill.create(params_of(data), tmp_path / "called", progress=lambda *call: calls.append(call))
    assert calls[-1] == (8, 8, "images")
    bytes_read: list[tuple[int, int | None, str]] = []
    maskmill.verify(tmp_path / "called", progress=lambda *call: bytes_read.append(call))
    assert bytes_read[-1][2] == "bytes"
    assert bytes_read[-1][0] == bytes_read[-1][1] != 0
    assert capfd.readouterr() == ("", "")
    maskmill.create(params_of(data), tmp_path / "bar", progress=True)
    said = capfd.readouterr()
    assert said.out == ""
    assert "images" in said.err


def test_a_progress_function_that_fails_does_not_fail_the_run(tmp_path: Path, data: Path) -> None:
    with pytest.warns(RuntimeWarning, match="was not called again: ZeroDivisionError"):
        result = maskmill.create(params_of(data), tmp_path / "out", progress=lambda *_: 1 / 0)
    assert result.published


def test_nothing_of_the_program_is_changed(tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = run_script(
        f"""
        import gc, logging, signal
        import numpy as np
        from threadpoolctl import threadpool_info
        import maskmill

        def state():
            threads = [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]
            return list(logging.getLogger().handlers), signal.getsignal(signal.SIGINT), gc.get_freeze_count(), threads

        before = state()
        params = {params_of(data)!r}
        params["train_input"]["data_dir"] = params["eval_input"]["data_dir"] = "data"
        maskmill.create(params, "out")
        import apache_beam as beam
        try:
            maskmill.create(params, "failed", transform=beam.Map(lambda _: 1 / 0))
        except maskmill.MaskmillError as error:
            print(error.code)
        assert state() == before, (before, state())
        """,
        tmp_path,
    )
    assert (said.stdout, said.stderr) == ("FAILED\n", "")


def test_a_run_that_fails_says_nothing_and_leaves_the_process_usable(
    tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(maskmill.MaskmillError, match="division by zero"):
        maskmill.create(params_of(data), tmp_path / "out", transform=beam.Map(lambda _: 1 / 0))
    assert not (tmp_path / "out" / ".lock").exists()
    assert maskmill.create(params_of(data), tmp_path / "out").examples == {"train_input": 4, "eval_input": 4}
    assert capfd.readouterr() == ("", "")


def test_a_script_without_a_main_guard_may_make_several_datasets_with_a_pool_of_processes(tmp_path: Path) -> None:
    rows = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcd", 1)]
    data = write_dataset(tmp_path / "data", rows)
    others = ["a.jpg,1,1 2"] * (PROCESSES_FROM_CSV_BYTES // len("a.jpg,1,1 2"))
    (data / "train.csv").write_text("\n".join([HEADER, *rows, *others, ""]))
    write_params(tmp_path / "params.yaml", data)
    said = run_script(
        """
        print("once")
        import maskmill
        from maskmill.transforms.parallel import process_pool

        print(maskmill.create("params.yaml", "first", workers=2).examples)
        print(maskmill.create("params.yaml", "second", workers=2, num_output_files=2).examples)
        print(len(process_pool._pools))
        """,
        tmp_path,
    )
    assert said.stdout.splitlines() == ["once", *["{'train_input': 2, 'eval_input': 2}"] * 2, "1"]
    assert said.stderr == ""
    assert maskmill.verify(tmp_path / "first").problems == maskmill.verify(tmp_path / "second").problems == ()


def test_two_threads_make_two_datasets_at_a_time(tmp_path: Path, data: Path) -> None:
    other = write_dataset(tmp_path / "other", [f"{index:03}.jpg,3,1 2" for index in range(60)])
    jobs = {"one": params_of(data), "two": params_of(other, image_shape=[128, 200, 1])}
    results: dict[str, Any] = {}
    calls: list[tuple[int, int | None, str]] = []
    start = threading.Barrier(2)

    def make(name: str) -> None:
        start.wait()
        results[name] = maskmill.create(jobs[name], tmp_path / name, progress=lambda *call: calls.append(call))

    threads = [threading.Thread(target=make, args=(name,)) for name in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: result.rows.in_examples for name, result in results.items()} == {"one": 8, "two": 60}
    assert max(done for done, *_ in calls) <= 68
    for name, params in jobs.items():
        maskmill.create(params, tmp_path / f"{name} alone")
        assert tree(tmp_path / name).keys() == tree(tmp_path / f"{name} alone").keys()
        assert digest(tmp_path / name) == digest(tmp_path / f"{name} alone")


def test_two_threads_cannot_write_to_one_folder(tmp_path: Path, data: Path) -> None:
    errors: list[BaseException] = []
    keywords = {"params": params_of(data), "output_dir": tmp_path / "out"}
    thread = threading.Thread(target=lambda: maskmill.create(**keywords, transform=beam.Filter(Waiting(tmp_path))))
    thread.start()
    deadline = time.monotonic() + 60
    while not (tmp_path / "inside").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        maskmill.create(**keywords)
    except maskmill.MaskmillError as error:
        errors.append(error)
    (tmp_path / "done").touch()
    thread.join()
    assert "another run is writing to" in str(errors[0])
    assert "or choose another output_dir" in str(errors[0])
    assert maskmill.verify(tmp_path / "out").problems == ()


class Waiting:
    """Keeps every example, but not before a file says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, _: object) -> bool:
        (self.folder / "inside").touch()
        deadline = time.monotonic() + 60
        while not (self.folder / "done").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return True


@pytest.mark.parametrize(
    ("workers", "files", "sign"),
    [(1, 100, "*.h5.json"), (2, 100, "*.h5.json"), (1, 1, "*.attempt")],
    ids=["between shards", "two workers", "amid a shard"],
)
def test_ctrl_c_raises_in_the_caller_and_the_next_call_resumes(
    tmp_path: Path, workers: int, files: int, sign: str
) -> None:
    rows = [f"{index:04}.jpg,3,1 2" for index in range(300)]
    data = write_dataset(tmp_path / "data", rows)
    write_params(tmp_path / "params.yaml", data, image_shape=[400, 800, 1], max_image_shape=[400, 800])
    (tmp_path / "script.py").write_text(
        textwrap.dedent(f"""
        import signal, sys, threading
        import maskmill

        keywords = dict(num_output_files={files}, workers={workers})
        # A shell has what it runs in the background ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            maskmill.create("params.yaml", "out", **keywords)
        except KeyboardInterrupt as error:
            print("stopped:", error, flush=True)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        sys.stdin.readline()
        print(maskmill.create("params.yaml", "out", **keywords))
        """)
    )
    output = tmp_path / "out"
    command = [sys.executable, "script.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        while not list(output.glob(f".staging/*/*_input/{sign}")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert "stopped: nothing was published; " in process.stdout.readline()
        assert [path.name for path in output.iterdir()] == [".staging"]
        assert not list(output.rglob("*.attempt"))
        finished = {path.name: path.stat().st_mtime_ns for path in output.glob(".staging/*/*_input/*.h5.json")}
        time.sleep(0.5)
        assert finished.keys() == {path.name for path in output.glob(".staging/*/*_input/*.h5.json")}
        out, err = process.communicate("go on\n", timeout=240)
    assert process.returncode == 0, err
    assert err == ""
    assert "300 rows read, 300 of them in examples" in out
    assert maskmill.verify(output).problems == ()


def test_runs_under_way_at_the_same_time_count_together() -> None:
    with PROGRESS.of_run():
        PROGRESS.add(3)
        with PROGRESS.of_run():
            PROGRESS.add(4)
        assert PROGRESS.done == 7
    with PROGRESS.of_run():
        assert (PROGRESS.done, PROGRESS.expected) == (0, None)
