"""Tests of the names of files that ImageIds outside of the rows stand for."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.image_ids import file_named

NFC, NFD = "K\u00f6ln.jpg", "Ko\u0308ln.jpg"


@pytest.mark.parametrize(
    ("image_id", "suffix", "name"),
    [
        ("a.jpg", "", "a.jpg"),
        ("a", ".png", "a.png"),
        ("a.png", ".png", "a.png"),
        (NFC, "", NFC),
        (NFD, "", NFC),
    ],
)
def test_an_image_id_is_the_name_of_the_file_or_that_of_the_rows_in_any_unicode_form(
    image_id: str, suffix: str, name: str
) -> None:
    assert file_named(image_id, suffix) == name
