"""The transforms, on lists in memory."""

from __future__ import annotations

import io
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from maskmill.transforms.aggregate_metadata import AggregateMetadata, RowCounts, number_lines
from maskmill.transforms.annotations.group_by_image import GroupByImage, settle_contradictions
from maskmill.transforms.annotations.list_images import ListImages
from maskmill.transforms.annotations.records import REJECTED_RUNS, AnnotatedImage, AnnotationRow, ImageFile, MaskRow
from maskmill.transforms.assignment.assign_by_position import (
    AssignSplits,
    assign_block,
    cut_by_share,
    offsets_of,
    split_sizes,
)
from maskmill.transforms.assignment.assign_shards import AssignShards
from maskmill.transforms.assignment.count_shared_images import SHARED_IMAGES, CountSharedImages, may_share_images
from maskmill.transforms.assignment.example_blocks import LISTED, BlockKey
from maskmill.transforms.assignment.select_examples import SelectExamples
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import SelectedExample, Selection, SplitExample, SplitRule, SplitSize
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.rle import pack_runs, parse_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.rejected import Line, Rejected
from maskmill.transforms.shards.records import ShardSummary, StoredShard
from maskmill.transforms.sink.decode_examples import DecodeExamples
from tests.support.builders import HEIGHT, WIDTH, in_process, write_images

EXAMPLE_BYTES = {"train_input": 100, "eval_input": 100}
FORM = ExampleFormat((HEIGHT, WIDTH), LabelFormat("bce", 2, HEIGHT, WIDTH, (3,)))


def image_file(name: str) -> ImageFile:
    return ImageFile(f"/images/{name}", 100, 0.0)


def row(line: int, class_id: int = 3, *, source: int = 0, rank: int = 0, block: int = 0) -> AnnotationRow:
    mask = MaskRow(Line("train.csv", block, line), class_id, pack_runs(parse_runs("1 2")))
    return AnnotationRow(source, rank, mask)


def masks(*texts: str, class_id: int = 3, source: int = 0, first: int = 1) -> list[AnnotationRow]:
    """Rows of one image with these masks, in lines that follow each other."""
    rows = [row(line, class_id, source=source) for line in range(first, first + len(texts))]
    packed = [pack_runs(parse_runs(text)) for text in texts]
    return [one._replace(mask=one.mask._replace(runs=runs)) for one, runs in zip(rows, packed, strict=True)]


def spec(name: str, line: int = 1, *, block: int = 0, folder: Path | None = None, rows: int = 1) -> ExampleSpec:
    image = image_file(name)
    if folder is not None:
        path = folder / name
        image = ImageFile(str(path), path.stat().st_size, path.stat().st_mtime)
    masks = tuple(row(line + k, block=block).mask for k in range(rows))
    return ExampleSpec(name, image, masks, rows)


def test_list_images_gives_the_files_of_each_folder_by_name(tmp_path: Path) -> None:
    write_images(tmp_path / "a [1]", ["x.jpg"])
    write_images(tmp_path / "b", ["x.jpg", "y.jpg"])
    (tmp_path / "b" / "folder.jpg").mkdir()
    (tmp_path / "b" / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    with in_process() as pipeline:
        files = pipeline | ListImages(folders=(str(tmp_path / "a [1]"), str(tmp_path / "b")))
        keys = files | beam.MapTuple(lambda key, status: (key, status[0] > 0))
        assert_that(keys, equal_to([((0, "x.jpg"), True), ((1, "x.jpg"), True), ((1, "y.jpg"), True)]))


def test_group_by_image_joins_rows_to_their_file_and_rejects_what_is_missing_or_contradicts_itself() -> None:
    with in_process() as pipeline:
        rows = pipeline | "Rows" >> beam.Create(
            [((0, "a"), row(2)), ((0, "a"), row(1)), ((0, "b"), row(3)), ((0, "b"), row(4)), ((1, "a"), row(5))]
            + [((0, name), one) for name in ("c", "d") for one in masks("-1", "5 2", first=6)]
            + [((0, "d"), row(9, 4))]
        ).with_output_types(tuple[tuple[int, str], AnnotationRow])
        files = pipeline | "Files" >> beam.Create(
            [((0, name), (100, 0.0)) for name in ("a", "c", "d", "unused")]
        ).with_output_types(tuple[tuple[int, str], tuple[int, float]])
        grouped = rows | GroupByImage(files=files, folders=("/images", "/second"))
        contradicting = row(6)._replace(mask=row(6).mask._replace(runs=REJECTED_RUNS))
        images = [("a", (row(1), row(2))), ("c", (contradicting,)), ("d", (contradicting, row(9, 4)))]
        expected_images = [AnnotatedImage(name, image_file(name), rows) for name, rows in images]
        assert_that(grouped.images, equal_to(expected_images), "images")
        missing = grouped.rejected | beam.Map(lambda one: (one.image_id, one.code, one.rows, one.message.split(";")[0]))
        both = "2 rows of the image and class say both that there is no defect (-1) and where it is"
        expected = [
            ("b", "IMAGE_MISSING", 2, "there is no file b in /images"),
            ("a", "IMAGE_MISSING", 1, "there is no file a in /second"),
            *[(name, "ROWS_CONTRADICT", 2, both) for name in ("c", "d")],
        ]
        assert_that(missing, equal_to(expected), "missing")


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
    rows = masks(*texts)
    kept, rejected = settle_contradictions("a", rows)
    if line is None:
        assert (kept, rejected) == (rows, [])
        return
    [record] = rejected
    assert [row.mask.runs for row in kept] == [REJECTED_RUNS]
    assert record.source == Line("train.csv", 0, line)
    assert (record.image_id, record.class_id, record.code, record.rows) == ("a", 3, "ROWS_CONTRADICT", len(texts))


def test_a_contradiction_leaves_the_other_classes_and_sources_of_the_image() -> None:
    bad, other_class = masks("-1", "5 2", first=3), masks("-1", class_id=4)
    other_source = masks("5 2", "9 1", source=1, first=7)
    kept, rejected = settle_contradictions("a", sorted([*bad, *other_class, *other_source]))
    assert [row for row in kept if row.mask.runs != REJECTED_RUNS] == sorted([*other_class, *other_source])
    assert [record.rows for record in rejected] == [2]


ALL = Selection(0, (3,))
TRAIN = SplitRule("train_input", ALL, 0, 0.5)
EVAL = SplitRule("eval_input", ALL, 0.5, 1)


def test_rows_of_the_same_image_and_class_are_one_example() -> None:
    image = AnnotatedImage("a", image_file("a"), (row(1), row(2, 4), row(5)))
    with in_process() as pipeline:
        selected = pipeline | beam.Create([image]) | SelectExamples(selections=[ALL])
        of_class_3 = ExampleSpec("a", image_file("a"), (row(1).mask, row(5).mask), 2)
        assert_that(selected.examples, equal_to([SelectedExample(0, 0, of_class_3)]))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 50)), unique=True, max_size=60))
