"""Values of arguments: what is taken, and what is refused in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from maskmill.pipeline.arguments.argument_types import at_least, file_name, folder, rejected_limit
from maskmill.pipeline.job.rejected_limit import RejectedLimit

ZERO_OR_MORE, ONE_OR_MORE = at_least(0), at_least(1)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (ONE_OR_MORE, "1", 1),
        (ONE_OR_MORE, " 250 ", 250),
        (ZERO_OR_MORE, "0", 0),
        (rejected_limit, "12", RejectedLimit(12)),
        (rejected_limit, "0.5%", RejectedLimit(0.5, percent=True)),
        (folder, "out", "out"),
        (folder, "gs://bucket/a b", "gs://bucket/a b"),
        (folder, " x", " x"),
        (file_name, "preprocessed_data", "preprocessed_data"),
        (file_name, "a.b", "a.b"),
    ],
)
def test_a_right_value_is_taken(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (ONE_OR_MORE, "0", "0 is too small; the least is 1"),
        (ZERO_OR_MORE, "-1", "-1 is too small; the least is 0"),
        (ONE_OR_MORE, "ten", "'ten' is not a whole number"),
        (ONE_OR_MORE, "1.5", "'1.5' is not a whole number"),
        (ONE_OR_MORE, "", "'' is not a whole number"),
        (rejected_limit, "half", "'half' is neither a whole number nor a percentage"),
        (folder, "", "'' does not name a folder"),
        (folder, "  ", "'  ' does not name a folder"),
        (folder, "a\0b", r"'a\x00b' does not name a folder"),
        (file_name, "", "'' cannot begin a file name"),
        (file_name, "a/b", "'a/b' cannot begin a file name"),
        (file_name, "a\\b", r"'a\\b' cannot begin a file name"),
        (file_name, ".a", "'.a' cannot begin a file name"),
    ],
)
def test_a_wrong_value_is_refused(parse: Callable[[str], object], text: str, words: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
