"""Limits the rejected rows and images: above the limit a run publishes nothing."""

from __future__ import annotations

import re
from typing import NamedTuple


class RejectedLimit(NamedTuple):
    """A number of rejected rows and images, or a share of the rows that are read.

    Attributes:
        number: of rejected rows and images, or a percentage of the rows.
        percent: whether the number is a percentage.
    """

    number: float = 0
    percent: bool = False

    def allows(self, rejected: int, rows: int) -> bool:
        """Whether `rejected` rows and images are within the limit if `rows` rows were read."""
        return rejected <= (self.number * rows / 100 if self.percent else self.number)

    def __str__(self) -> str:
        return f"{self.number:g}%" if self.percent else f"{self.number:.0f}"


NONE_REJECTED = RejectedLimit()


def parse_limit(text: str) -> RejectedLimit:
    """Parses `N` or `N%`.

    Raises:
        ValueError: the text is something else; the message says what is needed.
    """
    match = re.fullmatch(r"([0-9]{1,15})|([0-9]{1,3}(?:\.[0-9]{1,12})?)%", text, re.ASCII)
    if match is None or (match[2] and float(match[2]) > 100):
        raise ValueError(f"{text!r} is neither a whole number nor a percentage from 0% to 100%{_hint(text)}")
    return RejectedLimit(float(match[2]), percent=True) if match[2] else RejectedLimit(int(match[1]))


def _hint(text: str) -> str:
    """Returns how to write a percentage that has a decimal comma, a space, a word as its sign or none, or thousands."""
    if re.fullmatch(r"[0-9]{1,3}([,_. ][0-9]{3})+", text, re.ASCII):
        return f"; did you mean {re.sub('[^0-9]', '', text)}?"
    match = re.fullmatch(
        r"\s*([0-9]{0,3})(?:[.,]([0-9]{1,12}))?\s*(%|pct|per\s?cent)?\s*", text, re.ASCII | re.IGNORECASE
    )
    if match is None or not (match[1] or match[2]) or float(f"{match[1]}.{match[2] or 0}") > 100:
        return ""
    number = (match[1] or "0") + (f".{match[2]}" if match[2] else "")
    return f"; did you mean {number}%?"
