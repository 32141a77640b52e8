"""Names that may mean the same image."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.annotations.similar_names import SimilarFiles, loose_form


@pytest.mark.parametrize(
    "names",
    [
        [
            "a.jpg",
            "a",
            "A",
            "a.JPG",
            "a.png",
            "a.jpeg",
            "a.dcm",
            "a.jpg.jpg",
            "x/a.jpg",
            "x\\y\\a",
            " a .jpg",
            "./A.jpg",
        ],
        ["7", "007.png", "0007"],
        ["1.2.840", "1.2.840.dcm"],
        ["Köln", "K\u00d6LN.jpg", "Ko\u0308ln.png", "\uff2b\u00f6ln.jpg"],
        ["0002cc93b", "0002CC93B.jpg"],
    ],
)
def test_names_that_may_mean_the_same_image_have_one_loose_form(names: list[str]) -> None:
    assert len(set(map(loose_form, names))) == 1


@pytest.mark.parametrize(
    "names",
    [
        ["a.jpg", "b.jpg", "aa.jpg", "a_1.jpg", "a b.jpg"],
        ["scan.1.jpg", "scan.2.jpg", "scan.jpg", "scan.x.jpg"],
        ["7.png", "70.png", "0.png"],
        ["0a.png", "a.png"],
        ["._a.jpg", "a.jpg"],
        [".jpg", ".png"],
        ["x/a.jpg", "x/b.jpg"],
    ],
)
def test_names_of_different_images_have_different_ones(names: list[str]) -> None:
    assert len(set(map(loose_form, names))) == len(names)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_all_unicode_forms_of_a_name_meet(name: str) -> None:
    forms = {loose_form(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")} | {loose_form(name)}
    assert len(forms) == 1


def test_files_are_found_by_folder_and_the_nearest_is_the_least_different() -> None:
    names = ["a.png", "A.PNG", "a.PNG.png", "b.jpg", "K\u00f6ln.jpg"]
    files = [((0, name), (1, 0.0)) for name in names] + [((1, "c.jpg"), (2, 0.0))]
    keys = [(0, "A.png"), (0, "a.PNG"), (0, "a"), (0, "c"), (1, "c"), (0, "Ko\u0308ln.jpg")]
    similar = SimilarFiles(keys, files)
    assert [similar.nearest(key) for key in keys] == [
        (0, "A.PNG"),
        (0, "a.PNG.png"),
        (0, "a.PNG.png"),
        None,
        (1, "c.jpg"),
        (0, "K\u00f6ln.jpg"),
    ]
    assert similar.to((1, "c")) == {"c.jpg": (2, 0.0)}
    assert [similar.same(key) for key in keys] == [[], [], [], [], [], ["K\u00f6ln.jpg"]]
    assert similar.nearest((0, "b")) is None, "nobody looked for it"
