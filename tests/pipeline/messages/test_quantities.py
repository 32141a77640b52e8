"""Numbers as messages show them."""

from __future__ import annotations

import pytest

from maskmill.pipeline.messages.quantities import count, format_bytes


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_000_000, "1000000 rows")])
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert count(number, "row") == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (2.34e9, "2.3 GB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_a_number_of_bytes_is_for_people(count: float, text: str) -> None:
    assert format_bytes(count) == text
