"""How options may be spelt."""

from __future__ import annotations

import pytest

from maskmill.pipeline.arguments.spelling import begins_with_dash, plain, respell

OPTIONS = ("-h", "--output_dir", "--print-completion", "--quiet")


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        (["--output-dir", "a-b"], ["--output_dir", "a-b"]),
        (["--output-dir=--quiet-x"], ["--output_dir=--quiet-x"]),
        (["--output_dir=--output-dir"], ["--output_dir=--output-dir"]),
        (["--print_completion", "bash"], ["--print-completion", "bash"]),
        # Values, other options, and what is no option stay.
        (
            ["output-dir", "-output-dir", "--other-dir", "--a-b=c-d"],
            ["output-dir", "-output-dir", "--other-dir", "--a-b=c-d"],
        ),
        (["--output-dir x", "x=--output-dir"], ["--output-dir x", "x=--output-dir"]),
        (["--quiet", "--", "--output-dir"], ["--quiet", "--", "--output-dir"]),
        ([], []),
    ],
)
def test_options_are_spelt_as_they_are_defined(given: list[str], spelt: list[str]) -> None:
    assert respell(given, OPTIONS) == spelt


@pytest.mark.parametrize("dashes", ["-", "--", "\u2013", "\u2014", "\u2212", "\u2013\u2013", "-\u2011"])
def test_whatever_its_dashes_an_option_is_recognised(dashes: str) -> None:
    assert begins_with_dash(f"{dashes}output_dir")
    assert plain(f"{dashes}Output-Dir") == plain("--output_dir")


@pytest.mark.parametrize("argument", ["", "-", "output_dir", "a-b"])
def test_a_value_is_no_option(argument: str) -> None:
    assert not begins_with_dash(argument)
