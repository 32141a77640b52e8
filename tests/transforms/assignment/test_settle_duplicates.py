"""Tests of what becomes of examples whose image files are equal."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.records import FileStatus, ImageFile, ImageKey
from maskmill.transforms.assignment import settle_duplicates
from maskmill.transforms.assignment.apply_transform import TransformError
from maskmill.transforms.assignment.settle_duplicates import SettleDuplicates, settle, settle_alike
from maskmill.transforms.assignment.splits import SelectedExample, Selection
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.tallies import DROPPED_IMAGES, OF_DUPLICATE, OTHER_MASK, UNITED_IMAGES
from tests.support.builders import in_process
from tests.support.records import rows_of

SELECTIONS = [Selection(0, (3,)), Selection(0, (3, 4)), Selection(1, (4,))]


def example(name: str, *runs: str, selection: int = 0, folder: str = "/images", group: str = "") -> SelectedExample:
    """An example with a row of class 3 for each of the runs."""
    rows = tuple(row.mask for row in rows_of(*runs))
    spec = ExampleSpec(name, ImageFile(f"{folder}/{name}", 100, 0.0), rows, len(rows), group)
    return SelectedExample(selection, 0 if rows else None, spec)


def names(examples: list[SelectedExample]) -> list[tuple[str, int]]:
    return [(one.spec.image_id, one.selection) for one in examples]


A, B, C = example("a.jpg", "1 2"), example("b.jpg", "1 2", "9 1"), example("c.jpg", "1 2")


@pytest.mark.parametrize("seed", range(4))
def test_the_first_by_image_id_stays_in_whatever_order_they_come(seed: int) -> None:
    equal = [C, A, B, example("a.jpg", "1 2", selection=1)]
    random.Random(seed).shuffle(equal)
    settled = settle(equal, SELECTIONS, drop=True)
    assert sorted(names(settled.examples)) == [("a.jpg", 0), ("a.jpg", 1)]
    assert (settled.duplicates, settled.rows, settled.pairs) == (2, 3, [("a.jpg", "b.jpg")])


def test_kept_together_they_are_a_group_by_the_first_image_id() -> None:
    settled = settle([C, B, A], SELECTIONS, drop=False)
    assert [(one.spec.image_id, one.spec.group) for one in settled.examples] == [
        ("a.jpg", "a.jpg"),
        ("b.jpg", "a.jpg"),
        ("c.jpg", "a.jpg"),
    ]
    assert (settled.duplicates, settled.rows, settled.pairs) == (2, 0, [("a.jpg", "b.jpg")])


def test_a_group_that_a_transform_has_given_takes_its_equals_in_and_two_cannot_be_united() -> None:
    grouped = example("b.jpg", "1 2", group="coil 7")
    assert {one.spec.group for one in settle([A, grouped], SELECTIONS, drop=False).examples} == {"coil 7"}
    with pytest.raises(TransformError, match=r"b.jpg and c.jpg are equal images.*'coil 7' and 'coil 8'"):
        settle([grouped, example("c.jpg", group="coil 8")], SELECTIONS, drop=False)


def test_equal_images_that_a_file_puts_into_two_splits_cannot_be_united() -> None:
    selections = [Selection(0, (3,), "train_input"), Selection(0, (3,), "fold_1")]
    assert len(settle([A, B], selections, drop=False).examples) == 2
    apart = [B, C, example("a.jpg", "1 2", selection=1)]
    with pytest.raises(TransformError, match=r"a.jpg and b.jpg are equal .*splits_file puts them into fold_1 and trai"):
        settle(apart, selections, drop=False)
    assert names(settle(apart, selections, drop=True).examples) == [("a.jpg", 1)]


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ([("1 4", 0)], [("1 4", 0)], False),
        ([("1 4", 0)], [("1 2 3 2", 0)], False),
        ([("1 4 9 1", 0)], [("9 1", 0), ("1 3", 0), ("2 3", 0)], False),
        ([("1 4", 0)], [("1 3", 0)], True),
        ([("1 4", 0)], [], True),
        ([], [], False),
        # What another split is not asked for is no difference.
        ([("1 4", 0)], [("1 4", 1)], False),
        ([("1 4", 0)], [("1 5", 2)], False),
    ],
)
def test_masks_differ_by_their_pixels_not_by_their_rows(
    one: list[tuple[str, int]], other: list[tuple[str, int]], differ: bool
) -> None:
    def of(name: str, runs: list[tuple[str, int]]) -> SelectedExample:
        selection = runs[0][1] if runs else 0
        found = example(name, *(text for text, _ in runs), selection=selection)
        rows = tuple(row._replace(class_id=4) if selection == 2 else row for row in found.spec.rows)
        return found._replace(spec=found.spec._replace(rows=rows))

    settled = settle([of("a.jpg", one), of("b.jpg", other)], SELECTIONS, drop=True)
    assert settled.pairs == ([("a.jpg", "b.jpg")] if differ else [])


@pytest.mark.parametrize("name", ["a.jpg", "b.jpg"])
def test_images_of_two_folders_are_told_by_their_paths(name: str) -> None:
    other = example(name, "5 1", folder="/more")
    settled = settle([other, A], SELECTIONS, drop=True)
    assert names(settled.examples) == [("a.jpg", 0)]
    assert settled.pairs == [("/images/a.jpg", f"/more/{name}")]


def test_files_are_read_only_if_there_are_several_and_only_equal_ones_are_settled() -> None:
    content = {"/images/a.jpg": "1", "/images/b.jpg": "2", "/images/c.jpg": "1"}
    sets = list(settle_alike([A, B, C], SELECTIONS, drop=True, digest=content.__getitem__))
    assert [(names(one.examples), one.duplicates) for one in sets] == [([("a.jpg", 0)], 1), ([("b.jpg", 0)], 0)]
    alone = [A, example("a.jpg", selection=1)]
    [settled] = settle_alike(alone, SELECTIONS, drop=True, digest=lambda path: pytest.fail(path))
    assert settled.examples == alone


def write_files(folder: Path) -> dict[str, SelectedExample]:
    """Files of which b and d equal a, c only has its size, e its size and end; f has another one, g and h no bytes."""
    content = {"a": b"x" * 9000, "c": b"x" * 8999 + b"y", "e": b"y" + b"x" * 8999, "f": b"x", "g": b"", "h": b""}
    content |= dict.fromkeys("bd", content["a"])
    found = {}
    for name, text in content.items():
        (folder / name).write_bytes(text)
        spec = example(name, "5 1" if name == "d" else "1 2", folder=str(folder))
        image = ImageFile(str(folder / name), len(text), 0.0)
        found[name] = spec._replace(spec=spec.spec._replace(image=image))
    return found


@pytest.mark.parametrize(
    ("drop", "expected", "tallies"),
    [
        (True, dict.fromkeys("acefgh", ""), {DROPPED_IMAGES: 2, OF_DUPLICATE: 2, OTHER_MASK: 1}),
        (False, {**dict.fromkeys("abd", "a"), **dict.fromkeys("cefgh", "")}, {UNITED_IMAGES: 2, OTHER_MASK: 1}),
    ],
)
def test_only_files_of_a_shared_size_are_read_and_only_those_with_a_shared_end_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drop: bool, expected: dict[str, str], tallies: dict[str, int]
) -> None:
    examples = write_files(tmp_path)
    ends: list[str] = []
    digest_of_end = settle_duplicates.digest_of_end

    def note(image: ImageFile) -> Any:
        ends.append(Path(image.path).name)
        return digest_of_end(image)

    monkeypatch.setattr(settle_duplicates, "digest_of_end", note)
    with in_process() as pipeline:
        files = pipeline | "Files" >> beam.Create(
            [((0, name), (one.spec.image.size, 0.0, 0)) for name, one in examples.items()]
        ).with_output_types(tuple[ImageKey, FileStatus])
        given = pipeline | "Examples" >> beam.Create(list(examples.values())).with_output_types(SelectedExample)
        settled = given | SettleDuplicates(files=files, selections=SELECTIONS, drop=drop, partitions=2)
        left = settled.examples | beam.Map(lambda one: (one.spec.image_id, one.spec.group))
        assert_that(left, equal_to([*expected.items()]), "examples")
        assert_that(settled.tallies | beam.CombinePerKey(sum), equal_to([*tallies.items()]), "tallies")
        assert_that(settled.pairs, equal_to([[("a", "d")]]), "pairs")
    assert sorted(ends) == ["a", "b", "c", "d", "e"]
