"""Names the tallies: what steps count and `AggregateMetadata` sums. They are data, unlike Beam's counters.

A tally is a pair (name, number). Tallies of rows that nobody asked for begin with a prefix, and so do notes, which
count what is read in a way that a person may not expect, and numbers of rows by class; manifest.json lists each of
these by the rest of their name.
"""

from __future__ import annotations

from collections.abc import Mapping

_FILTERED = "filtered: "
_NOTED = "noted: "
_OF_CLASS = "of class: "

READ_ROWS = "read"
ANNOTATED_IMAGES = "annotated images"
SHARED_IMAGES = "images in more than one split"

OTHER_CLASS = f"{_FILTERED}of another class"
WITHOUT_MASK = f"{_FILTERED}without a mask"
BESIDE_DEFECT = f"{_FILTERED}without a class, of an image with a defect"
UNWANTED_NEGATIVE = f"{_FILTERED}negative, and not wanted"
NO_CROP = f"{_FILTERED}of an image with empty crops only, none of which is wanted"
IN_NO_SPLIT = f"{_FILTERED}in no split"
DROPPED = f"{_FILTERED}dropped by the transform"
EXCLUDED = f"{_FILTERED}excluded"
OF_DUPLICATE = f"{_FILTERED}dropped as a duplicate"

UNNAMEABLE_FILES = f"{_NOTED}files in the image folder with names that are not UTF-8, which are left out"
UNUSED_FILES = f"{_NOTED}files in the image folder without the ending of an image, which are left out"
OTHER_FORM = f"{_NOTED}rows whose image has their name in another Unicode form (NFC, NFD)"
NO_NEGATIVES = f"{_NOTED}images without a row that are no negatives, because a row may mean them by a similar name"
UNNAMED_IMAGES = f"{_NOTED}images in no split, because maskmill.splits_file does not name them"
WITHOUT_ROW = f"{_NOTED}images that maskmill.splits_file names and no row does, which become no examples"
DROPPED_IMAGES = f"{_NOTED}images dropped as duplicates of others"
UNITED_IMAGES = f"{_NOTED}images that are duplicates of others, in the same split as these"
OTHER_MASK = f"{_NOTED}duplicates with another mask than the first image of the same content"
OVERLAPPING_RUNS = f"{_NOTED}rows with overlapping runs, which are united"


def rows_of_class(name: str) -> str:
    """Returns the name of the tally of the rows of a class."""
    return _OF_CLASS + name


def rows_by_class(totals: Mapping[str, int]) -> dict[str, int]:
    """Returns the numbers of rows by the names of their classes, sorted; classes without a row are missing."""
    return _with_prefix(_OF_CLASS, totals)


def filtered_rows(totals: Mapping[str, int]) -> dict[str, int]:
    """Returns the numbers of filtered rows by reason, sorted by reason."""
    return _with_prefix(_FILTERED, totals)


def notes(totals: Mapping[str, int]) -> dict[str, int]:
    """Returns the numbers of what was noted, by what it is, sorted."""
    return _with_prefix(_NOTED, totals)


def note_of(tally: str) -> str:
    """Returns what `notes` calls the tally of a note."""
    return tally.removeprefix(_NOTED)


def _with_prefix(prefix: str, totals: Mapping[str, int]) -> dict[str, int]:
    found = {name.removeprefix(prefix): totals[name] for name in totals if name.startswith(prefix)}
    return dict(sorted(found.items()))
