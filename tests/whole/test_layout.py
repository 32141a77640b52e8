"""The layout `arrays`: the same examples, in rows, wherever a dataset is made, made again, checked and read."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

from maskmill import open_dataset, remote_folder
from maskmill.folder import Read
from maskmill.pipeline.verify.verify_dataset import verify
from tests.support.builders import grey_pixels, image_bytes, write_dataset, write_params
from tests.support.command import ROOT, create, create_here, digest, manifest, run_here, shard_states, tree
from tests.support.datasets import edit_shard
from tests.support.pages import python_blocks
from tests.support.snapshot import Snapshot

PAGE = ROOT / "docs" / "layouts.md"
GOLDEN = Path(__file__).parents[1] / "golden"
SPLITS = ("train_input", "eval_input")
ARRAYS = {"layout": "arrays"}
ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
FLAGS = ("--num_output_files=4",)


def last_states(output: Path) -> dict[str, int]:
    """How the last run obtained its shards."""
    states = shard_states(json.loads((output / "history.jsonl").read_text().splitlines()[-1]))
    return {state: number for state, number in states.items() if number}


@pytest.mark.parametrize(
    "config", ["bce_256x256", "bce_300x700_tiled", "bce_class4_two_processes", "multilabel_256x256", "ssce_256x256"]
)
def test_both_layouts_have_the_arrays_of_the_original(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(GOLDEN)  # where data_dir begins
    expected = json.loads((GOLDEN / config / "expected.json").read_text())
    params = yaml.safe_load((GOLDEN / config / "params.yaml").read_text())
    flags = [f"--{key}={value}" for key, value in expected["input_args"].items()]
    for layout in ("groups", "arrays"):
        path = tmp_path / f"{layout}.yaml"
        path.write_text(yaml.safe_dump({**params, "maskmill": {**(params.get("maskmill") or {}), "layout": layout}}))
        create_here(path, tmp_path / layout, *flags)
    for split in SPLITS:
        in_groups, in_rows = (open_dataset(tmp_path / layout, split) for layout in ("groups", "arrays"))
        assert len(in_rows) == len(in_groups) == len(expected[split]["examples"])
        for example in expected[split]["examples"]:
            one, other = in_groups[example["position"]], in_rows[example["position"]]
            assert other.image_id == example["image_id"]
            assert np.array_equal(one.image, other.image)
            assert (str(other.label.dtype), list(other.label.shape)) == (
                example["label"]["dtype"],
                example["label"]["shape"],
            )
            assert hashlib.sha256(other.label.tobytes()).hexdigest() == example["label"]["sha256"]
        assert np.array_equal(in_groups.areas, in_rows.areas)
        assert np.array_equal(in_groups.image_hashes, in_rows.image_hashes)
        assert in_groups.statistics == in_rows.statistics
    assert verify(str(tmp_path / "arrays")).problems == ()
    assert run_here("diff", tmp_path / "groups", tmp_path / "arrays", status=1).out.splitlines()[2:] == [
        'parameter maskmill.layout: "groups" -> "arrays"'
    ]


@pytest.fixture(name="made", scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Input in `data`, and the datasets of it in `groups` and `arrays`."""
    folder = tmp_path_factory.mktemp("layout")
    data = write_dataset(folder / "data", ROWS)
    create(folder, data, *FLAGS, output="groups")
    create(folder, data, *FLAGS, output="arrays", maskmill=ARRAYS)
    return Snapshot(folder)


@pytest.fixture(name="folder")
def restore_folder(made: Snapshot) -> Path:
    return made.restore()


def test_everything_beside_the_shards_is_the_same_but_what_says_the_layout(folder: Path) -> None:
    groups, arrays = (tree(folder / name) for name in ("groups", "arrays"))
    assert groups.keys() == arrays.keys()
    assert groups["examples.csv"] == arrays["examples.csv"]
    in_groups, in_rows = manifest(folder / "groups"), manifest(folder / "arrays")
    assert "layout" not in in_groups
    assert in_rows["layout"] == "arrays"
    assert (in_groups["format_version"], in_rows["format_version"]) == (6, 7)
    assert b'"images[<index>]"' in arrays["croissant.json"]
    for split in SPLITS:
        assert in_rows["splits"][split]["statistics"] == in_groups["splits"][split]["statistics"]
        assert in_rows["splits"][split]["bytes"] < in_groups["splits"][split]["bytes"]


