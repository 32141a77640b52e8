"""The structure of shards whose every checksum is right, and of datasets that have none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill.pipeline.cli import main
from maskmill.pipeline.verify.verify_dataset import verify
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.shards.check_shard import arrays_of, check_shard
from maskmill.transforms.shards.hdf5_file import ShardFile
from tests.support.builders import HEIGHT, WIDTH, grey_pixels
from tests.support.damage import Change, put, replace
from tests.support.datasets import (
    EMPTY,
    SHARD,
    SPLITS,
    copy_of,
    edit_shard,
    example,
    make_dataset,
    refuse_to_open,
    reseal,
    write_original,
    write_shard,
)
from tests.support.whole_images import encode_whole, form_of

LOSSES = (("bce", 2), ("multilabel_bce", 3), ("ssce", 2))


@pytest.fixture(scope="module", name="datasets")
def make_datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {loss: make_dataset(tmp_path_factory.mktemp(loss), loss=loss, num_classes=n) for loss, n in LOSSES}


def link(file: h5py.File) -> None:
    del file["example_1"]
    file["example_1"] = h5py.SoftLink("/nowhere")


def array_for_group(file: h5py.File) -> None:
    del file["example_1"]
    file["example_1"] = 1


def group_for_array(file: h5py.File) -> None:
    del file["example_1/label"]
    file.create_group("example_1/label")


FORM = f"[1, {HEIGHT}, {WIDTH}]"
STRUCTURE: dict[str, tuple[Change, str]] = {
    "count": (lambda file: file.attrs.modify("n_examples", 3), "its attribute n_examples is 3 instead of 2"),
    "count of another type": (
        lambda file: file.attrs.create("n_examples", "two"),
        "its attribute n_examples is two instead of 2",
    ),
    "count that is no whole number": (
        lambda file: file.attrs.create("n_examples", 2.0),
        "its attribute n_examples is 2.0 instead of 2",
    ),
    "no count": (lambda file: file.attrs.__delitem__("n_examples"), "has no attribute n_examples"),
    "group too many": (lambda file: file.copy("example_0", "example_2"), "has example_2, which does not belong there"),
    "another group": (lambda file: file.create_group("notes"), "has notes, which does not belong there"),
    "group missing": (lambda file: file.__delitem__("example_1"), "lacks example_1"),
    "group is an array": (array_for_group, "example_1: cannot be read: it is not a group"),
    "link to nowhere": (link, "example_1: cannot be read: "),
    "array is a group": (group_for_array, "example_1: cannot be read: label is not an array"),
    "image missing": (lambda file: file.__delitem__("example_1/image"), "example_1: holds label instead of image, la"),
    "empty group": (lambda file: file["example_1"].clear(), "example_1: holds nothing instead of image, label"),
    "array too many": (
        lambda file: file["example_0"].create_dataset("mask", data=0),
        "example_0: holds image, label, mask instead of image, label",
    ),
    "type of image": (
        replace("example_0/image", lambda array: array.astype("u2")),
        f"example_0/image: is uint16 {FORM} instead of uint8 {FORM}",
    ),
    "type of label": (
        replace("example_0/label", lambda array: array.astype("f8")),
        f"example_0/label: is float64 {FORM} instead of float32 {FORM}",
    ),
    "byte order of label": (
        replace("example_0/label", lambda array: array.astype(">f4")),
        f"example_0/label: is >f4 {FORM} instead of float32 {FORM}",
    ),
    "shape of image": (
        replace("example_0/image", lambda array: array[0]),
        f"example_0/image: is uint8 [{HEIGHT}, {WIDTH}] instead of uint8 {FORM}",
    ),
    "shape of label": (
        replace("example_1/label", lambda array: array.transpose(0, 2, 1)),
        f"example_1/label: is float32 [1, {WIDTH}, {HEIGHT}] instead of float32 {FORM}",
    ),
    "value of label": (put("example_1/label", (0, 15, 23), 2), "example_1/label: holds values other than 0 and 1"),
    "half": (put("example_1/label", (0, 0, 0), 0.5), "example_1/label: holds values other than 0 and 1"),
    "no number": (put("example_1/label", (0, 0, 0), np.nan), "example_1/label: holds values other than 0 and 1"),
}


@pytest.mark.parametrize("case", STRUCTURE)
def test_a_shard_of_another_structure_is_named_though_every_checksum_is_right(
    datasets: dict[str, Path], tmp_path: Path, case: str
) -> None:
    change, expected = STRUCTURE[case]
    root = copy_of(datasets["bce"], tmp_path)
    edit_shard(root, change)
    [problem] = verify(str(root)).problems
    assert problem.startswith(f"{SHARD}: {expected}")


VALUES: dict[str, tuple[str, Change, str]] = {
    "ssce 2": ("ssce", put("example_0/label", (3, 4), 2), "holds values other than 0 and 1"),
    "ssce -1": ("ssce", put("example_0/label", (3, 4), -1), "holds values other than 0 and 1"),
    "no channel": ("multilabel_bce", put("example_0/label", (0, 15, 23), 0), "is not one-hot"),
    "two channels": ("multilabel_bce", put("example_0/label", (2, 15, 23), 1), "is not one-hot"),
    "multilabel 2": ("multilabel_bce", put("example_0/label", (0, 15, 23), 2), "holds values other than 0 and 1"),
}


@pytest.mark.parametrize("case", VALUES)
def test_labels_hold_what_the_loss_allows(datasets: dict[str, Path], tmp_path: Path, case: str) -> None:
    loss, change, expected = VALUES[case]
    root = copy_of(datasets[loss], tmp_path)
    edit_shard(root, change)
    [problem] = verify(str(root)).problems
    assert problem.startswith(f"{SHARD}: example_0/label: {expected}")


def remove_measures(file: h5py.File) -> None:
    for name in ("areas", "pixel_sums", "image_hashes"):
        del file.attrs[name]


def add(name: str, change: list[list[int]]) -> Change:
    """Changes the numbers of both examples in an attribute."""

    def change_attribute(file: h5py.File) -> None:
        file.attrs.modify(name, file.attrs[name] + np.array(change, file.attrs[name].dtype))

    return change_attribute


def swap_pixels(file: h5py.File) -> None:
    """Leaves the sum of the pixels, and changes that of their squares."""
    file["example_0/image"][0, 0, :2] = 100, 100
    file["example_0/image"][0, 1, :2] = 99, 101


MEASURES: dict[str, tuple[Change, list[str]]] = {
    "none": (remove_measures, [f"has no attribute {name}" for name in ("areas", "pixel_sums", "image_hashes")]),
    "type": (
        lambda file: file.attrs.create("areas", file.attrs["areas"].astype("<i8")),
        ["its attribute areas is int64 [2, 1] instead of int32 [2, 1]"],
    ),
    "shape": (
        lambda file: file.attrs.create("pixel_sums", file.attrs["pixel_sums"][:, :1]),
        ["its attribute pixel_sums is uint64 [2, 1] instead of uint64 [2, 2]"],
    ),
    "number": (
        lambda file: file.attrs.create("image_hashes", file.attrs["image_hashes"][:1]),
        ["its attribute image_hashes is uint64 [1] instead of uint64 [2]"],
    ),
    "text": (
        lambda file: file.attrs.create("image_hashes", "a text"),
        ["its attribute image_hashes is <U6 [] instead of uint64 [2]"],
    ),
    "totals": (
        add("areas", [[1], [0]]),
        [
            "its areas add up to [5], and manifest.json says [4]",
            "example_0: has the areas [2], and the attribute says [3]",
        ],
    ),
    "areas": (
        add("areas", [[1], [-1]]),
        [
            "example_0: has the areas [2], and the attribute says [3]",
            "example_1: has the areas [2], and the attribute says [1]",
        ],
    ),
    "label": (
        put("example_1/label", (0, 15, 23), 1),
        ["example_1: has the areas [3], and the attribute says [2]"],
    ),
    "image": (swap_pixels, ["example_0: has the pixel_sums "]),
}


@pytest.mark.parametrize("case", MEASURES)
def test_what_is_recorded_of_examples_is_compared_with_them(
    datasets: dict[str, Path], tmp_path: Path, case: str
) -> None:
    change, expected = MEASURES[case]
    root = copy_of(datasets["bce"], tmp_path)
    edit_shard(root, change)
    problems = verify(str(root)).problems
    assert [problem.startswith(f"{SHARD}: {start}") for problem, start in zip(problems, expected, strict=True)] == [
        True
    ] * len(expected), problems


def test_a_format_without_measures_has_none_to_compare(datasets: dict[str, Path], tmp_path: Path) -> None:
    root = copy_of(datasets["bce"], tmp_path)
    shards = [f"{split}/preprocessed_data-{number}_p{number // 2}.h5" for split in SPLITS for number in range(4)]
    for path in shards:
        with h5py.File(root / path, "a") as file:
            if file.attrs["n_examples"]:
                remove_measures(file)

    def make_older(manifest: dict[str, Any]) -> None:
        manifest["format_version"] = 5
        for split in manifest["splits"].values():
            del split["statistics"]
            for shard in split["shards"]:
                shard.pop("areas"), shard.pop("pixel_sums", None)

    assert all((root / path).exists() for path in shards)
    reseal(root, make_older)
    assert verify(str(root)).problems == ()


def test_statistics_that_do_not_follow_from_the_shards_are_named(datasets: dict[str, Path], tmp_path: Path) -> None:
    root = copy_of(datasets["ssce"], tmp_path)
    reseal(root, lambda manifest: manifest["splits"]["eval_input"]["statistics"].update(mean=1.0))
    message = "manifest.json: the statistics of eval_input do not follow from its shards"
    assert verify(str(root)).problems == (message,)
    reseal(root, lambda manifest: manifest["splits"]["eval_input"].pop("statistics"))
    assert verify(str(root)).problems == (message,)


def test_a_gap_in_the_numbers_is_named(datasets: dict[str, Path], tmp_path: Path) -> None:
    root = copy_of(datasets["bce"], tmp_path)
    edit_shard(root, lambda file: file.move("example_0", "example_5"))
    assert verify(str(root)).problems == (
        f"{SHARD}: lacks example_0",
        f"{SHARD}: has example_5, which does not belong there",
    )


def test_a_shard_that_is_to_be_empty_and_is_not_is_named(datasets: dict[str, Path], tmp_path: Path) -> None:
    root = copy_of(datasets["bce"], tmp_path)
    edit_shard(root, lambda file: file.create_group("example_0"), EMPTY)
    assert verify(str(root)).problems == (f"{EMPTY}: has example_0, which does not belong there",)


def test_every_example_that_is_wrong_is_named_and_many_missing_ones_in_short(tmp_path: Path) -> None:
    write_shard(tmp_path / "x.h5", [example(label=np.full((1, HEIGHT, WIDTH), 2, "<f4"))] * 3)
    form = LabelFormat("bce", 2, HEIGHT, WIDTH, (3,))
    arrays = arrays_of(form_of(form))
    wrong = [f"example_{index}/label: holds values other than 0 and 1" for index in range(3)]
    assert check_shard(str(tmp_path / "x.h5"), 3, arrays, form_of(form)) == wrong
    assert check_shard(str(tmp_path / "x.h5"), 3, arrays) == []
    assert check_shard(str(tmp_path / "x.h5"), 9, arrays)[1] == "lacks example_3, example_4, example_5 and 3 more"


@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
@pytest.mark.parametrize("rows", [3, 100])
def test_a_label_in_a_row_is_looked_at_to_its_last_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str, rows: int
) -> None:
    monkeypatch.setattr("maskmill.transforms.examples.label.MAX_CHUNK_BYTES", rows * 4 * WIDTH)
    label = LabelFormat(loss, 3, HEIGHT, WIDTH, (3,))
    form, path = form_of(label, "arrays"), str(tmp_path / "x.h5")
    with ShardFile(path, form, 2) as shard:
        for seed in range(2):
            shard.append(encode_whole(grey_pixels(seed), grey_pixels(seed) % 2, label, "arrays"), "a.jpg")
    assert check_shard(path, 2, arrays_of(form), form) == []
    with h5py.File(path, "a") as file:
        assert file["labels"].chunks == (1, *form.label_chunk_shape)
        file["labels"][1, ..., -1, -1] = 2
    assert check_shard(path, 2, arrays_of(form), form) == ["row 1/label: holds values other than 0 and 1"]


@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
@pytest.mark.parametrize("deflated", [False, True])
def test_a_label_is_looked_at_to_its_last_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str, deflated: bool
) -> None:
    monkeypatch.setattr("maskmill.transforms.examples.label.MAX_CHUNK_BYTES", 3 * 4 * WIDTH)
    form = LabelFormat(loss, 3, HEIGHT, WIDTH, (3,))
    path = str(tmp_path / "x.h5")
    pixels = grey_pixels(0)
    with ShardFile(path, form_of(form)) as shard:
        shard.append(encode_whole(pixels, pixels % 2, form), "a.jpg")
    if not deflated:
        with h5py.File(path, "a") as file:
            replace("example_0/label", lambda array: array)(file)
    assert check_shard(path, 1, arrays_of(form_of(form)), form_of(form)) == []
    with h5py.File(path, "a") as file:
        assert file["example_0/label"].chunks == (form.chunk_shape if deflated else None)
        file["example_0/label"][..., -1, -1] = 2
    once = ["example_0/label: holds values other than 0 and 1"]
    assert check_shard(path, 1, arrays_of(form_of(form)), form_of(form)) == once
    with h5py.File(path, "a") as file:
        file["example_0/label"][..., 0, 0] = 2
    assert check_shard(path, 1, arrays_of(form_of(form)), form_of(form)) == once


def test_what_is_no_hdf5_is_a_problem_and_no_failure(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"no HDF5")
    [problem] = check_shard(str(tmp_path / "x.h5"), 1, None)
    assert problem.startswith("cannot be read as HDF5: ")


def test_damage_in_a_chunk_is_a_problem_of_its_example(datasets: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    shutil.copy(datasets["bce"] / SHARD, path)
    with h5py.File(path) as file:
        chunk = file["example_1/label"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\xff" * chunk.size
    path.write_bytes(content)
    form = LabelFormat("bce", 2, HEIGHT, WIDTH, (3,))
    [problem] = check_shard(str(path), 2, arrays_of(form_of(form)), form_of(form))
    assert problem.startswith("example_1: cannot be read: ")


def test_a_dataset_of_the_original_is_checked_for_structure_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_original(tmp_path)
    report = verify(str(root))
    assert report[:3] == ((), 4, 4)
    assert not report.has_manifest
    assert main(["verify", str(root)]) == main(["verify", str(root), "--quick"]) == 0
    full, quick = capsys.readouterr().out.splitlines()
    assert full.startswith(
        f"{root} has no manifest.json, so it is a dataset of create_hdf5_files.py: 4 examples in 4 s"
    )
    assert full.endswith("; structure and counts were checked and are right, contents cannot be")
    assert quick.endswith("; only names were checked and are right, contents cannot be")


def test_a_shard_of_the_original_that_cannot_be_read_is_a_problem_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_open(monkeypatch, SHARD)
    [problem] = verify(str(write_original(tmp_path))).problems
    assert problem.startswith(f"{SHARD}: cannot be read (")


def test_quick_opens_no_shard_of_the_original(tmp_path: Path) -> None:
    (write_original(tmp_path) / SHARD).write_text("no HDF5")
    assert verify(str(tmp_path), quick=True).problems == ()
    (tmp_path / SHARD).unlink()
    assert verify(str(tmp_path), quick=True).problems == (f"{SHARD}: is missing",)


def shard_of(*examples: dict[str, np.ndarray]) -> Callable[[Path], object]:
    return lambda root: write_shard(root / SHARD, list(examples))


def text_of(name: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text(text)


TRANSPOSED = np.zeros((1, WIDTH, HEIGHT), "u1")
ORIGINAL: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "no list": (
        lambda root: (root / "meta_eval_input.dat").unlink(),
        [
            "meta_eval_input.dat: is missing",
            "data_params.json: eval_input_hdf.total_written is 1, and the shards have 0",
        ],
    ),
    "bad line": (
        text_of("meta_eval_input.dat", "/x/preprocessed_data-0_p0.h5 1\nC:\\y\\preprocessed_data-1_p0.h5 0\nz\n"),
        ["meta_eval_input.dat: line 3 is not a path and a number of examples"],
    ),
    "no text": (
        lambda root: (root / "meta_eval_input.dat").write_bytes(b"\xff"),
        ["meta_eval_input.dat: cannot be read", "data_params.json: eval_input_hdf.total_written is 1"],
    ),
    "no data_params": (lambda root: (root / "data_params.json").unlink(), ["data_params.json: is missing"]),
    "no JSON": (text_of("data_params.json", "{"), ["data_params.json: does not say how many examples"]),
    "no counts": (text_of("data_params.json", "{}"), ["data_params.json: does not say how many examples"]),
    "shard missing": (
        lambda root: (root / SHARD).unlink(),
        [f"{SHARD}: is missing", "data_params.json: train_input_hdf.total_written is 3, and the shards have 1"],
    ),
    "shard not listed": (
        lambda root: shutil.copy(root / SHARD, root / "train_input/preprocessed_data-2_p0.h5"),
        ["train_input/preprocessed_data-2_p0.h5: meta_train_input.dat does not list it"],
    ),
    "example missing": (
        shard_of(example()),
        [f"{SHARD}: its attribute n_examples is 1 instead of 2", f"{SHARD}: lacks example_1"],
    ),
    "other form in a shard": (
        shard_of(example(), example(image=TRANSPOSED)),
        [f"{SHARD}: example_1/image: is uint8 [1, {WIDTH}, {HEIGHT}] instead of uint8 {FORM}"],
    ),
    "other form of a shard": (
        shard_of(example(image=TRANSPOSED), example(image=TRANSPOSED)),
        [f"train_input/preprocessed_data-1_p0.h5: holds image uint8 {FORM}, label float32 {FORM}, but {SHARD} holds"],
    ),
    "array missing": (
        shard_of({"image": TRANSPOSED}, example()),
        [f"{SHARD}: example_0: holds image instead of image, label"],
    ),
    "no HDF5": (text_of(SHARD, "no HDF5"), [f"{SHARD}: cannot be read as HDF5"]),
}


@pytest.mark.parametrize("case", ORIGINAL)
def test_damage_of_a_dataset_of_the_original_is_named(tmp_path: Path, case: str) -> None:
    damage, expected = ORIGINAL[case]
    damage(write_original(tmp_path))
    problems = verify(str(tmp_path)).problems
    assert len(problems) == len(expected)
    for problem, start in zip(problems, expected, strict=True):
        assert problem.startswith(start)


def test_a_folder_with_splits_alone_is_a_dataset_whose_lists_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_original(tmp_path)
    for name in ("data_params.json", *(f"meta_{split}.dat" for split in SPLITS)):
        (tmp_path / name).unlink()
    assert main(["verify", str(tmp_path)]) == 4
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"{name}: is missing" for name in ("meta_train_input.dat", "meta_eval_input.dat", "data_params.json")
    ]
    assert said.err.startswith(f"maskmill: {tmp_path} is damaged: 3 problems; make the dataset again, or copy it again")
