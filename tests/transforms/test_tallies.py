"""Tests of the names of tallies."""

from __future__ import annotations

from maskmill.transforms import tallies


def test_rows_that_nobody_asked_for_are_listed_by_reason() -> None:
    totals = {
        tallies.WITHOUT_MASK: 1,
        tallies.READ_ROWS: 20,
        tallies.OTHER_CLASS: 2,
        tallies.IN_NO_SPLIT: 3,
        tallies.UNWANTED_NEGATIVE: 4,
        tallies.SHARED_IMAGES: 5,
        tallies.ANNOTATED_IMAGES: 6,
    }
    # These reasons are in manifest.json.
    assert list(tallies.filtered_rows(totals).items()) == [
        ("in no split", 3),
        ("negative, and not wanted", 4),
        ("of another class", 2),
        ("without a mask", 1),
    ]


def test_notes_are_listed_by_what_they_are() -> None:
    totals = {tallies.OVERLAPPING_RUNS: 1, tallies.READ_ROWS: 20, tallies.OTHER_CLASS: 2}
    # They are in manifest.json, too.
    assert tallies.notes(totals) == {"rows with overlapping runs, which are united": 1}


def test_no_two_tallies_have_the_same_name() -> None:
    names = [value for name, value in vars(tallies).items() if name.isupper() and not name.startswith("_")]
    assert len(set(names)) == len(names) > 6