def test_another_layout_writes_all_shards_as_a_fresh_run_does_and_says_why(folder: Path) -> None:
    fresh = tree(folder / "arrays")
    (folder / "arrays").rename(folder / "aside")
    (folder / "groups").rename(folder / "arrays")
    params = write_params(folder / "params.yaml", folder / "data", maskmill=ARRAYS)
    assert create_here(params, folder / "arrays", *FLAGS).out.count("  4 shards written (layout changed)\n") == 2
    assert tree(folder / "arrays") == fresh
    back = write_params(folder / "params.yaml", folder / "data")
    assert create_here(back, folder / "arrays", *FLAGS).out.count("  4 shards written (layout changed)\n") == 2
    assert manifest(folder / "arrays")["format_version"] == 6


def test_the_default_is_groups_and_leaves_the_dataset_as_it_is(folder: Path) -> None:
    params = write_params(folder / "params.yaml", folder / "data", maskmill={"layout": "groups"})
    before = digest(folder / "groups")
    create_here(params, folder / "groups", *FLAGS)
    assert last_states(folder / "groups") == {"kept": 8}
    assert digest(folder / "groups") == before


@pytest.mark.parametrize(
    "ours", [{"colour": "rgb"}, {"resize": "pad"}, {"resize": "crop", "colour": "rgb", "label_dtype": "uint8"}], ids=str
)
def test_other_keys_give_the_same_examples_in_both_layouts(folder: Path, ours: dict[str, str]) -> None:
    for layout in ("groups", "arrays"):
        keys = {**ours, "layout": layout}
        output = create(folder, folder / "data", *FLAGS, output=f"{layout}_2", image_shape=[12, 30, 1], maskmill=keys)
        assert verify(str(output)).problems == ()
    in_groups, in_rows = (open_dataset(folder / f"{layout}_2") for layout in ("groups", "arrays"))
    assert in_rows.image_shape == (3 if "colour" in ours else 1, 12, 30)
    for one, other in zip(in_groups, in_rows, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.label, other.label)
        assert one.view == other.view
    assert np.array_equal(in_groups.statistics.mean, in_rows.statistics.mean)
    assert np.array_equal(in_groups.statistics.std, in_rows.statistics.std)


def test_damage_is_found_of_padded_images_in_rows(folder: Path) -> None:
    keys = {"layout": "arrays", "resize": "pad", "colour": "rgb"}
    output = create(folder, folder / "data", *FLAGS, output="padded", image_shape=[12, 30, 1], maskmill=keys)
    edit_shard(output, lambda file: file["images"].__setitem__((1, 2, 0, 29), 1))
    [problem] = verify(str(output)).problems
    assert problem.startswith("train_input/preprocessed_data-0_p0.h5: row 1: has the pixel_sums ")


def test_only_the_shard_of_what_changed_is_written_again(folder: Path) -> None:
    before = digest(folder / "arrays")
    (folder / "data/train_images/02.jpg").write_bytes(image_bytes(grey_pixels(99)))
    create(folder, folder / "data", *FLAGS, output="arrays", maskmill=ARRAYS)
    assert last_states(folder / "arrays") == {"written": 1, "kept": 7}
    after = digest(folder / "arrays")
    assert [path for path in after if after[path] != before[path]] == ["train_input/preprocessed_data-2_p0.h5"]
    said = create_here(folder / "params.yaml", folder / "arrays", *FLAGS)
    assert "nothing to do: no shard has changed" in said.out


def test_shards_of_another_dataset_are_reused_only_with_the_same_layout(folder: Path) -> None:
    write_params(folder / "params.yaml", folder / "data", maskmill=ARRAYS)
    for source, states in (("arrays", {"reused": 8}), ("groups", {"written": 8})):
        output = folder / f"from_{source}"
        create_here(folder / "params.yaml", output, *FLAGS, "--reuse", str(folder / source))
        assert last_states(output) == states
        assert digest(output) == digest(folder / "arrays")


def test_finished_shards_of_a_run_that_failed_are_taken_up(folder: Path) -> None:
    image = folder / "data/train_images/15.jpg"
    whole = image.read_bytes()
    image.write_bytes(b"no image")
    params = write_params(folder / "params.yaml", folder / "data", maskmill=ARRAYS)
    create_here(params, folder / "new", *FLAGS, status=3)
    staged = {path.stat().st_ino for path in (folder / "new").glob(".staging/*/*_input/*.h5")}
    image.write_bytes(whole)
    create_here(params, folder / "new", *FLAGS)
    assert len(staged & {path.stat().st_ino for path in (folder / "new").glob("*_input/*.h5")}) == 7
    assert verify(str(folder / "new")).problems == ()
    found = open_dataset(folder / "new", "eval_input")
    assert [one.image_id for one in found] == [f"{index:02}.jpg" for index in range(8, 16)]


