"""How many rows and images may be rejected."""

from __future__ import annotations

import pytest

from maskmill.pipeline.job.rejected_limit import NONE_REJECTED, parse_limit


@pytest.mark.parametrize(
    ("limit", "rejected", "rows", "allowed"),
    [
        ("0", 0, 0, True),
        ("0", 1, 100, False),
        ("3", 3, 3, True),
        ("3", 4, 1000, False),
        ("1%", 1, 100, True),
        ("1%", 2, 199, False),
        ("0.5%", 1, 199, False),
        ("0.5%", 1, 200, True),
        ("100%", 7, 7, True),
    ],
)
def test_limit_of_rejected_is_a_number_or_a_share_of_the_rows(
    limit: str, rejected: int, rows: int, allowed: bool
) -> None:
    assert parse_limit(limit).allows(rejected, rows) is allowed
    assert str(parse_limit(limit)) == limit


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "%", "101%", "1 %", "1e3", "-1%", "nan%", "١"])
def test_a_limit_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a whole number nor a percentage"):
        parse_limit(text)


def test_without_a_limit_nothing_may_be_rejected() -> None:
    assert parse_limit("0") == NONE_REJECTED
