"""Wrong usage is one line that says what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from maskmill.pipeline.arguments.parser import Parser, refuse_unknown
from maskmill.pipeline.errors import UsageError


def test_all_arguments_known_is_fine() -> None:
    refuse_unknown([], ["--params"])


@pytest.mark.parametrize(
    ("unknown", "hint"),
    [
        ("--param=x", "unknown argument --param; did you mean --params?"),
        ("--direct_num_worker", "unknown argument --direct_num_worker; did you mean --direct_num_workers?"),
        ("--zzz", "unknown argument --zzz; neither maskmill nor Apache Beam has such an option"),
    ],
)
def test_an_unknown_argument_is_refused_with_the_nearest_one(unknown: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_unknown([unknown, "more"], ["--params", "--name"], ["--direct_num_workers"])
    assert str(caught.value) == hint


def test_wrong_usage_is_an_error_for_people_and_abbreviations_are_wrong() -> None:
    parser = Parser(prog="program")
    parser.add_argument("--number", type=int)
    with pytest.raises(UsageError, match="invalid int value: 'x'"):
        parser.parse_args(["--number=x"])
    with pytest.raises(UsageError, match="--num"):
        parser.parse_args(["--num=1"])


@pytest.mark.parametrize(
    "program", [[str(Path(sys.executable).with_name("maskmill"))], [sys.executable, "-m", "maskmill"]]
)
def test_the_help_that_wrong_usage_names_can_be_asked_for_as_it_stands(program: list[str]) -> None:
    wrong = subprocess.run([*program, "prune"], capture_output=True, text=True, timeout=60, check=False)
    command = re.search(r"\((.*) explains\)", wrong.stderr)
    assert command, wrong.stderr
    elsewhere = {"PATH": "/usr/bin:/bin"}
    helped = subprocess.run(
        command[1], shell=True, env=elsewhere, capture_output=True, text=True, timeout=60, check=True
    )
    assert helped.stdout.startswith("usage: maskmill prune ")
