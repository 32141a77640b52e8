"""Masks as users bring them, in every convention: the right pixels, or a clear word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import open_dataset
from tests.support.builders import HEADER, HEIGHT, WIDTH, grey_pixels, image_bytes
from tests.support.command import manifest
from tests.support.mask_texts import CONVENTIONS, write_mask
from tests.support.user_files import UserFiles

STRIP = "100 2 14 2 14 2"  # relative: pixels 100-101, 116-117, 132-133
RECTANGLE = "83 10 107 10"  # along the rows: rows 4 and 5, columns 11 to 20
# The rectangle's columns 11 to 20, numbered from 1, of images of 16 rows.
RECTANGLE_RUNS = [((column - 1) * HEIGHT + 4, 2) for column in range(11, 21)]


def rows_of(*masks: str, header: str = HEADER) -> str:
    """A CSV with the masks of a.jpg and b.jpg."""
    return "\n".join([header, *(f'{name}.jpg,3,"{mask}"' for name, mask in zip("ab", masks, strict=False)), ""])


def with_runs(csv: str, **runs: Any) -> dict[str, Any]:
    """A CSV, and a parameter file that says how its masks are written."""
    return {"csv": csv, "params": {"maskmill": {"runs": runs}}}


def image_of(**kind: Any) -> bytes:
    return image_bytes(grey_pixels(1), **kind)


USER_FILES = {
    "relative runs, unnamed": UserFiles(
        csv=rows_of(STRIP),
        status=3,
        words=("train.csv:2: a.jpg: run 2 starts at pixel 14, before run 1", "maskmill.runs.encoding: relative"),
        codes={"RLE_NOT_ASCENDING": 1},
    ),
    "relative runs": UserFiles(
        **with_runs(rows_of(STRIP), encoding="relative"), pixels={"a.jpg": [(100, 2), (116, 2), (132, 2)]}
    ),
    "relative runs from 0": UserFiles(
        **with_runs(rows_of(STRIP), encoding="relative", first=0), pixels={"a.jpg": [(101, 2), (117, 2), (133, 2)]}
    ),
    "relative runs that touch": UserFiles(
        **with_runs(rows_of("5 2 0 3"), encoding="relative"), pixels={"a.jpg": [(5, 5)]}
    ),
    "relative runs past the image": UserFiles(
        **with_runs(rows_of("380 2 2 2"), encoding="relative"),
        status=3,
        words=("run 2 ends at pixel 385, past the image's 384",),
        codes={"RLE_OUT_OF_BOUNDS": 1},
    ),
    "relative and empty, with a blank before -1": UserFiles(
        **with_runs(rows_of(STRIP, " -1"), encoding="relative"),
        words=("2 rows read, 2 of them in examples",),
        pixels={"a.jpg": [(100, 2), (116, 2), (132, 2)], "b.jpg": []},
    ),
    "runs in no order, as the original reads them": UserFiles(
        **with_runs(rows_of("9 2 1 3"), unsorted="accept"), pixels={"a.jpg": [(1, 3), (9, 2)]}
    ),
    "relative runs, read as the original does": UserFiles(
        **with_runs(rows_of(STRIP), unsorted="accept"),
        words=("note: rows with overlapping runs, which are united: 1",),
        pixels={"a.jpg": [(14, 2), (100, 2)]},
    ),
    "one row of many goes backwards": UserFiles(
        csv=rows_of("1 2", "9 2 1 3"),
        flags=("--max_rejected=1",),
        words=("1 rejected: 1 RLE_NOT_ASCENDING",),
        codes={"RLE_NOT_ASCENDING": 1},
        pixels={"a.jpg": [(1, 2)]},
    ),
    "overlapping runs in order": UserFiles(
        csv=rows_of("1 4 3 4", "1 2 3 2"),
        words=("note: rows with overlapping runs, which are united: 1",),
        pixels={"a.jpg": [(1, 6)], "b.jpg": [(1, 4)]},
    ),
    "the same run twice": UserFiles(
        csv=rows_of("7 2 7 2"), words=("overlapping runs, which are united: 1",), pixels={"a.jpg": [(7, 2)]}
    ),
    "runs along the rows": UserFiles(**with_runs(rows_of(RECTANGLE), order="rows"), pixels={"a.jpg": RECTANGLE_RUNS}),
    "runs along the rows, from 0": UserFiles(
        **with_runs(rows_of("82 10 106 10"), order="rows", first=0), pixels={"a.jpg": RECTANGLE_RUNS}
    ),
    "runs along the rows of PNGs without a class": UserFiles(
        csv="id,annotation,cell_type\na,83 10 107 10,cort\n",
        images={"a.png": image_of(kind="PNG")},
        params={
            "class_id": "all",
            "maskmill": {
                "image_column": "id",
                "image_suffix": ".png",
                "mask_column": "annotation",
                "class_column": "cell_type",
                "classes": ["shsy5y", "astro", "cort"],
                "runs": {"order": "rows"},
            },
        },
        pixels={"a.png": RECTANGLE_RUNS},
    ),
    "past an image, along the rows": UserFiles(
        **with_runs(rows_of("380 6"), order="rows"),
        status=3,
        words=("run 1 ends at pixel 385, past the image's 384 (16 x 24)",),
        codes={"RLE_OUT_OF_BOUNDS": 1},
    ),
    "pixels from 0, unnamed": UserFiles(
        csv=rows_of("0 2"), status=3, words=("set maskmill.runs.first: 0",), codes={"RLE_BAD_START": 1}
    ),
    "pixels from 0": UserFiles(**with_runs(rows_of("0 2 383 1"), first=0), pixels={"a.jpg": [(1, 2), (384, 1)]}),
    "pixels from 0, past the image": UserFiles(
        **with_runs(rows_of("384 1"), first=0), status=3, codes={"RLE_OUT_OF_BOUNDS": 1}
    ),
    "counts": UserFiles(
        **with_runs(rows_of("5 3 2 4 370", "384"), encoding="counts"),
        pixels={"a.jpg": [(6, 3), (11, 4)], "b.jpg": []},
    ),
    "counts that begin with a defect": UserFiles(
        **with_runs(rows_of("0 3 2 4"), encoding="counts"), pixels={"a.jpg": [(1, 3), (6, 4)]}
    ),
    "counts along the rows": UserFiles(
        **with_runs(rows_of("82 10 14 10 268"), encoding="counts", order="rows"), pixels={"a.jpg": RECTANGLE_RUNS}
    ),
    "counts with commas and brackets": UserFiles(
        **with_runs(rows_of("[5, 3, 2, 4, 370]"), encoding="counts", separator="comma"),
        pixels={"a.jpg": [(6, 3), (11, 4)]},
    ),
    "counts of a larger image": UserFiles(
        **with_runs(rows_of("380 9"), encoding="counts"), status=3, codes={"RLE_OUT_OF_BOUNDS": 1}
    ),
    "counts, unnamed": UserFiles(
        csv=rows_of("5 3 2 4 370"), status=3, words=("maskmill.runs.encoding: counts",), codes={"RLE_ODD_COUNT": 1}
    ),
    "commas, unnamed": UserFiles(
        csv=rows_of("1,2,9,3"), status=3, words=("maskmill.runs.separator: comma",), codes={"RLE_NOT_NUMBERS": 1}
    ),
    "commas": UserFiles(**with_runs(rows_of("1,2,9,3"), separator="comma"), pixels={"a.jpg": [(1, 2), (9, 3)]}),
    "a convention that is misspelt": UserFiles(
        **with_runs(rows_of("1 2"), encoding="relativ"),
        status=2,
        words=("maskmill.runs.encoding", '"relativ" is not supported', "give pairs, relative or counts"),
    ),
    "a first pixel that is neither 0 nor 1": UserFiles(
        **with_runs(rows_of("1 2"), first=2), status=2, words=("maskmill.runs.first", "give 0 or 1")
    ),
    "a first pixel that is a truth value": UserFiles(
        **with_runs(rows_of("1 2"), first=True), status=2, words=("maskmill.runs.first", "give 0 or 1")
    ),
    "a key of the convention that is misspelt": UserFiles(
        **with_runs(rows_of("1 2"), encodng="relative"), status=2, words=("maskmill.runs.encodng", "encoding")
    ),
}


@pytest.mark.parametrize("name", USER_FILES)
def test_masks_are_right_or_refused_with_a_clear_word(name: str, tmp_path: Path) -> None:
    USER_FILES[name].check(tmp_path)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: "-".join(map(str, convention.values())))
def test_random_masks_come_out_pixel_by_pixel_in_every_convention(convention: dict[str, Any], tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    shares = (0.02, 0.3, 0.5, 0.97, 0.0, 1.0)
    masks = {f"{number}.jpg": random.random((HEIGHT, WIDTH)) < share for number, share in enumerate(shares)}
    rows = [f'{name},3,"{write_mask(mask, **convention)}"' for name, mask in masks.items()]
    UserFiles(
        csv="\n".join([HEADER, *rows, ""]),
        images={name: image_of() for name in masks},
        params={"maskmill": {"runs": convention}},
    ).check(tmp_path)
    labels = {example.image_id: example.label[0] for example in open_dataset(tmp_path / "out")}
    assert list(labels) == list(masks)
    assert all(np.array_equal(labels[name], mask) for name, mask in masks.items())
    assert manifest(tmp_path / "out")["notes"] == {}
