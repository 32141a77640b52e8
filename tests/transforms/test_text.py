"""Tests of text that is safe to show."""

from __future__ import annotations

import pytest

from maskmill.transforms.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0002cc93b.jpg", "0002cc93b.jpg"),
        ("Blech 7 ä é 鋼", "Blech 7 ä é 鋼"),
        ("a\x1b[2J", "a?[2J"),
        ("two\nlines\r\n", "two?lines??"),
        ("tab\tbell\a", "tab?bell?"),
        ("\u202egpj", "?gpj"),
        ("\udcff", "?"),
        ("", ""),
    ],
)
def test_what_does_not_print_is_a_question_mark(text: str, shown: str) -> None:
    assert printable(text) == shown