def test_positions_are_those_of_a_plain_loop_over_the_files(places: list[tuple[int, int, int]]) -> None:
    blocks: dict[BlockKey, list[ExampleSpec]] = {}
    for rank, block, line in places:
        blocks.setdefault(BlockKey(0, LISTED, rank, block), []).append(
            spec(f"{rank}-{block}-{line}", line, block=block)
        )
    offsets = offsets_of([(key, len(specs)) for key, specs in blocks.items()])
    everything = SplitRule("all", ALL, 0, 1)
    found = {}
    for key, specs in blocks.items():
        for example, uses in assign_block(key, specs, offsets, [everything]):
            found[example.image_id] = uses[0].position
    assert found == {f"{r}-{b}-{n}": position for position, (r, b, n) in enumerate(sorted(places))}


@pytest.mark.parametrize(
    ("share", "examples", "train", "rest"),
    [(0.8, 33, 26, 7), (0.0, 5, 0, 5), (1.0, 5, 5, 0), (0.85, 0, 0, 0), (0.29, 100, 28, 72)],
)
def test_the_cut_is_rounded_down_as_the_original_does(share: float, examples: int, train: int, rest: int) -> None:
    rules = [TRAIN._replace(stop=share), EVAL._replace(start=share)]
    sizes = split_sizes(offsets_of([(BlockKey(0, LISTED, 0, 0), examples)]), rules, cut_by_share)
    assert sizes == {"train_input": SplitSize(train, examples), "eval_input": SplitSize(rest, examples)}


