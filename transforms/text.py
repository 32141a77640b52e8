"""Handles text of unknown origin: makes it safe to show, as terminals obey control characters; compares spellings."""

from __future__ import annotations

import re

# Of a text of unknown length that a message or a record quotes.
SHOWN_CHARACTERS = 80


def printable(text: str) -> str:
    """Returns the text on one line, with "?" for each character that does not print."""
    return "".join(character if character.isprintable() else "?" for character in text)


def letters_and_digits(name: str) -> str:
    """Returns what is left of a name without case, blanks, hyphens and underscores, to compare spellings."""
    return re.sub(r"[\W_]", "", name).lower()
