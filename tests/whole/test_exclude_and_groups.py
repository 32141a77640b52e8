"""`exclude` and `groups`: lists of images beside the parameter file."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill import open_dataset
from tests.support.builders import write_dataset, write_images, write_params
from tests.support.command import create, create_here, digest, manifest, run_here
from tests.support.datasets import SPLITS

NAMES = [f"{number:02}.jpg" for number in range(24)]
UNLISTED = ["u1.jpg", "u2.jpg"]
BY_HASH = {"assignment": "hash", "negatives": "all"}


@pytest.fixture(name="data")
def write_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """24 images with a row, the first with a bad one, too; two without a row."""
    monkeypatch.chdir(tmp_path)
    data = write_dataset(tmp_path / "data", [*(f"{name},3,{1 + at} 2" for at, name in enumerate(NAMES)), "00.jpg,3,x"])
    write_images(data / "train_images", UNLISTED)
    return data


def images(output: Path, *splits: str) -> list[str]:
    return sorted(example.image_id for split in splits or SPLITS for example in open_dataset(output, split))


def test_excluded_images_are_no_examples_with_or_without_rows(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, maskmill={**BY_HASH, "exclude": ["00.jpg", "05.jpg", "u1.jpg"]})
    assert images(output) == sorted({*NAMES, *UNLISTED} - {"00.jpg", "05.jpg", "u1.jpg"})
    content = manifest(output)
    assert (content["rows"]["filtered"]["excluded"], content["rejected"], content["rows"]["read"]) == (3, {}, 25)
    assert run_here("verify", output).out


def test_a_changed_list_makes_the_dataset_again_and_keeps_the_other_shards(tmp_path: Path, data: Path) -> None:
    listed = tmp_path / "exclude.txt"
    listed.write_text("00.jpg\n")
    params = write_params(tmp_path / "params.yaml", data, maskmill={**BY_HASH, "exclude": "exclude.txt"})
    flags = ("--num_output_files=6",)
    create_here(params, tmp_path / "out", *flags)
    before = digest(tmp_path / "out")
    listed.write_text("# bad focus\n\n00.jpg\n")
    assert "nothing to do" in create_here(params, tmp_path / "out", *flags).out
    listed.write_text("00.jpg\n07.jpg\n")
    planned = run_here("plan", "--params", params, "--output_dir", tmp_path / "out", *flags).out
    assert "3 filtered: excluded" in planned
    said = create_here(params, tmp_path / "out", *flags).out
    assert "3 filtered: excluded" in said
    assert "(images added or removed)" in said
    after = digest(tmp_path / "out")
    assert sum(after[path] != before[path] for path in before) == 1
    assert "07.jpg" not in images(tmp_path / "out")


def test_a_name_that_no_folder_has_is_a_warning(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data, maskmill={**BY_HASH, "exclude": ["00.jpg", "01", "none.jpg"]})
    for command in ("plan", "create", "create"):
        said = run_here(command, "--params", params, "--output_dir", tmp_path / "out")
        assert "warning: maskmill.exclude: 2 of 3 images are not in the image folder: 01, none.jpg; give" in said.err


def write_groups(path: Path, groups: dict[str, list[str]]) -> None:
    lines = [f"{name};{group}" for group, names in groups.items() for name in names]
    path.write_text("\n".join(["ImageId;group", *lines]))


def test_a_group_of_the_file_is_in_one_split_with_or_without_rows(tmp_path: Path, data: Path) -> None:
    groups = {f"coil {at}": [*NAMES[at::6], *UNLISTED[at : at + 1]] for at in range(6)}
    write_groups(tmp_path / "groups.csv", groups)
    maskmill = {**BY_HASH, "exclude": ["00.jpg"], "groups": "groups.csv"}
    output = create(tmp_path, data, maskmill=maskmill)
    train, evaluation = images(output, "train_input"), images(output, "eval_input")
    assert len(train) + len(evaluation) == len([*NAMES, *UNLISTED]) - 1
    assert train
    assert evaluation
    assert [name for name, members in groups.items() if {*members} & {*train} and {*members} & {*evaluation}] == []
    write_groups(tmp_path / "groups.csv", {"one": [*NAMES, *UNLISTED]})
    again = create(tmp_path, data, maskmill=maskmill)
    assert [] in (images(again, "train_input"), images(again, "eval_input"))


def test_an_image_without_a_line_is_rejected(tmp_path: Path, data: Path) -> None:
    write_groups(tmp_path / "groups.csv", {"one": NAMES})
    maskmill = {**BY_HASH, "exclude": ["00.jpg"], "groups": "groups.csv"}
    output = create(tmp_path, data, "--max_rejected=2", maskmill=maskmill)
    assert manifest(output)["rejected"] == {"GROUP_INVALID": 2}
    assert images(output) == NAMES[1:]


def test_what_is_wrong_in_a_list_stops_the_run_in_a_line(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "groups.csv").write_text("ImageId,group\n01.jpg,7\n01.jpg,8\n")
    (tmp_path / "exclude.txt").write_text("01.jpg\nx/02.jpg\n")
    for key, file, words in (
        ("groups", "groups.csv", "groups.csv:3: 01.jpg is in the group '8' here, and in '7' in line 2"),
        ("exclude", "exclude.txt", "exclude.txt:2: 'x/02.jpg' is no file name"),
    ):
        create(tmp_path, data, status=2, maskmill={**BY_HASH, key: file})
        error = capsys.readouterr().err
        assert words in error
        assert "Traceback" not in error
        assert not (tmp_path / "out").exists()
