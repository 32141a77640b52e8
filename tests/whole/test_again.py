"""The same command once more: nothing is done that is done, and what comes out is what a fresh run writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from tests.support.builders import HEADER, grey_pixels, image_bytes, write_dataset, write_images, write_params
from tests.support.command import create, manifest, tree

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
FLAGS = ("--num_output_files=4",)


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def inodes(output: Path) -> dict[str, int]:
    """What tells a shard that was kept from one that was written again with the same bytes."""
    return {str(path.relative_to(output)): path.stat().st_ino for path in output.glob("*_input/*.h5")}


def new_shards(before: dict[str, int], output: Path) -> list[str]:
    return sorted(path for path, inode in inodes(output).items() if before.get(path) != inode)


def check_against_fresh_run(tmp_path: Path, data: Path, output: Path, *flags: str, **changes: object) -> None:
    """Compares a folder with what a run writes that finds nothing there."""
    found = tree(output)
    output.rename(tmp_path / "aside")
    assert tree(create(tmp_path, data, *flags, **changes)) == found


def damage_without_trace(path: Path) -> None:
    """Makes an image unreadable, which only those notice who open it: its size and time stay."""
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_nothing_is_done_and_no_image_opened_where_nothing_has_changed(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = create(tmp_path, data, *FLAGS)
    before = inodes(output), (output / "manifest.json").stat().st_ino, tree(output)
    for path in (data / "train_images").iterdir():
        damage_without_trace(path)
    arguments = ["create", "--params", str(tmp_path / "params.yaml"), "--output_dir", str(output), *FLAGS]
    assert main(arguments) == 0
    assert "nothing to do: no shard has changed" in capsys.readouterr().out
    assert (inodes(output), (output / "manifest.json").stat().st_ino, tree(output)) == before


def test_shards_are_kept_without_opening_an_image_where_only_the_csv_looks_new(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    before = inodes(output)
    for path in (data / "train_images").iterdir():
        damage_without_trace(path)
    text = (data / "train.csv").read_text()
    (data / "train.csv").write_text(text + "\n\n")
    create(tmp_path, data, *FLAGS)
    assert new_shards(before, output) == []
    assert manifest(output)["rows"]["read"] == 16


def change_image_time(data: Path) -> None:
    os.utime(data / "train_images" / "02.jpg", (1, 1))


def change_image(data: Path) -> None:
    (data / "train_images" / "02.jpg").write_bytes(image_bytes(grey_pixels(99)))


def change_runs(data: Path) -> None:
    text = (data / "train.csv").read_text().replace("02.jpg,3,3 2", "02.jpg,3,3 2 9 9")
    (data / "train.csv").write_text(text)


@pytest.mark.parametrize("change", [change_image_time, change_image, change_runs])
def test_only_the_shard_of_what_changed_is_written_anew(
    tmp_path: Path, data: Path, change: Callable[[Path], None]
) -> None:
    output = create(tmp_path, data, *FLAGS)
    before = inodes(output)
    change(data)
    create(tmp_path, data, *FLAGS)
    assert new_shards(before, output) == ["train_input/preprocessed_data-2_p0.h5"]
    check_against_fresh_run(tmp_path, data, output, *FLAGS)


def test_content_counts_with_checksum_even_where_size_and_time_stay(tmp_path: Path, data: Path) -> None:
    flags = (*FLAGS, "--checksum", "--max_rejected=1")
    output = create(tmp_path, data, *flags)
    before = inodes(output)
    damage_without_trace(data / "train_images" / "02.jpg")
    create(tmp_path, data, *flags)
    assert new_shards(before, output) == ["train_input/preprocessed_data-2_p0.h5"]
    assert manifest(output)["rejected"] == {"IMAGE_NOT_RECOGNISED": 1}
    check_against_fresh_run(tmp_path, data, output, *flags)


def test_time_does_not_count_with_checksum(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS, "--checksum")
    before = inodes(output)
    for path in (data / "train_images").iterdir():
        os.utime(path, (7, 7))
    create(tmp_path, data, *FLAGS, "--checksum")
    assert new_shards(before, output) == []


@pytest.mark.parametrize(
    ("flags", "changes"),
    [
        (("--num_output_files=3",), {}),
        (("--num_output_files=9",), {}),
        (("--num_output_files=4", "--num_processes=2"), {}),
        (("--num_output_files=4", "--name=steel"), {}),
        (FLAGS, {"train_test_split": 0.25}),
        (FLAGS, {"image_shape": [8, 8, 1]}),
        (FLAGS, {"loss": "ssce"}),
        (FLAGS, {"loss": "multilabel_bce", "num_classes": 3}),
        (FLAGS, {"batch_size": 77}),
        (FLAGS, {"eval_input": {"image_shape": [8, 8, 1]}}),
    ],
)
def test_another_parameter_gives_what_a_fresh_run_gives(
    tmp_path: Path, data: Path, flags: tuple[str, ...], changes: dict[str, object]
) -> None:
    output = create(tmp_path, data, *FLAGS)
    create(tmp_path, data, *flags, **changes)
    check_against_fresh_run(tmp_path, data, output, *flags, **changes)


def test_a_parameter_of_one_split_leaves_the_shards_of_the_other(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    before = inodes(output)
    create(tmp_path, data, *FLAGS, eval_input={"image_shape": [8, 8, 1]})
    assert len(new_shards(before, output)) == 4
    assert all(path.startswith("eval_input/") for path in new_shards(before, output))


def test_a_parameter_that_only_training_reads_leaves_all_shards(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    before = inodes(output)
    create(tmp_path, data, *FLAGS, batch_size=77)
    assert new_shards(before, output) == []
    assert b'"batch_size": 77' in (output / "data_params.json").read_bytes()


def test_rows_at_the_end_of_the_csv_leave_the_shards_before_them(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS, train_test_split=0.5)
    before = inodes(output)
    write_images(data / "train_images", ["zz.jpg"])
    with open(data / "train.csv", "a") as csv:
        csv.write("zz.jpg,3,1 1\n")
    create(tmp_path, data, *FLAGS, train_test_split=0.5)
    # The 17th row moves no cut, and is the ninth of the evaluation split: the first shard has one more.
    assert new_shards(before, output) == ["eval_input/preprocessed_data-0_p0.h5"]
    check_against_fresh_run(tmp_path, data, output, *FLAGS, train_test_split=0.5)


def test_rows_that_move_only_within_the_csv_leave_the_shards(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    before = inodes(output)
    (data / "train.csv").write_text("\n\n".join([HEADER, *ROWS, ""]))
    create(tmp_path, data, *FLAGS)
    assert new_shards(before, output) == []


def test_another_version_of_the_format_writes_every_shard_anew(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = create(tmp_path, data, *FLAGS)
    before = inodes(output)
    monkeypatch.setattr("maskmill.format_version.CURRENT", 77)
    create(tmp_path, data, *FLAGS)
    assert len(new_shards(before, output)) == 8
    check_against_fresh_run(tmp_path, data, output, *FLAGS)


@pytest.mark.parametrize("name", ["train_input/preprocessed_data-1_p0.h5", "data_params.json", "manifest.json"])
def test_what_somebody_took_away_or_cut_off_is_put_back(tmp_path: Path, data: Path, name: str) -> None:
    output = create(tmp_path, data, *FLAGS)
    whole, before = tree(output), inodes(output)
    (output / name).write_bytes((output / name).read_bytes()[:-9])
    create(tmp_path, data, *FLAGS, "--overwrite", status=2 if name == "manifest.json" else 0)
    (output / name).unlink()
    create(tmp_path, data, *FLAGS, "--overwrite")
    assert tree(output) == whole
    assert set(new_shards(before, output)) <= ({name} if name != "manifest.json" else set(before))


def test_a_manifest_that_was_edited_is_warned_of_and_every_shard_is_written_anew(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = create(tmp_path, data, *FLAGS)
    whole, before = tree(output), inodes(output)
    text = (output / "manifest.json").read_text()
    (output / "manifest.json").write_text(text.replace('"shared_images": 0', '"shared_images": 1'))
    create(tmp_path, data, *FLAGS)
    assert "warning: manifest.json was changed after it was written" in capsys.readouterr().err
    assert tree(output) == whole
    assert len(new_shards(before, output)) == 8


def test_rejected_examples_are_named_again_and_their_shard_is_kept(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "train_images" / "02.jpg").write_bytes(b"")
    output = create(tmp_path, data, *FLAGS, "--max_rejected=1")
    before, rejected = inodes(output), (output / "rejected.jsonl").read_text()
    with open(data / "train.csv", "a") as csv:
        csv.write("02.jpg,1,1 1\n")
    create(tmp_path, data, *FLAGS, "--max_rejected=1")
    assert new_shards(before, output) == []
    assert (output / "rejected.jsonl").read_text() == rejected
    whole = tree(output)
    create(tmp_path, data, *FLAGS, status=3)
    assert "02.jpg: the image file is empty" in capsys.readouterr().err
    assert {name: text for name, text in tree(output).items() if not name.startswith(".staging/")} == whole


def test_params_written_again_alike_are_no_change(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    inode = (output / "manifest.json").stat().st_ino
    write_params(tmp_path / "params.yaml", data)
    create(tmp_path, data, *FLAGS)
    assert (output / "manifest.json").stat().st_ino == inode
