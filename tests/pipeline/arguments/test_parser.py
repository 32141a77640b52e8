"""Wrong usage is one line that says what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from maskmill.pipeline.arguments.known_options import KnownOptions
from maskmill.pipeline.arguments.parser import Parser, refuse_unknown
from maskmill.pipeline.errors import UsageError

KNOWN = KnownOptions(command="create", options=("--params", "--name"), takes_beam_options=True)


def test_all_arguments_known_is_fine() -> None:
    refuse_unknown([], KNOWN)


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
        refuse_unknown([unknown, "more"], KNOWN, ["--direct_num_workers"])
    first, second = str(caught.value).splitlines()
    assert first == hint
    assert second.endswith("maskmill create --help explains)")


def program() -> Parser:
    parser = Parser(prog="maskmill create")
    parser.add_argument("--number", type=int)
    parser.add_argument("--output_dir", default="out")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--list", action="append")
    return parser


@pytest.mark.parametrize("option", ["--output_dir", "--output-dir"])
@pytest.mark.parametrize("form", ["{} a-b_c", "{}=a-b_c"])
def test_an_option_has_hyphens_or_underscores_and_its_value_stays(option: str, form: str) -> None:
    assert program().parse_args(form.format(option).split()).output_dir == "a-b_c"


def test_what_an_option_says_twice_has_to_be_the_same() -> None:
    assert program().parse_args(["--number=1", "--number", "01"]).number == 1
    with pytest.raises(UsageError, match="--output_dir: given twice, with a and with b; give it once"):
        program().parse_args(["--output_dir", "a", "--output-dir=b"])
    # The default may be said, too, and is no value of before.
    with pytest.raises(UsageError, match="given twice, with out and with b"):
        program().parse_args(["--output_dir", "out", "--output_dir", "b"])
    assert program().parse_args(["--list=1", "--list=2"]).list == ["1", "2"]


def test_a_parser_can_be_used_again() -> None:
    parser = program()
    assert [parser.parse_args([f"--number={number}"]).number for number in (1, 2)] == [1, 2]


def test_a_switch_takes_no_value() -> None:
    with pytest.raises(UsageError, match="argument --dry-run: takes no value; remove 'yes'"):
        program().parse_args(["--dry_run=yes"])


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
