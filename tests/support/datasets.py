"""Finished datasets, and how to damage them."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill.manifest import seal, unseal
from maskmill.pipeline.cli import main
from maskmill.transforms.files import checksums
from maskmill.transforms.files.checksums import sha256_of
from tests.support.builders import HEIGHT, WIDTH, write_dataset, write_params

SPLITS = ("train_input", "eval_input")
SHARD = "train_input/preprocessed_data-0_p0.h5"  # of `make_dataset`: two examples
EMPTY = "eval_input/preprocessed_data-1_p0.h5"  # of `make_dataset`: no example
REJECTED_IMAGE = "b.jpg"


def make_dataset(folder: Path, *, loss: str = "bce", num_classes: int = 2) -> Path:
    """A dataset by `maskmill create`: of nine rows one is rejected, so that 5 and 3 examples lie in 4 shards each."""
    data = write_dataset(folder / "data", [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdefghi", 1)])
    (data / "train_images" / REJECTED_IMAGE).write_bytes(b"no image")
    write_params(folder / "params.yaml", data, loss=loss, num_classes=num_classes, train_test_split=0.67)
    return create(folder)


def create(folder: Path) -> Path:
    """Runs the command of `make_dataset`, for the first time or again."""
    flags = ["--num_output_files=4", "--num_processes=2", "--max_rejected=1", "--quiet"]
    arguments = ["--params", str(folder / "params.yaml"), "--output_dir", str(folder / "out"), *flags]
    assert main(["create", *arguments]) == 0
    return folder / "out"


def write_original(folder: Path) -> Path:
    """A dataset as create_hdf5_files.py writes it: 3 and 1 examples in 2 shards each, paths of another machine."""
    hdf = {}
    for split, counts in zip(SPLITS, ((2, 1), (1, 0)), strict=True):
        lines = []
        for number, count in enumerate(counts):
            path = folder / split / f"preprocessed_data-{number}_p0.h5"
            write_shard(path, [example() for _ in range(count)])
            lines.append(f"/cb/home/someone/out/{split}/{path.name} {count}\n")
        (folder / f"meta_{split}.dat").write_text("".join(lines))
        hdf[f"{split}_hdf"] = {"n_docs": sum(counts), "total_written": sum(counts), "dataset_range": {}}
    (folder / "data_params.json").write_text(json.dumps(hdf))
    return folder


def example(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """What the group of an example holds, for the loss bce."""
    arrays = {"image": np.zeros((1, HEIGHT, WIDTH), "u1"), "label": np.zeros((1, HEIGHT, WIDTH), "<f4")}
    return {**arrays, **changes}


def write_shard(path: Path, examples: list[dict[str, np.ndarray]]) -> None:
    """A shard in the plainest way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["n_examples"] = len(examples)
        for index, arrays in enumerate(examples):
            for name, array in arrays.items():
                file[f"example_{index}/{name}"] = array


def copy_of(dataset: Path, folder: Path) -> Path:
    """A dataset to damage."""
    shutil.copytree(dataset, folder / "copy")
    return folder / "copy"


def edit_shard(root: Path, change: Callable[[h5py.File], object], path: str = SHARD) -> None:
    """Changes a shard, and seals the manifest again, so that every checksum is right."""
    with h5py.File(root / path, "a") as file:
        change(file)
    reseal(root)


def edit_text(root: Path, name: str, old: str, new: str) -> None:
    """Changes a file beside the shards, and seals the manifest again."""
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))
    reseal(root)


def reseal(root: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Has the manifest and croissant.json say of each file what is there, and changes the manifest otherwise."""
    content = unseal((root / "manifest.json").read_bytes())
    _describe_again(root / "croissant.json")
    entries: dict[str, Any] = dict(content["files"])
    for split in content["splits"].values():
        entries |= {shard["file"]: shard for shard in split["shards"]}
    for path, entry in entries.items():
        entry.update(bytes=(root / path).stat().st_size, sha256=sha256_of(str(root / path)))
    for split in content["splits"].values():
        split["bytes"] = sum(shard["bytes"] for shard in split["shards"])
    change(content)
    (root / "manifest.json").write_bytes(seal(content))


def _describe_again(path: Path) -> None:
    if path.exists():
        content = json.loads(path.read_text())
        for one in content["distribution"]:
            file = path.parent / one["name"]
            one.update(contentSize=f"{file.stat().st_size} B", sha256=sha256_of(str(file)))
        path.write_text(json.dumps(content))


def manifest_of(root: Path) -> Mapping[str, Any]:
    """Content of manifest.json."""
    return unseal((root / "manifest.json").read_bytes())


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, shard: str) -> None:
    """Has `verify` meet a shard that it may not read."""

    def refuse(path: str) -> Any:
        if path.endswith(shard):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return open_read(path)

    open_read = checksums.open_read
    monkeypatch.setattr(checksums, "open_read", refuse)
