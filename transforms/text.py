"""Text of unknown origin, fit to be shown: a terminal obeys some characters."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line, with "?" for each character that does not print."""
    return "".join(character if character.isprintable() else "?" for character in text)
