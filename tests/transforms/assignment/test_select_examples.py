"""Tests of the selection of examples."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.pvalue import TaggedOutput
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.records import NO_CLASS, REJECTED_RUNS, AnnotatedImage, AnnotationRow
from maskmill.transforms.assignment import select_examples
from maskmill.transforms.assignment.select_examples import SelectExample, SelectExamples, group_of
from maskmill.transforms.assignment.splits import SelectedExample, Selection
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.rejected import Code, DataError, Rejected
from maskmill.transforms.tallies import IN_NO_SPLIT, OTHER_CLASS, UNNAMED_IMAGES
from tests.support.builders import in_process
from tests.support.records import a_row, image_file, rows_of

CLASS_3, CLASS_4, BOTH, OTHER_SOURCE = Selection(0, (3,)), Selection(0, (4,)), Selection(0, (3, 4)), Selection(1, (3,))
# Hashes for the sample, as shares of 2^64: without salt 0.51, 0.50, 0.68, 0.18; with salt 7 0.35, 0.21, 0.59, 0.77.
NAMES = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def image(*rows: AnnotationRow, name: str = "a.jpg", sources: tuple[int, ...] = ()) -> AnnotatedImage:
    return AnnotatedImage(name, image_file(name), rows, sources)


def rejected_row(class_id: int, line: int = 9) -> AnnotationRow:
    row = a_row(line, class_id)
    return row._replace(mask=row.mask._replace(runs=REJECTED_RUNS))


def select(found: AnnotatedImage, *selections: Selection, **options: object) -> list[object]:
    """Outputs of the step for an image; tagged ones as pairs of tag and value."""
    step = SelectExample(SelectExamples(selections=selections, **options))  # type: ignore[arg-type]
    return [(one.tag, one.value) if isinstance(one, TaggedOutput) else one for one in step.process(found)]


def selected(*rows: AnnotationRow, selection: int = 0, counted: int | None = None, group: str = "") -> SelectedExample:
    """The example of a.jpg with these rows."""
    masks = tuple(row.mask for row in rows)
    number = len(rows) if counted is None else counted
    spec = ExampleSpec("a.jpg", image_file("a.jpg"), masks, number, group)
    return SelectedExample(selection, rows[0].file_index if rows else None, spec)


def test_rows_of_the_same_image_and_class_are_one_example() -> None:
    with in_process() as pipeline:
        outputs = (
            pipeline | beam.Create([image(a_row(1), a_row(2, 4), a_row(5))]) | SelectExamples(selections=[CLASS_3])
        )
        assert_that(outputs.examples, equal_to([selected(a_row(1), a_row(5))]))


def test_an_image_is_one_example_of_each_selection_and_the_first_counts_its_rows() -> None:
    rows = [a_row(1), a_row(2, 4)]
    assert select(image(*rows), CLASS_3, BOTH) == [
        selected(rows[0]),
        selected(*rows, selection=1, counted=1),
    ]


def test_a_row_is_in_the_examples_of_its_source_only() -> None:
    mine, other = a_row(1), a_row(2, source=1)
    assert select(image(mine, other), CLASS_3, OTHER_SOURCE) == [selected(mine), selected(other, selection=1)]


def test_an_image_with_a_split_is_an_example_of_its_selections_only_and_all_rows_are_counted() -> None:
    fold, train = Selection(0, (3,), "fold_1"), Selection(0, (3, 4), "train_input")
    rows, other = [a_row(1), a_row(2, 4), rejected_row(4)], a_row(3, source=1)
    of_train = image(*rows[:2], other)._replace(split="train_input")
    assert select(of_train, fold, train) == [("tallies", (IN_NO_SPLIT, 1)), selected(*rows[:2], selection=1)]
    of_fold = image(*rows)._replace(split="fold_1")
    assert select(of_fold, fold, train) == [("tallies", (OTHER_CLASS, 1)), selected(rows[0])]
    unnamed = image(*rows, other)._replace(split="")
    assert select(unnamed, fold, train) == [("tallies", (UNNAMED_IMAGES, 1)), ("tallies", (IN_NO_SPLIT, 3))]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        # As listed, no negative, all, and a share that includes a.jpg.
        (rows_of("1 2"), (True, True, True, True)),
        (rows_of("-1"), (True, False, True, True)),
        ([], (False, False, True, True)),
    ],
)
def test_images_without_a_defect_are_examples_if_asked_for(rows: list[AnnotationRow], wanted: tuple[bool, ...]) -> None:
    found = image(*rows, sources=(0,) if not rows else ())
    for negatives, one in zip((None, 0.0, 1.0, 0.52), wanted, strict=True):
        expected: list[object] = [selected(*rows)] if one else []
        if not one and rows:
            expected = [("tallies", ("filtered: negative, and not wanted", 1))]
        assert select(found, CLASS_3, negatives=negatives) == expected


@pytest.mark.parametrize(("negatives", "wanted"), [(None, True), (0.0, False), (1.0, True)])
def test_a_row_without_a_class_lists_a_negative_of_each_selection_and_the_first_counts_it(
    negatives: float | None, wanted: bool
) -> None:
    of_three, of_four = a_row(1, 3, "-1"), a_row(1, 4, "-1")
    expected: list[object] = [selected(of_three), selected(of_four, selection=1, counted=0)]
    unwanted: list[object] = [("tallies", ("filtered: negative, and not wanted", 1))]
    found = select(image(a_row(1, NO_CLASS, "-1")), CLASS_3, CLASS_4, negatives=negatives)
    assert found == (expected if wanted else unwanted)
    assert select(image(a_row(1, NO_CLASS, "-1", source=1)), CLASS_3, negatives=negatives) == []


def test_negatives_are_sampled_by_a_hash_with_salt() -> None:
    def sample(negatives: float, salt: str) -> list[str]:
        images = [image(name=name, sources=(0,)) for name in NAMES]
        return [
            name
            for name, one in zip(NAMES, images, strict=True)
            if select(one, CLASS_3, negatives=negatives, salt=salt)
        ]

    assert [len(sample(share, "")) for share in (0.0, 0.5, 1.0)] == [0, 2, 4]
    assert sample(0.5, "") == ["b.jpg", "d.jpg"]
    assert sample(0.5, "7") == ["a.jpg", "b.jpg"]


def test_an_image_without_rows_is_used_by_the_sources_that_ask_for_it() -> None:
    found = image(sources=(1,))
    assert select(found, CLASS_3, OTHER_SOURCE, negatives=1.0) == [selected(selection=1)]


def test_an_image_with_rows_of_another_source_only_is_no_negative() -> None:
    assert select(image(a_row(1, source=1)), CLASS_3, negatives=1.0) == []


def test_an_image_with_a_defect_of_another_class_is_negative_if_asked_for() -> None:
    assert select(image(a_row(1, 4)), CLASS_3, negatives=1.0) == [selected()]
    assert select(image(a_row(1, 4)), CLASS_3) == []


INCOMPLETE = "another row of the image is rejected, so its mask would be incomplete; correct or remove that row"


def test_an_image_that_is_listed_without_a_class_may_have_the_defect_of_a_rejected_row() -> None:
    found = image(a_row(1, NO_CLASS, "-1"), rejected_row(3))
    [(tag, rejected), of_four] = select(found, CLASS_3, CLASS_4)  # type: ignore[misc]
    assert (tag, rejected.code, rejected.rows) == ("rejected", "MASK_INCOMPLETE", 1)
    assert of_four == selected(a_row(1, 4, "-1"), selection=1, counted=0)
    beside_a_defect = image(a_row(1, NO_CLASS, "-1"), a_row(2), rejected_row(3))
    [(tag, rejected)] = select(beside_a_defect, CLASS_3)  # type: ignore[misc]
    assert (tag, rejected.code, rejected.rows) == ("rejected", "MASK_INCOMPLETE", 2)


@pytest.mark.parametrize(
    ("runs", "rejected_class", "complete"),
    [
        ("1 2", 3, False),
        ("1 2", 4, True),
        # As if of another class; but an image without a defect could have one.
        ("1 2", NO_CLASS, True),
        ("-1", NO_CLASS, False),
    ],
)
def test_an_image_of_which_a_row_is_rejected(runs: str, rejected_class: int, complete: bool) -> None:
    good = a_row(1, runs=runs)
    rejected = Rejected(
        source=good.mask.line,
        image_id="a.jpg",
        class_id=3,
        code="MASK_INCOMPLETE",
        message=INCOMPLETE,
        rows=1,
    )
    expected = selected(good) if complete else ("rejected", rejected)
    assert select(image(good, rejected_row(rejected_class)), CLASS_3) == [expected]


def test_an_image_of_which_all_rows_are_rejected_is_not_rejected_again() -> None:
    assert select(image(rejected_row(3), rejected_row(3)), CLASS_3, negatives=1.0) == []


def test_rows_that_are_too_large_together_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [a_row(line) for line in (1, 2, 3)]
    size = sum(len(row.mask.runs) + len("train.csv") + 100 for row in rows)
    monkeypatch.setattr(select_examples, "MAX_ELEMENT_BYTES", size)
    assert select(image(*rows), CLASS_3) == [selected(*rows)]
    monkeypatch.setattr(select_examples, "MAX_ELEMENT_BYTES", size - 1)
    [(tag, rejected)] = select(image(*rows), BOTH)  # type: ignore[misc]
    assert tag == "rejected"
    assert (rejected.source, rejected.class_id, rejected.code, rejected.rows) == (
        rows[0].mask.line,
        None,
        "RLE_TOO_LONG",
        3,
    )
    problem = (
        f"its 3 rows take {size} bytes when packed, more than the {size - 1} allowed; merge runs that touch or overlap"
    )
    assert rejected.message == problem


def with_group(group: str) -> AnnotationRow:
    return a_row(1)._replace(group=group)


@pytest.mark.parametrize(
    ("image_id", "groups", "pattern", "group"),
    [
        ("a.jpg", [], None, ""),
        ("a.jpg", ["", ""], None, ""),
        ("a.jpg", ["coil 7", "coil 7"], None, "coil 7"),
        ("coil7_3.jpg", [], "coil[0-9]", "coil7"),
        ("coil7_3.jpg", [], "coil([0-9])_([0-9])", "7"),
        ("coil7_3.jpg", ["8"], "coil([0-9])", "7"),
    ],
)
def test_the_group_of_an_image(image_id: str, groups: list[str], pattern: str | None, group: str) -> None:
    assert group_of(image_id, map(with_group, groups), pattern) == group


@pytest.mark.parametrize(
    ("groups", "pattern", "words"),
    [
        ([], "coil([0-9])", "finds no group in its name"),
        ([], "a(b?)", "finds no group in its name"),
        (["8", "7"], None, "its rows name the groups '7' and '8'; an image must be in one"),
    ],
)
def test_an_image_of_no_group_or_of_several_is_an_error(groups: list[str], pattern: str | None, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        group_of("a.jpg", map(with_group, groups), pattern)
    assert caught.value.code is Code.GROUP_INVALID


def test_the_group_in_a_file_of_groups_counts_and_an_image_without_one_is_rejected() -> None:
    assert group_of("a.jpg", [], None, "coil 7") == "coil 7"
    with pytest.raises(DataError, match=r"the file of maskmill\.groups has no line of it; add one") as caught:
        group_of("a.jpg", map(with_group, ["", ""]), None, "")
    assert caught.value.code is Code.GROUP_INVALID


def test_an_image_without_a_group_is_rejected_at_its_file_if_it_has_no_row() -> None:
    [(tag, rejected)] = select(image(sources=(0,)), CLASS_3, negatives=1.0, group_pattern="x")  # type: ignore[misc]
    assert tag == "rejected"
    assert (rejected.source, rejected.class_id, rejected.rows) == ("/images/a.jpg", None, 0)
