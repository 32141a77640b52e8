"""Names of files: text or not, litter, Unicode forms."""

from __future__ import annotations

import unicodedata

import pytest

from maskmill.names import is_utf8
from maskmill.transforms.files.file_names import is_litter, is_of_file_manager, normal_form, shown_path, takes


@pytest.mark.parametrize(
    ("name", "utf8", "shown"),
    [
        ("a.jpg", True, "a.jpg"),
        ("Köln", True, "Köln"),
        ("", True, ""),
        ("K\udcf6ln/x", False, r"K\xf6ln/x"),
        ("é\udcff", False, r"é\xff"),
    ],
)
def test_a_name_that_is_not_utf_8_is_shown_by_its_bytes(name: str, utf8: bool, shown: str) -> None:
    assert (is_utf8(name), shown_path(name)) == (utf8, shown)


def test_what_systems_leave_behind_is_litter() -> None:
    litter = ["._a.jpg", ".DS_Store", ".hidden.jpg", "Thumbs.db", "thumbs.DB", "Desktop.ini", "~$train.csv", ".a~"]
    images = ["a.jpg", "_a.jpg", "a..jpg", "thumbs.jpg", "~a.jpg", "Thumbs", "a.db"]
    assert [name for name in [*litter, *images] if is_litter(name)] == litter
    assert [name for name in litter if is_of_file_manager(name)] == [
        ".DS_Store",
        "Thumbs.db",
        "thumbs.DB",
        "Desktop.ini",
    ]


@pytest.mark.parametrize(
    ("pattern", "taken", "left"),
    [
        ("*.csv", ["a.csv"], ["._a.csv", ".a.csv", "~$a.csv"]),
        ("*", ["a.csv"], ["Thumbs.db", ".DS_Store"]),
        (".*.csv", [".a.csv", "._a.csv"], []),
        (".a*", [".a.csv"], [".b.csv"]),
        ("*/*.csv", ["x/a.csv"], [".x/a.csv", "x/.a.csv"]),
        (".x/*.csv", [".x/a.csv"], [".x/.a.csv"]),
        ("**.csv", ["x/y/a.csv"], ["x/.y/a.csv"]),
        ("/data/.cache/*.csv", ["/data/.cache/a.csv"], ["/data/.cache/.a.csv"]),
        (".a[1].csv", [".a[1].csv"], []),
    ],
)
def test_a_pattern_takes_litter_only_if_it_names_it(pattern: str, taken: list[str], left: list[str]) -> None:
    assert [path for path in [*taken, *left] if takes(pattern, path)] == taken


def test_all_spellings_of_a_text_have_one_normal_form() -> None:
    spellings = [unicodedata.normalize(form, "Köln") for form in ("NFC", "NFD")]
    assert {normal_form(name) for name in spellings} == {spellings[0]}
    assert normal_form("Koln") == "Koln"
