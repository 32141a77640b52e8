"""The help in a real terminal: it fits, and nothing of it is cut."""

from __future__ import annotations

import argparse
import re

import pytest

from maskmill.pipeline.arguments.runner_help import RUNNERS, STORES
from maskmill.pipeline.cli import COMMANDS, make_parser
from tests.support.terminal import terminal

WIDE = 2000


def read_help(command: str, columns: int) -> str:
    with terminal(["maskmill", *command.split(), "--help"], columns=columns) as screen:
        return screen.read()


def parser_of(command: str) -> argparse.ArgumentParser:
    parser = make_parser()
    if not command:
        return parser
    assert parser._subparsers is not None
    return parser._subparsers._group_actions[0].choices[command]  # type: ignore[index, no-any-return]


def shown_options(command: str) -> list[str]:
    actions = parser_of(command)._actions
    return [name for one in actions if one.help != argparse.SUPPRESS for name in one.option_strings]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_fits_the_terminal_and_nothing_is_cut(columns: int) -> None:
    for command in ("", *COMMANDS):
        text = read_help(command, columns)
        assert max(map(len, text.splitlines())) <= columns, command
        for option in shown_options(command):
            assert re.search(rf"^  (-h, )?{option}\b", text, re.MULTILINE), (command, option)
        body, whole = (one.split("\n\n", 1)[1] for one in (text, read_help(command, WIDE)))
        assert "".join(body.split()) == "".join(whole.split()), command


def test_wrapped_lines_stand_below_the_text_that_they_continue() -> None:
    text = read_help("create", 60)
    assert "  --runner" not in text
    assert "\n  1    the run failed; nothing was published, unless it\n       was the metrics" in text
    assert "\n  --direct_num_workers N\n                        workers, each" in text
    assert "\nMakes the HDF5 dataset that a parameter file describes:\nreads the CSV" in text
    assert "\n  maskmill create \\\n    --params configs/params_severstal_binary.yaml \\\n" in text


def test_the_help_of_plan_shows_what_has_an_effect_on_a_plan() -> None:
    text = read_help("plan", 80)
    assert all(f"\n  --{name}" in text for name in ("params", "output_dir", "reuse", "verify", "json", "parallelism"))
    assert not any(f"--{name}" in text for name in ("metrics_file", "report", "no_lock", "runner", "project"))
    assert all(option.split("=")[0] in text for option in RUNNERS[STORES])


@pytest.mark.parametrize("command", [*COMMANDS])
def test_the_default_of_an_option_stands_in_its_help(command: str) -> None:
    text = " ".join(read_help(command, 200).split())
    for action in parser_of(command)._actions:
        has_one = action.option_strings and action.nargs != 0 and action.default not in (None, argparse.SUPPRESS)
        if has_one and action.help != argparse.SUPPRESS and action.dest != "index":
            assert re.search(rf"{action.option_strings[0]} .{{,400}}?default: {action.default}", text), action.dest


def test_exit_statuses_include_those_of_signals() -> None:
    assert re.search(r"\n  130  stopped by Ctrl-C\n  143  stopped by SIGTERM\n", read_help("", 80))
    assert re.search(r"\n  130  ", read_help("create", 80))


def test_help_can_be_asked_for_as_a_command() -> None:
    with terminal(["maskmill", "help", "create"]) as screen:
        assert screen.read() == read_help("create", 80)
    with terminal(["maskmill", "help"]) as screen:
        assert screen.read() == read_help("", 80)
