"""The same command once more: nothing is done that is done, and what comes out is what a fresh run writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from tests.support.builders import HEADER, grey_pixels, image_bytes, write_dataset, write_images, write_params
from tests.support.command import create, manifest, tree
from tests.support.snapshot import Snapshot

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
FLAGS = ("--num_output_files=4",)


@pytest.fixture(name="made", scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Input in `data`, and the dataset of it in `out`."""
    folder = tmp_path_factory.mktemp("again")
    create(folder, write_dataset(folder / "data", ROWS), *FLAGS)
    return Snapshot(folder)


@pytest.fixture(name="folder")
def restore_folder(made: Snapshot) -> Path:
    return made.restore()


@pytest.fixture(name="data")
def find_data(folder: Path) -> Path:
    return folder / "data"


@pytest.fixture(name="output")
def find_output(folder: Path) -> Path:
    """The dataset that the run finds."""
    return folder / "out"


def identities(output: Path) -> dict[str, tuple[int, int]]:
    """What tells a shard that was kept from one that was written again with the same bytes."""
    status = {str(path.relative_to(output)): path.stat() for path in output.glob("*_input/*.h5")}
    return {path: (one.st_ino, one.st_mtime_ns) for path, one in status.items()}


def new_shards(before: dict[str, tuple[int, int]], output: Path) -> list[str]:
    return sorted(path for path, identity in identities(output).items() if before.get(path) != identity)


def check_against_fresh_run(folder: Path, data: Path, output: Path, *flags: str, **changes: object) -> None:
    """Compares a folder with what a run writes that finds nothing there."""
    found = tree(output)
    output.rename(folder / "aside")
    assert tree(create(folder, data, *flags, **changes)) == found


def damage_without_trace(path: Path) -> None:
    """Makes an image unreadable, which only those notice who open it: its size and time stay."""
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_nothing_is_done_and_no_image_opened_where_nothing_has_changed(
    folder: Path, data: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = identities(output), (output / "manifest.json").stat().st_ino, tree(output)
    for path in (data / "train_images").iterdir():
        damage_without_trace(path)
    arguments = ["create", "--params", str(folder / "params.yaml"), "--output_dir", str(output), *FLAGS]
    assert main(arguments) == 0
    assert "nothing to do: no shard has changed" in capsys.readouterr().out
    assert (identities(output), (output / "manifest.json").stat().st_ino, tree(output)) == before


def test_shards_are_kept_without_opening_an_image_where_only_the_csv_looks_new(
    folder: Path, data: Path, output: Path
) -> None:
    before = identities(output)
    for path in (data / "train_images").iterdir():
        damage_without_trace(path)
    text = (data / "train.csv").read_text()
    (data / "train.csv").write_text(text + "\n\n")
    create(folder, data, *FLAGS)
    assert new_shards(before, output) == []
    assert manifest(output)["rows"]["read"] == 16


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def change_image_time(data: Path) -> None:
    os.utime(data / "train_images" / "02.jpg", (1, 1))


def change_image(data: Path) -> None:
    (data / "train_images" / "02.jpg").write_bytes(image_bytes(grey_pixels(99)))


def change_runs(data: Path) -> None:
    text = (data / "train.csv").read_text().replace("02.jpg,3,3 2", "02.jpg,3,3 2 9 9")
    (data / "train.csv").write_text(text)


@pytest.mark.parametrize("change", [change_image_time, change_image, change_runs])
def test_only_the_shard_of_what_changed_is_written_anew(
    folder: Path, data: Path, output: Path, change: Callable[[Path], None]
) -> None:
    before = identities(output)
    change(data)
    create(folder, data, *FLAGS)
    assert new_shards(before, output) == ["train_input/preprocessed_data-2_p0.h5"]
    check_against_fresh_run(folder, data, output, *FLAGS)


def test_content_counts_with_checksum_even_where_size_and_time_stay(folder: Path, data: Path) -> None:
    flags = (*FLAGS, "--checksum", "--max_rejected=1")
    output = create(folder, data, *flags)
    before = identities(output)
    damage_without_trace(data / "train_images" / "02.jpg")
    create(folder, data, *flags)
    assert new_shards(before, output) == ["train_input/preprocessed_data-2_p0.h5"]
    assert manifest(output)["rejected"] == {"IMAGE_NOT_RECOGNISED": 1}
    check_against_fresh_run(folder, data, output, *flags)


def test_time_does_not_count_with_checksum(folder: Path, data: Path) -> None:
    output = create(folder, data, *FLAGS, "--checksum")
    before = identities(output)
    for path in (data / "train_images").iterdir():
        os.utime(path, (7, 7))
    create(folder, data, *FLAGS, "--checksum")
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
        (FLAGS, {"maskmill": {"layout": "arrays"}}),
        (FLAGS, {"eval_input": {"image_shape": [8, 8, 1]}}),
    ],
)
def test_another_parameter_gives_what_a_fresh_run_gives(
    folder: Path, data: Path, output: Path, flags: tuple[str, ...], changes: dict[str, object]
) -> None:
    create(folder, data, *flags, **changes)
    check_against_fresh_run(folder, data, output, *flags, **changes)


