"""`maskmill plan`: what it says is what `create` then does, and it changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskmill.pipeline.cli import main
from tests.support.builders import grey_pixels, image_bytes, write_dataset, write_params
from tests.support.command import create, manifest, run_here

ROWS = [f"{index:02}.jpg,{3 + index % 4 // 3},{1 + index} 2" for index in range(32)]
FLAGS = ("--num_output_files=4",)


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def plan(
    tmp_path: Path, data: Path, *flags: str, output: str = "out", files: int = 4, **changes: object
) -> dict[str, Any]:
    """The plan as JSON; making it changes no file."""
    params = write_params(tmp_path / "params.yaml", data, **changes)
    before = snapshot(tmp_path)
    flags = (f"--num_output_files={files}", *flags)
    said = run_here("plan", "--json", "--params", params, "--output_dir", tmp_path / output, *flags)
    assert snapshot(tmp_path) == before
    return dict(json.loads(said.out))


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    status = {str(path): path.stat() for path in folder.rglob("*")}
    return {path: (one.st_mtime_ns, one.st_size) for path, one in status.items()}


def actions(planned: dict[str, Any]) -> dict[str, int]:
    """Number of shards by what is to be done, without those of which there are none."""
    totals: dict[str, int] = {}
    for split in planned["splits"].values():
        for action, shards in split["shards"].items():
            totals[action] = totals.get(action, 0) + shards
    return {action: shards for action, shards in totals.items() if shards}


def test_a_plan_counts_what_create_then_makes(tmp_path: Path, data: Path) -> None:
    with open(data / "train.csv", "a", encoding="utf-8") as csv:
        csv.write("gone.jpg,3,1 2\n00.jpg,7,1 2\n01.jpg,3,9 1\n02.jpg,3,\n")
    planned = plan(tmp_path, data, "--max_rejected=2")
    made = manifest(create(tmp_path, data, *FLAGS, "--max_rejected=2"))
    assert planned["rows"] == made["rows"]
    assert planned["images"] == 24
    assert planned["rejected"] == made["rejected"] == {"CLASS_INVALID": 1, "IMAGE_MISSING": 1}
    for split in ("train_input", "eval_input"):
        assert planned["splits"][split]["examples"] == made["splits"][split]["examples"]
        assert planned["splits"][split]["shards"]["write"] == len(made["splits"][split]["shards"])
    assert planned["allowed"]


@pytest.mark.parametrize(("loss", "shape"), [("bce", [256, 256, 1]), ("multilabel_bce", [256, 1600, 1])])
def test_the_bytes_to_write_are_estimated_well_enough(tmp_path: Path, loss: str, shape: list[int]) -> None:
    assert main(["sample", str(tmp_path / "data"), "--images=60", "--quiet"]) == 0
    planned = plan(tmp_path, tmp_path / "data", loss=loss, image_shape=shape)
    made = manifest(create(tmp_path, tmp_path / "data", *FLAGS, loss=loss, image_shape=shape))
    for split in ("train_input", "eval_input"):
        expected = pytest.approx(made["splits"][split]["bytes"], rel=0.1)
        assert planned["splits"][split]["bytes_to_write"] == expected


def test_what_is_there_already_is_kept_and_only_what_has_changed_is_to_be_written(tmp_path: Path, data: Path) -> None:
    assert actions(plan(tmp_path, data)) == {"write": 8}
    create(tmp_path, data, *FLAGS)
    assert actions(plan(tmp_path, data)) == {"kept": 8}
    (data / "train_images" / "00.jpg").write_bytes(image_bytes(grey_pixels(99)))
    assert actions(plan(tmp_path, data)) == {"kept": 7, "write": 1}
    assert actions(plan(tmp_path, data, f"--reuse={tmp_path / 'out'}", output="new")) == {"reused": 7, "write": 1}
    fewer = plan(tmp_path, data, files=2)
    assert fewer["removed_shards"] == 4


def test_what_an_earlier_attempt_has_finished_is_taken_up(tmp_path: Path, data: Path) -> None:
    (data / "train_images" / "00.jpg").write_bytes(b"")
    create(tmp_path, data, *FLAGS, status=3)
    assert actions(plan(tmp_path, data)) == {"staged": 8}


def test_no_image_is_opened(tmp_path: Path, data: Path) -> None:
    for path in (data / "train_images").iterdir():
        path.write_bytes(b"not an image")
    assert plan(tmp_path, data)["rejected"] == {}


def test_a_plan_for_people_says_it_in_words(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "train_images" / "00.jpg").unlink()
    params = write_params(tmp_path / "params.yaml", data)
    command = ["plan", "--params", str(params), "--output_dir", str(tmp_path / "out"), *FLAGS]
    assert main([*command, "--runner=FlinkRunner", "--parallelism=64"]) == 0
    said = capsys.readouterr().out
    assert "32 rows read, 23 of them in examples; 23 images" in said
    assert "1 rejected: 1 IMAGE_MISSING" in said
    assert "warning: at most 0 allowed (--max_rejected): nothing would be published" in said
    assert "train_input: 11 examples in 4 shards" in said
    assert "warning: 8 shards keep at most 8 of 64 workers busy; --num_output_files 32 is enough" in said
    assert not (tmp_path / "out").exists()
    assert main([*command, "--direct_num_workers=8"]) == 0
    assert "busy" not in capsys.readouterr().out


def test_wrong_input_is_refused_as_create_does(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    (data / "train.csv").unlink()
    said = run_here("plan", "--params", params, "--output_dir", tmp_path / "out", status=2)
    assert "there is no such CSV file" in said.err
    assert "--nonsense" in run_here("plan", "--params", params, "--nonsense", status=2).err
