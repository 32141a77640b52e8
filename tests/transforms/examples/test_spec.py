"""Tests of the specification of an example."""

from __future__ import annotations

from maskmill.transforms.annotations.records import ImageFile, MaskRow
from maskmill.transforms.codec import unpack
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.examples.spec import SPEC_CODEC, ExampleSpec
from maskmill.transforms.rejected import Line

ROWS = tuple(MaskRow(Line("train.csv", 512, number), 3, b"runs") for number in (1, 2))
SPEC = ExampleSpec("a.jpg", ImageFile("/images/a.jpg", 100, 1.5), ROWS, 2, "coil 7")


def test_examples_survive_a_batch() -> None:
    without_rows = SPEC._replace(rows=(), counted_rows=0, group="")
    assert list(unpack([SPEC_CODEC.pack([SPEC, without_rows])], SPEC_CODEC)) == [SPEC, without_rows]


def test_the_paths_that_examples_share_are_in_a_batch_once() -> None:
    specs = []
    for number in range(5):
        line = Line(f"/data/{'train.csv'}", 0, number)  # a string of its own
        name = f"{number}.jpg"
        specs.append(ExampleSpec(name, ImageFile(f"/images/{name}", 9, 1.5), (MaskRow(line, 3, b"runs"),), 1))
    _, packed = SPEC_CODEC.pack(specs)
    assert packed.count(b"/data/train.csv") == 1
    assert packed.count(b"/images/") == 1


def test_the_size_of_an_example_is_not_underestimated() -> None:
    specs = [SPEC._replace(image_id=f"{number:09}.jpg") for number in range(100)]
    assert len(SPEC_CODEC.pack(specs)[1]) <= sum(map(SPEC_CODEC.size_of, specs))


def test_an_empty_mask_is_of_no_class() -> None:
    rows = (ROWS[0], ROWS[0]._replace(class_id=1), ROWS[0]._replace(class_id=4, runs=EMPTY_RUNS))
    assert SPEC._replace(rows=rows).class_ids == {1, 3}
