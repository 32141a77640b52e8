"""Names the tallies: what steps count and `AggregateMetadata` sums. They are data, unlike Beam's counters.

A tally is a pair (name, number). Tallies of rows that nobody asked for begin with a prefix; manifest.json lists them by
the rest of their name.
"""

from __future__ import annotations

from collections.abc import Mapping

_FILTERED = "filtered: "

READ_ROWS = "read"
ANNOTATED_IMAGES = "annotated images"
SHARED_IMAGES = "images in more than one split"

OTHER_CLASS = f"{_FILTERED}of another class"
WITHOUT_MASK = f"{_FILTERED}without a mask"
UNWANTED_NEGATIVE = f"{_FILTERED}negative, and not wanted"
IN_NO_SPLIT = f"{_FILTERED}in no split"


def filtered_rows(totals: Mapping[str, int]) -> dict[str, int]:
    """Returns the numbers of filtered rows by reason, sorted by reason."""
    filtered = {name.removeprefix(_FILTERED): totals[name] for name in totals if name.startswith(_FILTERED)}
    return dict(sorted(filtered.items()))
