"""Makes text of unknown origin safe to show: terminals obey control characters."""

from __future__ import annotations

# Of a text of unknown length that a message or a record quotes.
SHOWN_CHARACTERS = 80


def printable(text: str) -> str:
    """Returns the text on one line, with "?" for each character that does not print."""
    return "".join(character if character.isprintable() else "?" for character in text)