def test_assign_splits_gives_positions_sizes_and_counts_what_no_split_takes() -> None:
    examples = [SelectedExample(0, 0, spec(str(line), line, block=line // 4)) for line in range(10)]
    rules = (TRAIN._replace(stop=0.3), EVAL._replace(start=0.8))
    with in_process() as pipeline:
        assigned = pipeline | beam.Create(examples) | AssignSplits(rules=rules)
        places = assigned.examples | beam.Map(lambda one: (one.split, one.position, one.spec.image_id))
        expected = [("train_input", k, str(k)) for k in range(3)] + [("eval_input", k - 8, str(k)) for k in (8, 9)]
        assert_that(places, equal_to(expected), "places")
        sizes = {"train_input": SplitSize(3, 10), "eval_input": SplitSize(2, 10)}
        assert_that(assigned.sizes, equal_to([sizes]), "sizes")
        sums = assigned.tallies | "Sums" >> beam.CombinePerKey(sum)
        assert_that(sums, equal_to([("filtered: in no split", 5)]), "tallies")


def test_rows_of_an_example_in_two_splits_are_counted_once() -> None:
    key = BlockKey(0, LISTED, 0, 0)
    rules = [TRAIN._replace(stop=1.0), EVAL._replace(start=0.0)]
    [(_, places)] = assign_block(key, [spec("a")], offsets_of([(key, 1)]), rules)
    assert [(place.split, place.spec.counted_rows) for place in places] == [("train_input", 1), ("eval_input", 0)]


def test_assign_shards_makes_every_shard_with_its_examples_in_order() -> None:
    examples = [SplitExample("train_input", position, spec(str(position))) for position in (4, 0, 3, 1, 2)]
    with in_process() as pipeline:
        sizes = pipeline | "Sizes" >> beam.Create([{"train_input": SplitSize(5, 5), "eval_input": SplitSize(0, 5)}])
        shards = (
            pipeline
            | "Examples" >> beam.Create(examples)
            | AssignShards(layout=ShardLayout("d", 3, 1), sizes=sizes, example_bytes=EXAMPLE_BYTES)
            | beam.MapTuple(lambda key, specs: (tuple(key), [one.image_id for one in specs]))
        )
        expected = [("train_input", 0, "03"), ("train_input", 1, "14"), ("train_input", 2, "2")]
        expected += [("eval_input", number, "") for number in range(3)]
        keyed = [((split, number, f"d-{number}_p0.h5"), list(ids)) for split, number, ids in expected]
        assert_that(shards, equal_to(keyed))


def test_images_in_more_than_one_split_are_counted() -> None:
    examples = [
        SplitExample(split, 0, spec(name))
        for split, name in [("train", "a"), ("eval", "a"), ("train", "b"), ("eval", "c")]
    ]
    with in_process() as pipeline:
        tallies = pipeline | beam.Create(examples) | CountSharedImages() | beam.CombinePerKey(sum)
        assert_that(tallies, equal_to([(SHARED_IMAGES, 1)]))


@pytest.mark.parametrize(
    ("rules", "may"),
    [
        ([TRAIN, EVAL], False),
        ([TRAIN, EVAL._replace(start=0.4)], True),
        ([TRAIN, EVAL._replace(selection=Selection(0, (4,)))], True),
        ([TRAIN, EVAL._replace(selection=Selection(1, (3,)))], True),
    ],
)
def test_splits_on_two_sides_of_one_cut_cannot_share_images(rules: list[SplitRule], may: bool) -> None:
    assert may_share_images(rules) is may


def test_decode_examples_gives_image_and_label_or_says_what_is_wrong(tmp_path: Path) -> None:
    write_images(tmp_path, ["a.jpg", "b.jpg"])
    (tmp_path / "b.jpg").write_bytes(b"not an image")
    expected = np.asarray(Image.open(io.BytesIO((tmp_path / "a.jpg").read_bytes())).convert("L"))

    def check(decoded: list) -> None:
        [(image_id, example)] = decoded
        assert image_id == "a.jpg"
        assert np.array_equal(example.image[0], expected)
        assert example.label.sum() == 2
        assert example.label[0, :2, 0].tolist() == [1, 1]

    with in_process() as pipeline:
        specs = pipeline | beam.Create([spec("a.jpg", folder=tmp_path), spec("b.jpg", folder=tmp_path)])
        decoded = specs | DecodeExamples(form=FORM)
        assert_that(decoded.examples, check, "examples")
        codes = decoded.rejected | beam.Map(lambda one: (one.source, one.code))
        assert_that(codes, equal_to([(str(tmp_path / "b.jpg"), "IMAGE_NOT_RECOGNISED")]), "rejected")


def test_lines_are_numbered_through_the_blocks_of_their_file() -> None:
    def reject(path: str, block: int, line: int) -> Rejected:
        return Rejected(Line(path, block, line), "a", 3, "CODE", "message", 1)

    lines = [(("x.csv", 100), 7), (("x.csv", 0), 5), (("y.csv", 0), 9)]
    rejected = [reject("x.csv", 100, 2), reject("x.csv", 0, 1), reject("y.csv", 0, 4), reject("y.csv", 0, 4)]
    rejected.append(Rejected("images/a.jpg", "a.jpg", None, "CODE", "message", 1))
    numbered = [(record.source, record.line) for record in number_lines(rejected, lines)]
    assert numbered == [("images/a.jpg", None), ("x.csv", 2), ("x.csv", 8), ("y.csv", 5)]


def test_aggregate_metadata_accounts_for_every_row() -> None:
    summaries = [
        ShardSummary("train_input", number, f"{number}", 3, 1, {3: 2}, StoredShard(2, 10, "", "")) for number in (1, 0)
    ]
    with in_process() as pipeline:
        parts = {
            "sizes": pipeline | "Sizes" >> beam.Create([{"train_input": SplitSize(4, 4)}]),
            "tallies": pipeline
            | "Tallies" >> beam.Create([("read", 5), ("read", 5), ("filtered: of another class", 3)]),
            "rejected": pipeline | "Rejected" >> beam.Create([Rejected("a", "a", None, "CODE", "", 1)]),
            "lines": pipeline | "Lines" >> beam.Create([(("x.csv", 0), 11)]),
        }
        metadata = pipeline | "Summaries" >> beam.Create(summaries) | AggregateMetadata(**parts)
        rows = metadata | beam.Map(lambda one: ([shard.number for shard in one.shards], one.rows, one.rows.lost))
        counts = RowCounts(read=10, in_examples=6, filtered={"of another class": 3}, rejected=1, merged=2)
        assert_that(rows, equal_to([([0, 1], counts, 0)]))
