"""What is wrong with the names in rows, and what mends them."""

from __future__ import annotations

import pytest

from maskmill.pipeline.dataset.misnamed import cause_of


@pytest.mark.parametrize(
    ("image_id", "meant", "suffix", "mend"),
    [
        ("a", "a.jpg", "", "set maskmill.image_suffix: .jpg"),
        ("a.x", "a.x.tar.jpg", "", "set maskmill.image_suffix: .tar.jpg"),
        ("a.jpg", "a.jpg.png", "", "set maskmill.image_suffix: .png"),
        ("a.png", "a.jpg", ".png", "set maskmill.image_suffix: .jpg"),
        ("a.jpg.jpg", "a.jpg", ".jpg", "remove maskmill.image_suffix"),
        ("a.png", "a.jpg", "", r"s/\.png/\.jpg/"),
        ("a.JPG", "a.jpg", "", r"s/\.JPG/\.jpg/"),
        ("a.jpg", "a", "", r"s/\.jpg//"),
        ("a.p'g", "a.jpg", "", ""),
        ("A.JPG", "a.jpg", "", "2,$y/ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/"),
        ("a.jpg", "A.JPG", "", "2,$y/abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUVWXYZ/"),
        ("Ab.jpg", "aB.jpg", "", ""),
        ("K\u00f6ln", "Ko\u0308ln.jpg", "", "set maskmill.image_suffix: .jpg"),
        ("7.jpg", "007.jpg", "", ""),
        ("a/b.c/d.jpg", "d.jpg", "", r"s#a/b\.c/##"),
        (r"C:\x\d.jpg", "d.jpg", "", ""),
        (r"x\d.jpg", "d.jpg", "", r"s#x\\##"),
        ("x#/d.jpg", "d.jpg", "", ""),
    ],
)
def test_a_name_is_mended_by_a_key_or_a_script(image_id: str, meant: str, suffix: str, mend: str) -> None:
    cause = cause_of(image_id, meant, suffix)
    assert cause.key + cause.sed == mend
    assert bool(cause.folder) == (image_id != image_id.replace("\\", "/").rpartition("/")[2])
