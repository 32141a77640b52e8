"""Tests of the grouping of rows by image."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.columns import Columns, RowFormat
from maskmill.transforms.annotations.compression import Compression
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.group_by_image import (
    MIN_PARTITIONS,
    GroupByImage,
    drop_needless,
    partitions_for,
    settle_contradictions,
)
from maskmill.transforms.annotations.records import NO_CLASS, REJECTED_RUNS, AnnotatedImage, AnnotationRow, FileStatus
from maskmill.transforms.rejected import Line
from maskmill.transforms.tallies import ANNOTATED_IMAGES, NO_NEGATIVES, OTHER_FORM, WITHOUT_ROW
from tests.support.builders import in_process
from tests.support.records import CSV, a_row, image_file, rows_of


def test_group_by_image_joins_rows_to_their_file_and_rejects_what_is_missing_or_contradicts_itself() -> None:
    with in_process() as pipeline:
        rows = pipeline | "Rows" >> beam.Create(
            [((0, "a"), a_row(2)), ((0, "a"), a_row(1)), ((0, "b"), a_row(3)), ((0, "b"), a_row(4))]
            + [((1, "a"), a_row(5))]
            + [((0, name), one) for name in ("c", "d") for one in rows_of("-1", "5 2", first=6)]
            + [((0, "d"), a_row(9, 4))]
        ).with_output_types(tuple[tuple[int, str], AnnotationRow])
        files = pipeline | "Files" >> beam.Create(
            [((0, name), (100, 0.0, 0)) for name in ("a", "c", "d", "unused")]
        ).with_output_types(tuple[tuple[int, str], FileStatus])
        grouped = rows | GroupByImage(files=files, folders=(("/images",), ("/second",)))
        contradicting = a_row(6)._replace(mask=a_row(6).mask._replace(runs=REJECTED_RUNS))
        images = [("a", (a_row(1), a_row(2))), ("c", (contradicting,)), ("d", (contradicting, a_row(9, 4)))]
        expected_images = [AnnotatedImage(name, image_file(name), rows) for name, rows in images]
        assert_that(grouped.images, equal_to(expected_images), "images")
        rejected = grouped.rejected | beam.Map(
            lambda one: (one.image_id, one.code, one.rows, one.message.split(";")[0])
        )
        both = "2 rows of the image and class say both that there is no defect (-1) and where it is"
        expected = [
            ("b", "IMAGE_MISSING", 2, "there is no file b in /images"),
            ("a", "IMAGE_MISSING", 1, "there is no file a in /second"),
            *[(name, "ROWS_CONTRADICT", 2, both) for name in ("c", "d")],
        ]
        assert_that(rejected, equal_to(expected), "rejected")
        sums = grouped.tallies | beam.CombinePerKey(sum)
        assert_that(sums, equal_to([("annotated images", 3)]), "tallies")


def test_images_without_rows_are_given_to_the_sources_that_use_them() -> None:
    with in_process() as pipeline:
        rows = pipeline | "Rows" >> beam.Create([((0, "a.jpg"), a_row(1))]).with_output_types(
            tuple[tuple[int, str], AnnotationRow]
        )
        names = [(0, "a.jpg"), (0, "b.jpg"), (0, "notes.txt"), (1, "c.jpg")]
        files = pipeline | "Files" >> beam.Create([(key, (100, 0.0, 0)) for key in names]).with_output_types(
            tuple[tuple[int, str], FileStatus]
        )
        grouped = rows | GroupByImage(files=files, folders=(("/images",), ("/second",)), unlisted={0: (0, 2)})
        expected = [
            AnnotatedImage("a.jpg", image_file("a.jpg"), (a_row(1),)),
            AnnotatedImage("b.jpg", image_file("b.jpg"), (), (0, 2)),
        ]
        assert_that(grouped.images, equal_to(expected))


def test_rows_whose_names_resemble_a_file_are_given_to_it_or_rejected_with_it() -> None:
    nfc, nfd = "K\u00f6ln.jpg", "Ko\u0308ln.jpg"
    with in_process() as pipeline:
        keys = [nfc, nfd, "a", "B.jpg", "x/c.jpg"]
        rows = pipeline | "Rows" >> beam.Create(
            [((0, name), a_row(line)) for line, name in enumerate(keys[:-1], 1)]
            + [((0, "x/c.jpg"), a_row(5)._replace(mask=a_row(5).mask._replace(runs=REJECTED_RUNS)))]
        ).with_output_types(tuple[tuple[int, str], AnnotationRow])
        names = [nfd, "a.jpg", "a.png", "b.jpg", "c.jpg", "d.jpg", "._d.jpg"]
        files = pipeline | "Files" >> beam.Create([((0, name), (100, 0.0, 0)) for name in names]).with_output_types(
            tuple[tuple[int, str], FileStatus]
        )
        grouped = rows | GroupByImage(files=files, folders=(("/images",),), unlisted={0: (0,)})
        expected = [
            AnnotatedImage(nfd, image_file(nfd), (a_row(1), a_row(2))),
            AnnotatedImage("d.jpg", image_file("d.jpg"), (), (0,)),
        ]
        assert_that(grouped.images, equal_to(expected), "images")
        rejected = grouped.rejected | beam.Map(lambda one: (one.image_id, one.code, one.rows, one.meant))
        missing = [("a", "IMAGE_MISSING", 1, (0, "a.jpg")), ("B.jpg", "IMAGE_MISSING", 1, (0, "b.jpg"))]
        assert_that(rejected, equal_to(missing), "rejected")
        sums = grouped.tallies | beam.CombinePerKey(sum)
        assert_that(sums, equal_to([(ANNOTATED_IMAGES, 2), (OTHER_FORM, 1), (NO_NEGATIVES, 4)]), "tallies")


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["-1", "5 2"], 2),
        (["5 2", "-1"], 2),
        (["5 2", "9 1", "-1", "5 2", "-1"], 3),
        (["-1", "-1"], None),
        (["5 2", "5 2"], None),
        (["5 2", "9 1"], None),
        (["-1"], None),
    ],
)
def test_rows_that_say_both_defect_and_none_are_rejected_at_the_first_that_contradicts(
    texts: list[str], line: int | None
) -> None:
    rows = rows_of(*texts)
    kept, rejected = settle_contradictions("a", rows)
    if line is None:
        assert (kept, rejected) == (rows, [])
        return
    [record] = rejected
    assert [row.mask.runs for row in kept] == [REJECTED_RUNS]
    assert record.source == Line(CSV, 0, line)
    assert (record.image_id, record.class_id, record.code, record.rows) == ("a", 3, "ROWS_CONTRADICT", len(texts))


def test_a_contradiction_leaves_the_other_classes_and_sources_of_the_image() -> None:
    bad, other_class = rows_of("-1", "5 2", first=3), rows_of("-1", class_id=4)
    other_source = rows_of("5 2", "9 1", source=1, first=7)
    kept, rejected = settle_contradictions("a", sorted([*bad, *other_class, *other_source]))
    assert [row for row in kept if row.mask.runs != REJECTED_RUNS] == sorted([*other_class, *other_source])
    assert [record.rows for record in rejected] == [2]


def test_a_row_without_a_class_counts_only_where_its_source_has_no_defect() -> None:
    defect, nothing, other = a_row(1), a_row(2, NO_CLASS, "-1"), a_row(3, NO_CLASS, "-1", source=1)
    empty, rejected = a_row(4, 4, "-1"), a_row(5)._replace(mask=a_row(5, NO_CLASS).mask._replace(runs=REJECTED_RUNS))
    assert drop_needless([defect, nothing, other]) == [defect, other]
    assert drop_needless([defect, empty, rejected]) == [defect, empty, rejected]
    assert drop_needless([nothing, empty, rejected]) == [nothing, empty, rejected]


def test_rows_that_are_not_needed_are_counted() -> None:
    with in_process() as pipeline:
        named = [((0, "a"), a_row(1)), ((0, "a"), a_row(2, NO_CLASS, "-1")), ((0, "b"), a_row(3, NO_CLASS, "-1"))]
        rows = pipeline | "Rows" >> beam.Create(named).with_output_types(tuple[tuple[int, str], AnnotationRow])
        files = pipeline | "Files" >> beam.Create([((0, name), (100, 0.0, 0)) for name in "ab"]).with_output_types(
            tuple[tuple[int, str], FileStatus]
        )
        grouped = rows | GroupByImage(files=files, folders=(("/images",),))
        expected = [("a", (a_row(1),)), ("b", (a_row(3, NO_CLASS, "-1"),))]
        assert_that(grouped.images, equal_to([AnnotatedImage(name, image_file(name), rows) for name, rows in expected]))
        sums = grouped.tallies | beam.CombinePerKey(sum)
        counted = [("annotated images", 2), ("filtered: without a class, of an image with a defect", 1)]
        assert_that(sums, equal_to(counted), "tallies")


def test_excluded_images_without_rows_are_not_used_and_groups_are_those_of_the_file() -> None:
    nfc, nfd = "K\u00f6ln.jpg", "Ko\u0308ln.jpg"
    with in_process() as pipeline:
        rows = pipeline | "Rows" >> beam.Create([((0, nfd), a_row(1)), ((0, "a.jpg"), a_row(2))]).with_output_types(
            tuple[tuple[int, str], AnnotationRow]
        )
        names = [nfd, "a.jpg", "b.jpg", "c.jpg"]
        files = pipeline | "Files" >> beam.Create([((0, name), (100, 0.0, 0)) for name in names]).with_output_types(
            tuple[tuple[int, str], FileStatus]
        )
        groups = pipeline | "Groups" >> beam.Create(
            [((0, nfc), "7"), ((0, "c.jpg"), "8"), ((1, "a.jpg"), "9"), ((0, "b.jpg"), "7")]
        ).with_output_types(tuple[tuple[int, str], str])
        grouped = rows | GroupByImage(
            files=files, folders=(("/images",),), unlisted={0: (0,)}, excluded=frozenset({"b.jpg"}), groups=groups
        )
        expected = [
            AnnotatedImage(nfd, image_file(nfd), (a_row(1),), group="7"),
            AnnotatedImage("a.jpg", image_file("a.jpg"), (a_row(2),), group=""),
            AnnotatedImage("c.jpg", image_file("c.jpg"), (), (0,), "8"),
        ]
        assert_that(grouped.images, equal_to(expected))


def test_splits_are_those_of_the_file_and_named_files_that_are_not_used_are_counted() -> None:
    nfd, nfc = "Ko\u0308ln.jpg", "K\u00f6ln.jpg"
    with in_process() as pipeline:
        rows = pipeline | "Rows" >> beam.Create(
            [((0, nfd), a_row(1)), ((0, "a.jpg"), a_row(2)), ((0, "missing.jpg"), a_row(3))]
        ).with_output_types(tuple[tuple[int, str], AnnotationRow])
        files = pipeline | "Files" >> beam.Create(
            [((0, name), (100, 0.0, 0)) for name in ("a.jpg", nfd, "no_row.jpg", "excluded.jpg", "not_named.jpg")]
        ).with_output_types(tuple[tuple[int, str], FileStatus])
        named = (nfc, "missing.jpg", "no_row.jpg", "excluded.jpg", "no_file.jpg")
        splits = pipeline | "Splits" >> beam.Create([((0, name), "fold_1") for name in named]).with_output_types(
            tuple[tuple[int, str], str]
        )
        grouped = rows | GroupByImage(
            files=files, folders=(("/images",),), excluded=frozenset({"excluded.jpg"}), splits=splits
        )
        expected = [
            AnnotatedImage(nfd, image_file(nfd), (a_row(1),), split="fold_1"),
            AnnotatedImage("a.jpg", image_file("a.jpg"), (a_row(2),), split=""),
        ]
        assert_that(grouped.images, equal_to(expected), "images")
        sums = grouped.tallies | beam.CombinePerKey(sum)
        assert_that(sums, equal_to([(ANNOTATED_IMAGES, 2), (WITHOUT_ROW, 1)]), "tallies")


def test_there_are_as_many_partitions_as_the_csv_needs() -> None:
    def file(size: int, compression: Compression | None = None) -> CsvFile:
        return CsvFile("a.csv", size, Columns(0, 1, 2, None, 3, RowFormat()), ((0, 0),), compression)

    assert partitions_for([file(1000)]) == MIN_PARTITIONS
    assert partitions_for([file(10**9), file(10**9)]) == pytest.approx(477, abs=1)
    for compression in Compression:
        assert partitions_for([file(10**9, compression)]) > partitions_for([file(10**9)])
