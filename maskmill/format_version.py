"""Holds the version of the format, which is part of every fingerprint."""

from __future__ import annotations

from maskmill.names import ARRAYS

# Raise it whenever the same input would give other bytes. Versions 1 to 7 can be read.
CURRENT = 6
# The version of datasets with the layout `arrays`, which readers of version 6 do not know. Fingerprints do not have it:
# they have the layout.
_WITH_ARRAYS = 7


def current_format() -> int:
    """Returns the version of the bytes that this maskmill writes."""
    return CURRENT


def format_with(layout: str) -> int:
    """Returns the version of a dataset that this maskmill makes: the lowest whose readers know its layout."""
    return max(CURRENT, _WITH_ARRAYS) if layout == ARRAYS else CURRENT


def highest_format() -> int:
    """Returns the highest version that this maskmill can read."""
    return max(CURRENT, _WITH_ARRAYS)


def same_bytes(one: int, other: int) -> bool:
    """Whether two versions differ at most by the layout that readers have to know: both write the same examples."""
    return one == other or {one, other} == {6, _WITH_ARRAYS}
