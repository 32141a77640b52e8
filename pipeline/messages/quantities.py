"""Writes numbers with their nouns and units, for messages."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """Writes a number with its noun: "1 row", "2 rows"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_bytes(number: float) -> str:
    """Writes a number of bytes with up to three digits and a decimal unit: "999 B", "1.5 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.{0 if unit == 'B' or number >= 99.95 else 1}f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
