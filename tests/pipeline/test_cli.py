"""The command line: what it takes, what it refuses, what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import DirectOptions

from maskmill.pipeline.cli import main
from maskmill.pipeline.runners.runner_job import RunnerJob
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT, create_here, run_here
from tests.support.spies import count_calls


@pytest.fixture(name="params")
def make_params(tmp_path: Path) -> Path:
    return write_params(tmp_path / "params.yaml", write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["crate"], "crate"),
        (["create"], "--params"),
        (["create", "--params"], "--params"),
        (["create", "--params", "p.yaml", "--num_output_file", "3"], "did you mean --num_output_files?"),
        (["create", "--params", "p.yaml", "--num_output_file=3"], "did you mean --num_output_files?"),
        (["create", "--params", "p.yaml", "--num-proceses", "3"], "did you mean --num_processes?"),
        (["create", "--params", "p.yaml", "--ouput_dir", "x"], "did you mean --output_dir?"),
        (["create", "--params", "p.yaml", "--runer=FlinkRunner"], "did you mean --runner?"),
        (["create", "--params", "p.yaml", "--zzzzzz"], "neither maskmill nor Apache Beam"),
        (["create", "--params", "p.yaml", "stray"], "unknown argument stray"),
        (["create", "--params", "p.yaml", "--direct_num_workers=many"], "'many' is not a whole number"),
        (["create", "--params", "p.yaml", "--runner=NoSuchRunner"], "NoSuchRunner"),
        (["create", "--params", "p.yaml", "--num_output_files", "0"], "0 is too small; the least is 1"),
        (["create", "--params", "p.yaml", "--num_output_files", "ten"], "'ten' is not a whole number"),
        (["create", "--params", "p.yaml", "--num_processes", "-1"], "-1 is too small; the least is 0"),
        (["create", "--params", "p.yaml", "--workers", "0"], "0 is too small; the least is 1"),
        (["create", "--params", "p.yaml", "--name", "a/b"], "'a/b' cannot begin a file name"),
        (["create", "--params", "p.yaml", "--output_dir", ""], "'' does not name a folder"),
        (["create", "--params", "p.yaml", "--name", ""], "'' cannot begin a file name"),
        (["create", "--params", "no_such.yaml"], "no_such.yaml"),
        (["sample"], "DIR"),
        (["sample", "x", "--images", "-3"], "-3 is too small"),
        (["sample", "x", "--image", "3"], "unknown argument --image; did you mean --images?"),
        (["sample", "x", "--layout", "new"], "'new'"),
    ],
)
def test_wrong_usage_is_refused_in_a_line_or_two_that_name_it(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, params: Path
) -> None:
    monkeypatch.chdir(params.parent)
    (params.parent / "p.yaml").write_text(params.read_text())
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.startswith("maskmill: ")
    assert captured.err.count("\n") <= 2
    assert captured.out == ""
    assert {path.name for path in params.parent.iterdir()} == {"data", "params.yaml", "p.yaml"}


@pytest.mark.parametrize("command", [[], ["create"], ["sample"]])
def test_help_names_every_option(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    expected = {
        "": ["create", "sample", "exit status"],
        "create": ["--params", "--output_dir", "--num_output_files", "--num_processes", "--name", "--workers"],
        "sample": ["--images", "--seed", "--layout"],
    }
    assert all(name in out for name in expected["".join(command)])


def test_help_does_not_wait_for_beam() -> None:
    code = "import sys, maskmill.pipeline.cli as c\ntry: c.main(['create', '--help'])\nexcept SystemExit: pass\n"
    code += "sys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)


def test_the_command_the_module_and_the_folder_in_a_checkout_are_the_same_program() -> None:
    script = Path(sys.executable).with_name("maskmill")
    outputs = [
        subprocess.run([*command, "--help"], check=True, capture_output=True, text=True, cwd=ROOT).stdout
        for command in ([str(script)], [sys.executable, "-m", "maskmill"], [sys.executable, "-m", "pipeline"])
    ]
    assert outputs[0] == outputs[1] == outputs[2]


@pytest.mark.parametrize("spelling", ["_", "-"])
def test_beams_options_reach_beam(params: Path, monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    jobs = count_calls(monkeypatch, "maskmill.pipeline.create.make_dataset.RunnerJob", RunnerJob)
    flags = [
        f"--{name.replace('_', spelling)}" for name in ("direct_num_workers", "direct_running_mode", "num_output_files")
    ]
    create_here(params, params.parent / "out", f"{flags[0]}=2", flags[1], "multi_threading", f"{flags[2]}=1")
    options = jobs[0].pipeline.options.view_as(DirectOptions)
    assert (options.direct_num_workers, options.direct_running_mode) == (2, "multi_threading")
    assert len(list((params.parent / "out").glob("*_input/*.h5"))) == 2
    create_here(params, params.parent / "out", flags[1], "no_such_mode", status=2)


@pytest.mark.parametrize("flags", [["--log-format", "json"], ["--log_format=json"], ["--log-format=json", "--frob"]])
def test_a_program_gets_an_object_however_its_flag_is_spelt(flags: list[str]) -> None:
    said = run_here("create", "--params", "/no/such.yaml", *flags, status=2)
    assert json.loads(said.err)["event"] == "failed"


def test_traceback_is_for_debug_only(params: Path) -> None:
    (params.parent / "data" / "train_images" / "a.jpg").unlink()
    arguments = ["create", "--params", params, "--output_dir", params.parent / "out"]
    plain = run_here(*arguments, status=3)
    assert "Traceback" not in plain.err
    assert "there is no file a.jpg in" in plain.err
    debug = run_here(*arguments, "--debug", status=3)
    assert "Traceback" in debug.err


def test_sample_is_written_and_made_into_a_dataset(tmp_path: Path) -> None:
    assert "12 images" in run_here("sample", tmp_path / "data", "--images", "12", "--seed", "3").out
    params = write_params(tmp_path / "params.yaml", tmp_path / "data", image_shape=[64, 100, 1])
    assert "examples a second" in create_here(params, tmp_path / "out").out


def test_the_version_names_what_decides_how_it_works(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    pattern = r"maskmill \d\S* \(Python 3\.\S+, Beam 2\.\S+, NumPy \S+, Pillow \S+, simplejpeg \S+, "
    assert re.fullmatch(pattern + r"h5py 3\.\S+ with HDF5 \d\.\S+; kernel (not )?compiled\)\n", capsys.readouterr().out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_shells_can_complete_commands_and_flags(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--print-completion", shell])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("create", "verify", "num_output_files", "keep"))


def test_bash_completes_a_flag(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    with open(script, "w") as file:
        subprocess.run(
            [sys.executable, "-m", "maskmill", "--print-completion", "bash"], check=True, stdout=file, cwd=ROOT
        )
    ask = 'COMP_WORDS=(maskmill create --num_out); COMP_CWORD=2; _shtab_maskmill; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", f". {script}; {ask}"], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "--num_output_files"
