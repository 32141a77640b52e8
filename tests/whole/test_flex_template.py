"""The Flex Template of configs/dataflow: its parameters are those of the command line, and reach it."""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main, make_parser
from maskmill.pipeline.errors import UsageError
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT

FOLDER = ROOT / "configs" / "dataflow"
PARAMETERS = {entry["name"]: entry for entry in json.loads((FOLDER / "metadata.json").read_text())["parameters"]}
# What has no meaning where nobody looks at a terminal, and where the program ends before the job begins.
LEFT_OUT = {"help", "quiet", "debug", "log_format", "metrics_file", "report"}

to_arguments: Callable[[list[str]], list[str]] = runpy.run_path(str(FOLDER / "main.py"))["to_arguments"]


def _read_options() -> dict[str, argparse.Action]:
    commands = make_parser()._subparsers
    assert commands is not None
    create = commands._group_actions[0].choices["create"]  # type: ignore[index, call-overload]
    return {action.dest: action for action in create._actions if action.dest not in LEFT_OUT}


OPTIONS = _read_options()


def test_the_parameters_are_the_options_of_create() -> None:
    assert list(PARAMETERS) == list(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_parameter_may_be_left_out_where_its_option_may(name: str) -> None:
    # The default of --output_dir is a local folder, which Dataflow cannot see.
    assert PARAMETERS[name]["isOptional"] == (not OPTIONS[name].required and name != "output_dir")


@pytest.mark.parametrize("name", [name for name, entry in PARAMETERS.items() if entry["isOptional"]])
def test_the_help_of_a_parameter_tells_the_default(name: str) -> None:
    default = OPTIONS[name].default
    shown = str(default)
    if default is False:
        shown = "false"
    elif default is None:
        nothing = {"reuse": "none", "max_change": "any change", "workers": "one for each core of the machine"}
        shown = nothing[name]
    assert PARAMETERS[name]["helpText"].endswith(f"(default: {shown}).")


def test_every_parameter_has_what_the_service_asks_for() -> None:
    for entry in PARAMETERS.values():
        assert (
            {"name", "label", "helpText", "isOptional", "regexes"}
            <= entry.keys()
            <= {*("name", "label", "helpText", "isOptional", "regexes", "paramType")}
        )


# Values that pattern and command line accept, and that both refuse.
VALUES: dict[str, tuple[list[str], list[str]]] = {
    "params": (["gs://bucket/params.yaml"], ["", "params.yaml"]),
    "output_dir": (["gs://bucket/folder"], ["", "  ", "\0"]),
    "num_output_files": (["1", "250"], ["0", "-1", "ten", "1.5", ""]),
    "num_processes": (["0", "1", "16"], ["-1", "ten", "1.5", ""]),
    "name": (["preprocessed_data", "a", "a.b"], ["", "a/b", ".a", "a\\b"]),
    "workers": (["1", "64"], ["0", "-1", "all", ""]),
    "max_rejected": (
        ["0", "12", "9" * 15, "0%", "0.5%", "99.9%", "100%", "100.0%"],
        ["", "half", "-1", "0.5", "1e3", "%", "101%", "100.1%", "999%", "9" * 16],
    ),
    "min_examples": (["0", "12"], ["", "-1", "1.5", "many"]),
    "max_change": (["0", "30%", "0.5", "150%"], ["", "%", "-1%", "1e3", "half", "5 %"]),
    "checksum": (["true", "false"], ["", "yes"]),
    "verify": (["true", "false"], ["", "yes"]),
    "overwrite": (["true", "false"], ["", "yes"]),
    "no_lock": (["true", "false"], ["", "yes"]),
    "reuse": (["gs://bucket/day", "gs://bucket/days/"], ["", "  ", "\0"]),
}


def test_every_parameter_has_values_that_are_tried() -> None:
    assert list(VALUES) == list(PARAMETERS)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (right, _) in VALUES.items() for value in right])
def test_pattern_and_command_line_accept_the_same(name: str, value: str) -> None:
    assert _matches(name, value)
    assert _parse(f"--{name}={value}")[name] is not None


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (_, wrong) in VALUES.items() for value in wrong])
def test_pattern_and_command_line_refuse_the_same(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not _matches(name, value)
    params = write_params(tmp_path / "right.yaml", write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"]))
    monkeypatch.chdir(tmp_path)
    assert main(to_arguments([f"--params={params}", "--output_dir=out", f"--{name}={value}"])) == UsageError.exit_status
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["params", "output_dir", "reuse"])
def test_a_path_that_the_service_cannot_see_is_refused_by_the_pattern(name: str) -> None:
    assert not _matches(name, "/data/folder")
    assert not _matches(name, "s3://bucket/folder")


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.nargs == 0])
def test_a_switch_is_true_or_false(name: str) -> None:
    assert _parse(f"--{name}=true")[name] is True
    assert _parse(f"--{name}=false")[name] is False


def test_options_of_the_launcher_are_left_as_they_are() -> None:
    launchers = ["--runner=DataflowRunner", "--template_location=gs://bucket/job", '--labels={"a": "b=c"}']
    assert to_arguments(["--params=gs://bucket/p.yaml", *launchers]) == [
        *("create", "--params=gs://bucket/p.yaml"),
        *launchers,
    ]


def _matches(name: str, value: str) -> bool:
    return all(re.fullmatch(pattern, value) for pattern in PARAMETERS[name]["regexes"])


def _parse(parameter: str) -> dict:
    params = [] if parameter.startswith("--params=") else ["--params=p.yaml"]
    parsed, _ = make_parser().parse_known_args(to_arguments([*params, parameter]))
    return vars(parsed)


def test_the_launcher_starts_create(tmp_path: Path) -> None:
    params = write_params(tmp_path / "params.yaml", write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"]))
    command = [f"--params={params}", f"--output_dir={tmp_path / 'out'}", "--overwrite=true", "--checksum=false"]
    subprocess.run(
        [sys.executable, FOLDER / "main.py", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        timeout=120,
        check=True,
    )
    assert (tmp_path / "out" / "manifest.json").exists()


def test_the_image_has_the_beam_and_the_python_that_the_package_asks_for() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    (python, beam) = re.findall(r"^FROM apache/beam_python([0-9.]+)_sdk:([0-9.]+)$", text, re.MULTILINE)[0]
    launcher = f"/python{python.replace('.', '')}-template-launcher-base"
    assert launcher in (FOLDER / "README.md").read_text()
    assert f'">={beam.rpartition(".")[0]},<' in (ROOT / "setup.py").read_text()


def test_what_the_image_copies_is_there() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in copies for source in line.split()]
    assert len(sources) > 5
    assert [source for source in sources if not (ROOT / source).exists()] == []
