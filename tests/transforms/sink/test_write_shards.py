"""The sink leaves complete shards in the staging folder, each once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import apache_beam as beam
import pytest

from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.rejected import Line, Rejected
from maskmill.transforms.shards.records import ReusableShard, ShardKey, ShardSummary, StoredShard
from maskmill.transforms.shards.staging import count_staged
from maskmill.transforms.sink.find_shard import SinkOptions
from maskmill.transforms.sink.write_shards import WriteShard, WriteShards
from tests.support.builders import in_process, write_images
from tests.support.shards import FORM, KEY, spec_of
from tests.support.shortcut import outputs_of


@pytest.fixture
def images(tmp_path: Path) -> Path:
    write_images(tmp_path / "images", ["a.jpg", "b.jpg", "c.jpg"])
    return tmp_path / "images"


def sink(tmp_path: Path, published: Mapping[str, StoredShard] | None = None, *, checksum: bool = False) -> WriteShard:
    return WriteShard(
        SinkOptions(
            forms={"train_input": FORM},
            staging=str(tmp_path / "staging"),
            published=published or {},
            checksum=checksum,
            workers=2,
        )
    )


def write(step: WriteShard, specs: list[ExampleSpec]) -> tuple[ShardSummary, list[Rejected]]:
    *rejected, summary = outputs_of(step, [(KEY, specs)])
    return summary, rejected


def staged_files(tmp_path: Path) -> dict[str, Path]:
    return {path.name: path for path in (tmp_path / "staging").rglob("*") if path.is_file()}


def test_a_whole_file_and_its_record_are_left_and_nothing_else(tmp_path: Path, images: Path) -> None:
    summary, rejected = write(sink(tmp_path), [spec_of(images / "a.jpg"), spec_of(images / "b.jpg", rows=2)])
    assert rejected == []
    assert (summary.path, summary.rows, summary.merged) == ("train_input/data-0_p0.h5", 3, 1)
    [shard, record] = sorted(staged_files(tmp_path))
    assert shard.endswith("-data-0_p0.h5")
    assert record == shard + ".json"
    assert summary.stored.sha256 == sha256_of(str(staged_files(tmp_path)[shard]))
    assert count_staged(str(tmp_path / "staging"), ["train_input", "eval_input"]) == 1


def test_it_works_the_same_in_a_pipeline(tmp_path: Path, images: Path) -> None:
    with in_process() as pipeline:
        written = (
            pipeline
            | beam.Create([(KEY, [spec_of(images / "a.jpg")])])
            | WriteShards(options=SinkOptions(forms={"train_input": FORM}, staging=str(tmp_path / "staging")))
        )
        _ = written.summaries | beam.Map(lambda one: (tmp_path / "summary").write_text(one.stored.sha256))
    assert (tmp_path / "summary").read_text() == write(sink(tmp_path), [spec_of(images / "a.jpg")])[0].stored.sha256


def test_a_shard_that_is_staged_is_not_written_again_unless_its_input_changed(tmp_path: Path, images: Path) -> None:
    first = write(sink(tmp_path), [spec_of(images / "a.jpg")])
    times = {name: path.stat().st_mtime_ns for name, path in staged_files(tmp_path).items()}
    assert write(sink(tmp_path), [spec_of(images / "a.jpg")]) == first
    assert {name: path.stat().st_mtime_ns for name, path in staged_files(tmp_path).items()} == times
    assert write(sink(tmp_path), [spec_of(images / "b.jpg")])[0].stored.sha256 != first[0].stored.sha256
    assert write(sink(tmp_path), [spec_of(images / "a.jpg")]) == first


def test_a_published_shard_with_the_same_fingerprint_is_kept_without_opening_an_image(
    tmp_path: Path, images: Path
) -> None:
    specs = [spec_of(images / "a.jpg")]
    summary, _ = write(sink(tmp_path), specs)
    (images / "a.jpg").unlink()
    other = tmp_path / "elsewhere"
    assert write(sink(other, {summary.path: summary.stored}), specs)[0] == summary._replace(state="kept")
    assert not other.exists()
    changed = summary.stored._replace(fingerprint="another")
    with pytest.raises(FileNotFoundError):
        write(sink(other, {summary.path: changed}), specs)


def test_a_shard_of_another_dataset_is_copied_unless_it_is_damaged(tmp_path: Path, images: Path) -> None:
    specs = [spec_of(images / "a.jpg")]
    written, _ = write(sink(tmp_path), specs)
    [other] = (tmp_path / "staging").rglob("*.h5")
    reusable = {written.stored.fingerprint: ReusableShard(str(other), written.stored)}
    for damaged, state in ((False, "reused"), (True, "written")):
        if damaged:
            other.write_bytes(b"damaged")
        options = SinkOptions(forms={"train_input": FORM}, staging=str(tmp_path / state), reusable=reusable)
        assert write(WriteShard(options), specs) == (written._replace(state=state), [])
        [shard] = (tmp_path / state).rglob("*.h5")
        assert sha256_of(str(shard)) == written.stored.sha256


def test_a_file_that_is_staged_without_its_record_is_written_again(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise OSError("killed before the record")

    with monkeypatch.context() as patch:
        patch.setattr("maskmill.transforms.shards.staging.write_record", die)
        with pytest.raises(OSError, match="killed before the record"):
            write(sink(tmp_path), [spec_of(images / "a.jpg")])
    assert count_staged(str(tmp_path / "staging"), ["train_input"]) == 0
    summary, _ = write(sink(tmp_path), [spec_of(images / "a.jpg")])
    [shard] = [path for path in staged_files(tmp_path).values() if path.suffix == ".h5"]
    assert summary.stored.sha256 == sha256_of(str(shard))


def test_a_staged_file_that_a_power_failure_has_cut_off_is_written_again(tmp_path: Path, images: Path) -> None:
    expected = write(sink(tmp_path), [spec_of(images / "a.jpg")])
    [shard] = [path for path in staged_files(tmp_path).values() if path.suffix == ".h5"]
    whole = shard.read_bytes()
    for damaged in (whole[:-1], b"", bytes(len(whole))):
        shard.write_bytes(damaged)
        assert write(sink(tmp_path), [spec_of(images / "a.jpg")]) == expected
        assert shard.read_bytes() == whole
    shard.with_name(f"{shard.name}.json").write_bytes(b"")
    assert write(sink(tmp_path), [spec_of(images / "a.jpg")]) == expected


def test_two_attempts_at_the_same_moment_end_in_one_right_file(tmp_path: Path, images: Path) -> None:
    specs = [spec_of(images / name) for name in ("a.jpg", "b.jpg", "c.jpg")] * 20
    expected, _ = write(sink(tmp_path / "alone"), specs)
    for attempt in range(10):
        folder = tmp_path / f"together {attempt}"
        start, results = threading.Barrier(4), []

        def work(folder: Path = folder, start: threading.Barrier = start, results: list[object] = results) -> None:
            start.wait()
            results.append(write(sink(folder), specs)[0])

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [expected] * 4
        [shard] = [path for name, path in staged_files(folder).items() if name.endswith(".h5")]
        assert sha256_of(str(shard)) == expected.stored.sha256
        assert len(staged_files(folder)) == 2


def test_a_bundle_gives_each_shard_once_in_order_with_its_own_rejected_examples(tmp_path: Path, images: Path) -> None:
    (images / "b.jpg").write_bytes(b"")
    good, bad = spec_of(images / "a.jpg"), spec_of(images / "b.jpg")
    shards = [
        (ShardKey("train_input", number, f"data-{number}_p0.h5"), [good] * (7 - number) + [bad] * (number % 2))
        for number in range(6)
    ]
    outputs = outputs_of(sink(tmp_path), shards)
    summaries = [one for one in outputs if isinstance(one, ShardSummary)]
    assert [(one.number, one.stored.examples) for one in summaries] == [(n, 7 - n) for n in range(6)]
    assert [type(one) for one in outputs].count(Rejected) == 3


def test_a_shard_that_fails_ends_those_beside_it_and_leaves_nothing_half_written(tmp_path: Path, images: Path) -> None:
    def shards() -> Iterator[tuple[ShardKey, list[ExampleSpec]]]:
        yield KEY, [spec_of(images / "gone.jpg")]
        while not (tmp_path / "staging" / KEY.split).exists():
            time.sleep(0.01)  # until the shard that fails is the first in line
        yield ShardKey("train_input", 1, "data-1_p0.h5"), [spec_of(images / "a.jpg")] * 100_000

    with pytest.raises(FileNotFoundError):
        outputs_of(sink(tmp_path), shards())
    assert staged_files(tmp_path) == {}


def test_a_bad_image_leaves_its_shard_without_a_gap_and_is_named_each_time(tmp_path: Path, images: Path) -> None:
    (images / "b.jpg").write_bytes(b"")
    out_of_bounds = spec_of(images / "c.jpg", runs="384 9", rows=2)
    specs = [spec_of(images / "a.jpg"), spec_of(images / "b.jpg", rows=2), out_of_bounds]
    first, rejected = write(sink(tmp_path), specs)
    assert (first.stored.examples, first.rows, first.merged) == (1, 1, 0)
    assert [(one.image_id, one.class_id, one.code, one.rows) for one in rejected] == [
        ("b.jpg", None, "IMAGE_EMPTY", 2),
        ("c.jpg", 3, "RLE_OUT_OF_BOUNDS", 2),
    ]
    assert write(sink(tmp_path), specs) == (first, rejected)
    assert write(sink(tmp_path / "x", {first.path: first.stored}), specs) == (first._replace(state="kept"), rejected)


def test_a_kept_shard_names_its_rejected_rows_by_where_they_stand_now(tmp_path: Path, images: Path) -> None:
    bad = spec_of(images / "c.jpg", runs="384 9")
    summary, _ = write(sink(tmp_path), [bad])
    moved = bad._replace(rows=(bad.rows[0]._replace(line=Line("other.csv", 0, 7)),), counted_rows=0)
    again, [rejected] = write(sink(tmp_path, {summary.path: summary.stored}), [moved])
    assert rejected.source == Line("other.csv", 0, 7)
    assert (rejected.rows, again.stored) == (0, summary.stored)
