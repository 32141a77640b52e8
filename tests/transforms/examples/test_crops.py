"""Crops cover every pixel, and which of them become examples follows from the runs alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskmill.runs import mask_to_runs
from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.assignment.image_hash import hash_crop
from maskmill.transforms.examples.crops import (
    EDGES,
    CropFormat,
    all_crops,
    crop_grid,
    is_view_of_crop,
    kept_crops,
    most_crops,
    parts_of,
    starts,
    view_of_crop,
)
from maskmill.transforms.examples.rle import pack_runs
from maskmill.transforms.rejected import Line
from tests.support.records import a_spec
from tests.support.shards import FORM, spec_of

# The images of the competition, cut as most of its solutions do.
STEEL = CropFormat((256, 256), (256, 256), "shift", 1.0, (256, 1600))


@pytest.mark.parametrize(
    ("source", "size", "stride", "edge", "expected"),
    [
        (1600, 256, 256, "shift", (0, 256, 512, 768, 1024, 1280, 1344)),
        (1600, 256, 256, "drop", (0, 256, 512, 768, 1024, 1280)),
        (1600, 256, 256, "pad", (0, 256, 512, 768, 1024, 1280, 1536)),
        (1600, 256, 224, "shift", (0, 224, 448, 672, 896, 1120, 1344)),  # the last one ends at the edge anyway
        (1600, 256, 128, "pad", (*range(0, 1345, 128), 1408)),
        (256, 256, 1, "shift", (0,)),
        (10, 4, 3, "drop", (0, 3, 6)),
        (3, 4, 4, "pad", (0,)),
    ],
)
def test_crops_begin_a_stride_apart_up_to_the_edge(
    source: int, size: int, stride: int, edge: str, expected: tuple[int, ...]
) -> None:
    assert starts(source, size, stride, edge) == expected


@pytest.mark.parametrize("edge", ["shift", "drop"])
def test_a_crop_that_does_not_fit_is_refused(edge: str) -> None:
    with pytest.raises(ValueError, match="a crop of 4 pixels does not fit into an image of 3"):
        starts(3, 4, 4, edge)


@st.composite
def cuts(draw: st.DrawFn, edges: tuple[str, ...] = EDGES) -> CropFormat:
    """Any way to cut small images."""
    source = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    size = draw(st.integers(1, source[0])), draw(st.integers(1, source[1]))
    stride = draw(st.integers(1, size[0])), draw(st.integers(1, size[1]))
    return CropFormat(size, stride, draw(st.sampled_from(edges)), 1.0, source)


@given(cuts(("shift", "pad")))
@settings(max_examples=300, deadline=None)
def test_every_pixel_is_in_a_crop(crops: CropFormat) -> None:
    covered = np.zeros(crops.source, int)
    for corner in itertools.product(*crop_grid(crops)):
        top, left, height, width = view_of_crop(corner, crops, crops.size).shown
        assert top + height <= crops.source[0]
        assert left + width <= crops.source[1]
        covered[top : top + height, left : left + width] += 1
    assert covered.all()
    if crops.stride == crops.size and crops.edge == "pad":
        assert (covered == 1).all()


@given(cuts(("drop",)))
@settings(max_examples=100, deadline=None)
def test_crops_that_are_dropped_at_the_edge_leave_less_than_a_stride(crops: CropFormat) -> None:
    for begins, size, stride, source in zip(crop_grid(crops), crops.size, crops.stride, crops.source, strict=True):
        assert 0 <= source - (begins[-1] + size) < stride


@given(cuts(), st.booleans(), st.integers(0, 2**32), st.floats(0, 0.3))
@settings(max_examples=300, deadline=None)
def test_a_crop_has_the_classes_with_a_pixel_in_it(crops: CropFormat, by_rows: bool, seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    masks = {class_id: random.random(crops.source) < share for class_id in (1, 3)}
    rows = [
        MaskRow(Line("", 0, 0), class_id, pack_runs(mask_to_runs(mask.T if by_rows else mask)[::-1]))
        for class_id, mask in masks.items()
    ]
    found = all_crops(rows, crops, by_rows=by_rows)
    assert [(crop.top, crop.left) for crop in found] == list(itertools.product(*crop_grid(crops)))
    assert len(found) == most_crops(crops)
    for crop in found:
        box = slice(crop.top, crop.top + crops.size[0]), slice(crop.left, crop.left + crops.size[1])
        assert crop.class_ids == {class_id for class_id, mask in masks.items() if mask[box].any()}


def test_runs_that_overlap_or_end_past_the_image_count_where_they_are() -> None:
    rows = spec_of("a.jpg", runs="1 5 2 1 3 9 3073 999999").rows
    assert [bool(crop.class_ids) for crop in all_crops(rows, STEEL)] == [True] * 7
    rows = spec_of("a.jpg", runs="409601 100").rows
    assert not any(crop.class_ids for crop in all_crops(rows, STEEL))


@pytest.mark.parametrize(("empty", "expected"), [(1.0, 7), (0.0, 2)])
def test_empty_crops_are_all_kept_or_left_out(empty: float, expected: int) -> None:
    spec = spec_of("a.jpg", runs=f"{256 * 250 + 1} {256 * 20}")
    kept = kept_crops(spec, STEEL._replace(empty=empty))
    assert len(kept) == expected
    assert [crop.left for crop in kept if crop.class_ids] == [0, 256]


def test_a_share_of_the_empty_crops_is_chosen_by_the_hash_of_each() -> None:
    names = [f"{number}.jpg" for number in range(400)]
    chosen = {
        share: {
            (name, crop.left)
            for name in names
            for crop in kept_crops(a_spec(name, classes=()), STEEL._replace(empty=share, salt="s"))
        }
        for share in (0.1, 0.5)
    }
    assert len(chosen[0.1]) == pytest.approx(280, abs=60)
    assert len(chosen[0.5]) == pytest.approx(1400, abs=120)
    assert chosen[0.1] < chosen[0.5]
    other = {
        (name, crop.left)
        for name in names
        for crop in kept_crops(a_spec(name, classes=()), STEEL._replace(empty=0.5, salt="t"))
    }
    assert other != chosen[0.5]
    # Neither the other crops nor the other images matter.
    halves = STEEL._replace(empty=0.5, salt="s", stride=(256, 128))
    of_halves = {(name, crop.left) for name in names for crop in kept_crops(a_spec(name, classes=()), halves)}
    both = {left for _, left in chosen[0.5]} & set(crop_grid(halves)[1])
    assert {one for one in of_halves if one[1] in both} == {one for one in chosen[0.5] if one[1] in both}


def test_the_hash_of_a_crop_stays_what_it_is() -> None:
    assert hash_crop("0002cc93b.jpg", 0, 256, "") == 14803958119995134803


def test_the_parts_of_an_image_are_its_crops_or_the_whole() -> None:
    spec = spec_of("a.jpg", runs="1 2")
    assert parts_of(spec, FORM) == [(None, {3})]
    cut = FORM._replace(crops=CropFormat((8, 12), (8, 12), "shift", 0.0, (16, 24)))
    assert parts_of(spec, cut) == [((0, 0), {3})]
    by_rows = spec_of("a.jpg", runs="12 2")
    assert [part.crop for part in parts_of(by_rows, cut)] == [(8, 0)]
    assert [part.crop for part in parts_of(by_rows, cut._replace(by_rows=True))] == [(0, 0), (0, 12)]


@pytest.mark.parametrize(
    ("corner", "resized", "shown", "valid"),
    [
        ((0, 0), (256, 256), (0, 0, 256, 256), (0, 0, 256, 256)),
        ((0, 1536), (256, 256), (0, 1536, 256, 64), (0, 0, 256, 64)),
        ((0, 1536), (128, 128), (0, 1536, 256, 64), (0, 0, 128, 32)),
        ((0, 1536), (256, 3), (0, 1536, 256, 64), (0, 0, 256, 1)),
    ],
)
def test_a_view_ends_at_the_edge_of_the_image(
    corner: tuple[int, int], resized: tuple[int, int], shown: tuple[int, ...], valid: tuple[int, ...]
) -> None:
    crops = STEEL._replace(edge="pad")
    view = view_of_crop(corner, crops, resized)
    assert view == ((256, 1600), shown, valid)
    assert is_view_of_crop(view, crops, resized)
    assert not is_view_of_crop(view._replace(shown=view.shown._replace(left=1)), crops, resized)
    assert not is_view_of_crop(view._replace(shown=view.shown._replace(height=255)), crops, resized)
    assert not is_view_of_crop(view._replace(image_size=(256, 1601)), crops, resized)