def test_a_parameter_of_one_split_leaves_the_shards_of_the_other(folder: Path, data: Path, output: Path) -> None:
    before = identities(output)
    create(folder, data, *FLAGS, eval_input={"image_shape": [8, 8, 1]})
    assert len(new_shards(before, output)) == 4
    assert all(path.startswith("eval_input/") for path in new_shards(before, output))


def test_a_parameter_that_only_training_reads_leaves_all_shards(folder: Path, data: Path, output: Path) -> None:
    before = identities(output)
    create(folder, data, *FLAGS, batch_size=77)
    assert new_shards(before, output) == []
    assert b'"batch_size": 77' in (output / "data_params.json").read_bytes()


def test_rows_at_the_end_of_the_csv_leave_the_shards_before_them(folder: Path, data: Path, output: Path) -> None:
    before = identities(output)
    write_images(data / "train_images", ["zz.jpg"])
    with open(data / "train.csv", "a") as csv:
        csv.write("zz.jpg,3,1 1\n")
    create(folder, data, *FLAGS, train_test_split=0.5)
    # The 17th row moves no cut, and is the ninth of the evaluation split: the first shard has one more.
    assert new_shards(before, output) == ["eval_input/preprocessed_data-0_p0.h5"]
    check_against_fresh_run(folder, data, output, *FLAGS, train_test_split=0.5)


def test_rows_that_move_only_within_the_csv_leave_the_shards(folder: Path, data: Path, output: Path) -> None:
    before = identities(output)
    (data / "train.csv").write_text("\n\n".join([HEADER, *ROWS, ""]))
    create(folder, data, *FLAGS)
    assert new_shards(before, output) == []


def test_another_version_of_the_format_writes_every_shard_anew(
    folder: Path, data: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identities(output)
    monkeypatch.setattr("maskmill.format_version.CURRENT", 77)
    create(folder, data, *FLAGS)
    assert len(new_shards(before, output)) == 8
    check_against_fresh_run(folder, data, output, *FLAGS)


@pytest.mark.parametrize("name", ["train_input/preprocessed_data-1_p0.h5", "data_params.json"])
@pytest.mark.parametrize("damage", [cut_off, Path.unlink])
def test_what_was_removed_or_cut_off_is_put_back(
    folder: Path, data: Path, output: Path, name: str, damage: Callable[[Path], object]
) -> None:
    whole, before = tree(output), identities(output)
    damage(output / name)
    create(folder, data, *FLAGS)
    assert tree(output) == whole
    assert new_shards(before, output) == ([name] if name in before else [])


def test_a_manifest_that_was_cut_off_is_warned_of_and_every_shard_is_written_anew(
    folder: Path, data: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, before = tree(output), identities(output)
    cut_off(output / "manifest.json")
    create(folder, data, *FLAGS)
    assert "warning: manifest.json was changed after it was written" in capsys.readouterr().err
    assert tree(output) == whole
    assert len(new_shards(before, output)) == 8


def test_a_manifest_that_nothing_proves_to_be_ours_is_refused_and_everything_is_left(
    folder: Path, data: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_off(output / "manifest.json")
    (output / "history.jsonl").unlink()
    before = tree(output), identities(output)
    create(folder, data, *FLAGS, "--overwrite", status=2)
    assert "manifest.json" in capsys.readouterr().err
    assert (tree(output), identities(output)) == before


def test_without_a_manifest_shards_are_refused_and_on_request_all_are_written_anew(
    folder: Path, data: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, before = tree(output), identities(output)
    (output / "manifest.json").unlink()
    create(folder, data, *FLAGS, status=2)
    assert "--overwrite" in capsys.readouterr().err
    assert identities(output) == before
    create(folder, data, *FLAGS, "--overwrite")
    assert tree(output) == whole
    assert new_shards(before, output) == sorted(before)


def test_a_manifest_that_was_edited_is_warned_of_and_every_shard_is_written_anew(
    folder: Path, data: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, before = tree(output), identities(output)
    text = (output / "manifest.json").read_text()
    (output / "manifest.json").write_text(text.replace('"shared_images": 0', '"shared_images": 1'))
    create(folder, data, *FLAGS)
    assert "warning: manifest.json was changed after it was written" in capsys.readouterr().err
    assert tree(output) == whole
    assert len(new_shards(before, output)) == 8


def test_rejected_examples_are_named_again_and_their_shard_is_kept(
    folder: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "train_images" / "02.jpg").write_bytes(b"")
    output = create(folder, data, *FLAGS, "--max_rejected=1")
    before, rejected = identities(output), (output / "rejected.jsonl").read_text()
    with open(data / "train.csv", "a") as csv:
        csv.write("02.jpg,1,1 1\n")
    create(folder, data, *FLAGS, "--max_rejected=1")
    assert new_shards(before, output) == []
    assert (output / "rejected.jsonl").read_text() == rejected
    whole = tree(output)
    create(folder, data, *FLAGS, status=3)
    assert "02.jpg: the image file is empty" in capsys.readouterr().err
    assert {name: text for name, text in tree(output).items() if not name.startswith(".staging/")} == whole


def test_params_written_again_alike_are_no_change(folder: Path, data: Path, output: Path) -> None:
    inode = (output / "manifest.json").stat().st_ino
    write_params(folder / "params.yaml", data)
    create(folder, data, *FLAGS)
    assert (output / "manifest.json").stat().st_ino == inode
