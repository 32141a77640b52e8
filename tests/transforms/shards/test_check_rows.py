"""The content of shards with the layout `arrays`, although every checksum is right."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from maskmill.pipeline.verify.verify_dataset import verify
from tests.support.builders import HEIGHT, WIDTH
from tests.support.damage import Change, put, replace
from tests.support.datasets import EMPTY, SHARD, copy_of, edit_shard, make_dataset, reseal

FORM = f"[2, 1, {HEIGHT}, {WIDTH}]"
LOSSES = (("bce", 2), ("multilabel_bce", 3), ("ssce", 2))


@pytest.fixture(scope="module", name="datasets")
def make_datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    ours = {"layout": "arrays"}
    return {
        loss: make_dataset(tmp_path_factory.mktemp(loss), loss=loss, num_classes=n, maskmill=ours) for loss, n in LOSSES
    }


def group_for_array(file: h5py.File) -> None:
    del file["labels"]
    file.create_group("labels")


def drop_chunk(file: h5py.File) -> None:
    """Leaves the last row of the labels without its chunk."""
    shape = file["labels"].shape
    file["labels"].resize(1, axis=0)
    file["labels"].resize(shape)


def add_area(file: h5py.File) -> None:
    file.attrs.modify("areas", file.attrs["areas"] + np.array([[1], [-1]], "<i4"))


DAMAGE: dict[str, tuple[str, Change, list[str]]] = {
    "count": (
        "bce",
        lambda file: file.attrs.modify("n_examples", 3),
        ["its attribute n_examples is 3 instead of 2"],
    ),
    "labels missing": ("bce", lambda file: file.__delitem__("labels"), ["lacks labels"]),
    "a group as well": (
        "bce",
        lambda file: file.create_group("example_0"),
        ["has example_0, which does not belong there"],
    ),
    "a group instead": ("bce", group_for_array, ["labels: cannot be read: labels is not an array"]),
    "a row too few": (
        "bce",
        replace("images", lambda rows: rows[:1]),
        [f"images: is uint8 [1, 1, {HEIGHT}, {WIDTH}] instead of uint8 {FORM}"],
    ),
    "type of labels": (
        "bce",
        replace("labels", lambda rows: rows.astype("f8")),
        [f"labels: is float64 {FORM} instead of float32 {FORM}"],
    ),
    "value": ("bce", put("labels", (1, 0, 15, 23), 2), ["row 1/label: holds values other than 0 and 1"]),
    "value of a number": ("ssce", put("labels", (0, 3, 4), 2), ["row 0/label: holds values other than 0 and 1"]),
    "two channels": ("multilabel_bce", put("labels", (1, 2, 15, 23), 1), ["row 1/label: is not one-hot"]),
    "no channel": ("multilabel_bce", put("labels", (0, 0, 15, 23), 0), ["row 0/label: is not one-hot"]),
    "no chunk": ("bce", drop_chunk, ["row 1: cannot be read: "]),
    "areas": (
        "bce",
        add_area,
        [
            "row 0: has the areas [2], and the attribute says [3]",
            "row 1: has the areas [2], and the attribute says [1]",
        ],
    ),
    "pixels": ("bce", put("images", (1, 0, 0, 0), 77), ["row 1: has the pixel_sums "]),
    "no measures": ("bce", lambda file: file.attrs.__delitem__("areas"), ["has no attribute areas"]),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_what_is_wrong_with_rows_is_named(datasets: dict[str, Path], tmp_path: Path, case: str) -> None:
    loss, change, expected = DAMAGE[case]
    root = copy_of(datasets[loss], tmp_path)
    edit_shard(root, change)
    problems = verify(str(root)).problems
    assert len(problems) == len(expected), problems
    for problem, start in zip(problems, expected, strict=True):
        assert problem.startswith(f"{SHARD}: {start}")


@pytest.mark.parametrize("loss", [loss for loss, _ in LOSSES])
def test_a_whole_dataset_has_no_problems(datasets: dict[str, Path], loss: str) -> None:
    assert verify(str(datasets[loss])).problems == ()
    with h5py.File(datasets[loss] / EMPTY) as file:
        assert (file["images"].shape[0], file["labels"].shape[0], len(file)) == (0, 0, 2)


def test_a_shard_of_the_other_layout_is_named(datasets: dict[str, Path], tmp_path: Path) -> None:
    root = copy_of(datasets["bce"], tmp_path)

    def rewrite(file: h5py.File) -> None:
        for index in range(2):
            file[f"example_{index}/image"] = file["images"][index]
            file[f"example_{index}/label"] = file["labels"][index]
        del file["images"], file["labels"]

    edit_shard(root, rewrite)
    assert verify(str(root)).problems == (
        f"{SHARD}: lacks images, labels",
        f"{SHARD}: has example_0, example_1, which does not belong there",
    )


def test_a_damaged_chunk_is_a_problem_of_its_row(datasets: dict[str, Path], tmp_path: Path) -> None:
    root = copy_of(datasets["bce"], tmp_path)
    with h5py.File(root / SHARD) as file:
        chunk = file["labels"].id.get_chunk_info_by_coord((1, 0, 0, 0))
    content = bytearray((root / SHARD).read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\xff" * chunk.size
    (root / SHARD).write_bytes(content)
    [changed] = verify(str(root)).problems
    assert "its content has changed" in changed
    reseal(root)
    [problem] = verify(str(root)).problems
    assert problem.startswith(f"{SHARD}: row 1: cannot be read: ")
