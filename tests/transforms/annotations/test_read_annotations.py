"""Tests of the reading of CSV files."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.csv_blocks import Block
from maskmill.transforms.annotations.read_annotations import ReadAnnotations, ReadRows
from maskmill.transforms.annotations.records import NO_CLASS, REJECTED_RUNS, Source
from maskmill.transforms.examples.mask_text import parse_runs
from maskmill.transforms.examples.rle import EMPTY_RUNS, pack_runs
from maskmill.transforms.parallel.process_pool import LostProcessError
from tests.support.builders import HEADER, csv_file, in_process


def test_rows_of_wanted_classes_are_given_by_image_and_all_are_tallied(tmp_path: Path) -> None:
    lines = [HEADER, "a.jpg,3,1 2", "a.jpg,1,5 1", "b.jpg,3,", "b.jpg,4,-1", "c.jpg,3,1 2 3", "c.jpg,7,1 2", ""]
    file = csv_file(tmp_path / "train.csv", "\n".join(lines).encode(), ((0, 0), (1, 5)))
    sources = (Source(0, frozenset({3})), Source(1, frozenset({3, 4})))
    with in_process() as pipeline:
        annotations = pipeline | ReadAnnotations(files=(file,), sources=sources)
        rows = annotations.rows | "Rows" >> beam.MapTuple(
            lambda key, row: (key, row.source, row.file_index, row.mask.class_id, row.mask.line.line, row.mask.runs)
        )
        run = pack_runs(parse_runs("1 2"))
        assert_that(
            rows,
            equal_to(
                [
                    ((0, "a.jpg"), 0, 0, 3, 1, run),
                    ((1, "a.jpg"), 1, 5, 3, 1, run),
                    ((1, "b.jpg"), 1, 5, 4, 4, EMPTY_RUNS),
                    *[((use, "c.jpg"), use, 5 * use, 3, 5, REJECTED_RUNS) for use in (0, 1)],
                    *[((use, "c.jpg"), use, 5 * use, NO_CLASS, 6, REJECTED_RUNS) for use in (0, 1)],
                ]
            ),
            "rows",
        )
        codes = annotations.rejected | "Codes" >> beam.Map(
            lambda record: (record.source.line, record.code, record.image_id, record.class_id)
        )
        bad = [(5, "RLE_ODD_COUNT", "c.jpg", 3), (6, "CLASS_INVALID", "c.jpg", None)]
        assert_that(codes, equal_to(bad + bad), "rejected")
        sums = annotations.tallies | "Sums" >> beam.CombinePerKey(sum)
        tallies = [("read", 12), ("filtered: of another class", 3), ("filtered: without a mask", 2)]
        # Both sources count each row, rejected ones as far as their class is known.
        tallies += [("of class: 1", 2), ("of class: 3", 6), ("of class: 4", 2)]
        assert_that(sums, equal_to(tallies), "tallies")


def test_rows_without_a_class_are_given_to_each_source_that_takes_empty_rows(tmp_path: Path) -> None:
    lines = [HEADER, "a.jpg,,", "b.jpg,0,-1", "c.jpg,4,"]
    file = csv_file(tmp_path / "train.csv", "\n".join(lines).encode(), ((0, 0), (1, 0)))
    sources = (Source(0, frozenset({3})), Source(0, frozenset({3}), empty_rows=True))
    with in_process() as pipeline:
        annotations = pipeline | ReadAnnotations(files=(file,), sources=sources)
        rows = annotations.rows | "Rows" >> beam.MapTuple(lambda key, row: (key[1], row.source, row.mask.class_id))
        listed = [("b.jpg", 0, NO_CLASS), ("a.jpg", 1, NO_CLASS), ("b.jpg", 1, NO_CLASS)]
        assert_that(rows, equal_to(listed), "rows")
        sums = annotations.tallies | "Sums" >> beam.CombinePerKey(sum)
        tallies = [("read", 6), ("filtered: of another class", 2), ("filtered: without a mask", 1)]
        tallies.append(("of class: 4", 2))
        assert_that(sums, equal_to(tallies), "tallies")


def test_rows_of_excluded_images_are_left_out_and_counted_bad_ones_and_other_spellings_too(tmp_path: Path) -> None:
    nfc, nfd = "K\u00f6ln.jpg", "Ko\u0308ln.jpg"
    lines = [HEADER, "a.jpg,3,1 2", "b.jpg,3,1 2", "b.jpg,3,1 2 3", "b.jpg,1,1 2", f"{nfd},3,1 2", "c.jpg,7,1 2", ""]
    file = csv_file(tmp_path / "train.csv", "\n".join(lines).encode())
    sources = (Source(0, frozenset({3})),)
    with in_process() as pipeline:
        annotations = pipeline | ReadAnnotations(files=(file,), sources=sources, excluded=frozenset({"b.jpg", nfc}))
        rows = annotations.rows | "Rows" >> beam.MapTuple(lambda key, _: key[1])
        assert_that(rows, equal_to(["a.jpg", "c.jpg"]), "rows")
        codes = annotations.rejected | "Codes" >> beam.Map(lambda record: (record.image_id, record.code))
        assert_that(codes, equal_to([("c.jpg", "CLASS_INVALID")]), "rejected")
        sums = annotations.tallies | "Sums" >> beam.CombinePerKey(sum)
        tallies = [("read", 6), ("filtered: excluded", 4), ("of class: 1", 1), ("of class: 3", 4)]
        assert_that(sums, equal_to(tallies), "tallies")


def outputs_of(path: Path, output: Path, processes: int) -> list[str]:
    """Everything that comes of a CSV file."""
    file = csv_file(path, path.read_bytes(), ((0, 0), (1, 0)))
    sources = (Source(0, frozenset({3})), Source(1, frozenset({3, 4}), empty_rows=True))
    with in_process() as pipeline:
        annotations = pipeline | ReadAnnotations(files=(file,), sources=sources, processes=processes)
        for name, part in annotations._asdict().items():
            _ = (
                part
                | f"Name{name}" >> beam.Map(lambda one, name: f"{name} {one}", name)
                | f"Write{name}" >> beam.io.WriteToText(str(output / name), shard_name_template="")
            )
    return sorted(line for one in output.iterdir() for line in one.read_text().splitlines())


@pytest.mark.parametrize("name", ["train.csv", "train.csv.gz"])
def test_a_pool_of_processes_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("maskmill.transforms.annotations.read_annotations.BLOCK_BYTES", 50)
    rows = [f"{number}.jpg,{number % 5},{'1 2' if number % 3 else '3 1 2'}" for number in range(200)]
    text = "\n".join([HEADER, *rows, "a.jpg,3,", "b/c.jpg,4,1 2"]).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    found = []
    for processes in (0, 2):
        (tmp_path / str(processes)).mkdir()
        found.append(outputs_of(tmp_path / name, tmp_path / str(processes), processes))
    here, there = found
    assert there == here
    assert len(here) > 300


def test_a_process_that_is_lost_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskmill.transforms.annotations.read_annotations.list_lines", end_process)
    file = csv_file(tmp_path / "train.csv", f"{HEADER}\na.jpg,3,1 2".encode())
    step = ReadRows((Source(0, frozenset({3})),), processes=2)
    step.start_bundle()
    with pytest.raises(LostProcessError, match="was killed from outside"):
        [*step.process(Block(file, 0, file.size, None)), *step.finish_bundle()]


def end_process(*_: object, **__: object) -> None:
    os._exit(9)
