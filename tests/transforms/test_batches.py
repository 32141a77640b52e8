"""Batches: every item once, in order, in pieces that a shuffle takes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms import batches
from maskmill.transforms.annotations.columns import Columns, RowFormat
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.group_by_image import MIN_PARTITIONS, partitions_for, row_from_plain, row_to_plain
from maskmill.transforms.annotations.records import AnnotationRow, ImageFile, MaskRow
from maskmill.transforms.batches import IntoBatches, pack, unpack
from maskmill.transforms.examples.spec import ExampleSpec, spec_from_plain, spec_to_plain
from maskmill.transforms.rejected import Line


def batches_of(pairs: list[tuple[str, int]]) -> list[tuple[str, list[Any]]]:
    step = IntoBatches(lambda item: (item,), lambda item: item)
    step.start_bundle()
    yielded = [made for pair in pairs for made in step.process(pair)]
    return yielded + [windowed.value for windowed in step.finish_bundle()]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 120)), max_size=60), st.integers(10, 500))
def test_every_item_is_in_one_batch_of_its_key_in_order(pairs: list[tuple[str, int]], held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BATCH_BYTES", 100)
        patch.setattr(batches, "HELD_BYTES", held)
        found: dict[str, list[int]] = defaultdict(list)
        for key, batch in batches_of(pairs):
            items = [item for (item,) in unpack([batch])]
            assert batch[0] == len(items)
            assert items
            assert sum(items) <= 100 or len(items) == 1
            found[key] += items
    expected: dict[str, list[int]] = defaultdict(list)
    for key, item in pairs:
        expected[key].append(item)
    assert found == expected


def test_a_bundle_of_many_keys_holds_a_bounded_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "HELD_BYTES", 1000)
    step = IntoBatches(lambda item: (item,), lambda item: item)
    step.start_bundle()
    held = 0
    for key in range(1000):
        held += 10 - 10 * sum(count for _, (count, _) in step.process((key, 10)))
        assert held <= 1000


def test_rows_and_examples_survive_being_made_plain() -> None:
    rows = tuple(MaskRow(Line("train.csv", 512, number), 3, b"runs") for number in (1, 2))
    spec = ExampleSpec("a.jpg", ImageFile("/images/a.jpg", 100, 1.5), rows, 2, "coil 7")
    assert spec_from_plain(spec_to_plain(spec)) == spec
    pair = (1, "a.jpg"), AnnotationRow(1, 2, rows[0], "coil 7")
    assert row_from_plain(row_to_plain(pair)) == pair


def test_what_many_have_in_common_is_in_a_batch_once() -> None:
    lines = [Line(f"/data/{'train.csv'}", 0, number) for number in range(5)]  # strings of their own
    rows = [((0, f"{line.line}.jpg"), AnnotationRow(0, 0, MaskRow(line, 3, b"runs"), "")) for line in lines]
    specs = [ExampleSpec(key[1], ImageFile(f"/images/{key[1]}", 9, 1.5), (row.mask,), 1) for key, row in rows]
    for _, packed in (pack([row_to_plain(row) for row in rows]), pack([spec_to_plain(spec) for spec in specs])):
        assert packed.count(b"/data/train.csv") == 1
        assert packed.count(b"/images/") <= 1


def test_there_are_as_many_partitions_as_the_csv_needs() -> None:
    def file(path: str, size: int) -> CsvFile:
        return CsvFile(path, size, Columns(0, 1, 2, None, 3, RowFormat()), ((0, 0),))

    assert partitions_for([file("a.csv", 1000)]) == MIN_PARTITIONS
    assert partitions_for([file("a.csv", 10**9), file("b.csv", 10**9)]) == pytest.approx(477, abs=1)
    assert partitions_for([file("a.csv.gz", 10**9)]) > partitions_for([file("a.csv", 10**9)])