def test_an_image_that_is_rejected_leaves_no_row(folder: Path) -> None:
    (folder / "data/train_images/00.jpg").write_bytes(b"no image")
    output = create(folder, folder / "data", "--max_rejected=1", "--num_output_files=1", output="one", maskmill=ARRAYS)
    with h5py.File(output / "train_input/preprocessed_data-0_p0.h5") as file:
        assert (file["images"].shape[0], file["labels"].shape[0], file.attrs["n_examples"]) == (7, 7, 7)
        assert file.attrs["image_ids"][0] == b"01.jpg"
    assert verify(str(output)).problems == ()
    assert [one.image_id for one in open_dataset(output)] == [f"{index:02}.jpg" for index in range(1, 8)]


def test_the_plan_has_the_estimate_of_the_layout(folder: Path) -> None:
    sizes = {}
    for layout in ("groups", "arrays"):
        params = write_params(folder / "params.yaml", folder / "data", maskmill={"layout": layout})
        plan = json.loads(run_here("plan", "--params", params, "--output_dir", folder / "new", *FLAGS, "--json").out)
        sizes[layout] = sum(split["bytes"] for split in plan["splits"].values())
    assert sizes["groups"] - sizes["arrays"] == 16 * 800


def test_examples_are_read_by_index_in_batches_in_parts_and_in_other_processes(folder: Path) -> None:
    groups, arrays = (open_dataset(folder / name) for name in ("groups", "arrays"))
    assert repr(arrays).endswith("8 examples>")
    for one, other in zip(groups.batches(3, shuffle=True), arrays.batches(3, shuffle=True), strict=True):
        assert one.image_ids == other.image_ids
        assert np.array_equal(one.images, other.images)
        assert np.array_equal(one.labels, other.labels)
    part = pickle.loads(pickle.dumps(arrays[[5, 2]]))
    assert [one.image_id for one in part] == [groups[5].image_id, groups[2].image_id]
    cached = open_dataset(folder / "arrays", cache=folder / "cache", cache_bytes=2**20)
    assert [one.image_id for one in cached] == [one.image_id for one in groups]
    assert all(np.array_equal(one.label, other.label) for one, other in zip(cached, groups, strict=True))
    small = open_dataset(folder / "arrays", label_dtype="uint8")
    assert np.array_equal(small[3].label, groups[3].label)
    assert small[3].label.dtype == np.uint8


@pytest.mark.parametrize("loss", ["bce", "multilabel_bce"])
def test_slices_are_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    monkeypatch.chdir(tmp_path)
    output = create(tmp_path, data, "--num_output_files=1", output="hdf5", loss=loss, num_classes=2, maskmill=ARRAYS)
    with_h5py, *_ = python_blocks(PAGE.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    exec(with_h5py, names)
    examples = open_dataset(output)
    assert names["image_ids"] == [one.image_id for one in examples]
    assert np.array_equal(names["images"], [one.image for one in examples])
    assert np.array_equal(names["labels"], [one.label for one in examples])


def test_show_and_report_know_the_layout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    pictures, pages = [], []
    for name in ("groups", "arrays"):
        run_here("show", folder / name, "--index", "3", "--output", folder / f"{name}.png")
        pictures.append((folder / f"{name}.png").read_bytes())
        run_here("report", folder / name, "--output", folder / f"{name}.html")
        pages.append((folder / f"{name}.html").read_text())
    assert pictures[0] == pictures[1]
    assert pages[0].count("<img") == pages[1].count("<img") > 0


def test_the_index_of_a_large_shard_in_a_store_takes_few_small_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    data = write_dataset(tmp_path / "data", [f"{index:03}.jpg,3,1 2" for index in range(400)])
    output = create(
        tmp_path, data, "--num_output_files=1", train_test_split=1, image_shape=[64, 96, 1], maskmill=ARRAYS
    )
    [size] = [shard["bytes"] for shard in manifest(output)["splits"]["train_input"]["shards"] if shard["examples"]]
    assert size > 2 * 2**20
    requests: list[int] = []

    def count(files: object, reads: Sequence[Read]) -> None:
        requests.extend(read.size for read in reads)
        read_at_once(files, reads)

    read_at_once = remote_folder._read_at_once
    monkeypatch.setattr(remote_folder, "_read_at_once", count)
    examples = open_dataset(f"file://{output}")
    assert examples.image_shape == (1, 64, 96)
    assert len(requests) <= 3
    assert max(requests) <= 2**18
    requests.clear()
    assert examples.read([7, 300, 11]).image_ids == ["007.jpg", "300.jpg", "011.jpg"]
    assert len(requests) == 3


@pytest.mark.parametrize("value", ["rows", True, None])
def test_another_layout_is_refused(tmp_path: Path, value: object) -> None:
    data = write_dataset(tmp_path / "data", ROWS[:2])
    params = write_params(tmp_path / "params.yaml", data, maskmill={"layout": value})
    assert "maskmill.layout: " in create_here(params, tmp_path / "out", status=2).err
