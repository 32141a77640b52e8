"""The values of arguments: accepted as they are, or refused with one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from maskmill.pipeline.arguments.argument_types import at_least, file_name, folder, rejected_limit
from maskmill.pipeline.job.rejected_limit import RejectedLimit


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (at_least(0), "0", 0),
        (at_least(1), "12", 12),
        (rejected_limit, "3", RejectedLimit(3)),
        (rejected_limit, "0.5%", RejectedLimit(0.5, percent=True)),
        (folder, "out/a day", "out/a day"),
        (file_name, "preprocessed_data", "preprocessed_data"),
    ],
)
def test_a_value_is_parsed(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "problem"),
    [
        (at_least(1), "0", "0 is too small; the least is 1"),
        (at_least(0), "-1", "-1 is too small; the least is 0"),
        (at_least(0), "1.5", "'1.5' is not a whole number"),
        (rejected_limit, "half", "'half' is neither a whole number nor a percentage from 0% to 100%"),
        (folder, "  ", "'  ' does not name a folder"),
        (folder, "a\0b", r"'a\x00b' does not name a folder"),
        (file_name, "", "'' cannot begin a file name"),
        (file_name, "a/b", "'a/b' cannot begin a file name"),
        (file_name, ".hidden", "'.hidden' cannot begin a file name"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason(parse: Callable[[str], object], text: str, problem: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        parse(text)
    assert str(caught.value) == problem
