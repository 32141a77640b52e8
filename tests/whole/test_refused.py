"""What `maskmill verify --quick` calls damaged is not opened either, and all else is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskmill import DatasetError, open_dataset
from maskmill.folder import folder_of
from maskmill.pipeline.cli import main
from tests.support.datasets import EMPTY, SHARD, copy_of, edit_text, reseal, write_original

MANIFEST = "manifest.json"
Damage = Callable[[Path], object]


def remove(path: str) -> Damage:
    return lambda root: (root / path).unlink()


def touch(path: str) -> Damage:
    return lambda root: (root / path).touch()


def replace(old: str, new: str) -> Damage:
    def do(root: Path) -> None:
        text = (root / MANIFEST).read_text()
        assert old in text
        (root / MANIFEST).write_text(text.replace(old, new, 1))

    return do


def edit(change: Callable[[dict[str, Any]], object]) -> Damage:
    return lambda root: reseal(root, change)


def drop_shard(manifest: dict[str, Any]) -> None:
    manifest["splits"]["train_input"]["shards"].pop()


def make_a_file_of_a_split(root: Path) -> None:
    shutil.rmtree(root / "eval_input")
    (root / "eval_input").touch()


def link_to_nowhere(root: Path) -> None:
    (root / SHARD).unlink()
    (root / SHARD).symlink_to(root / "nowhere")


def cut_off(root: Path) -> None:
    os.truncate(root / SHARD, 100)


OURS: dict[str, Damage] = {
    "shard missing": remove(SHARD),
    "shard of the other split missing": remove(EMPTY),
    "folder of the other split missing": lambda root: shutil.rmtree(root / "eval_input"),
    "folder is a file": make_a_file_of_a_split,
    "shard cut off": cut_off,
    "shard a link to nowhere": link_to_nowhere,
    "stray shard": touch("train_input/preprocessed_data-9_p0.h5"),
    "stray shard of the other split": touch("eval_input/preprocessed_data-9_p0.h5"),
    "attempt beside": touch("manifest.json.0f.attempt"),
    "attempt in a split": touch("train_input/x.0f.attempt"),
    "list missing": remove("meta_train_input.dat"),
    "list of the other split missing": remove("meta_eval_input.dat"),
    "parameters missing": remove("data_params.json"),
    "rejected records missing": remove("rejected.jsonl"),
    "manifest missing": remove(MANIFEST),
    "manifest cut off": lambda root: os.truncate(root / MANIFEST, 1000),
    "manifest empty": lambda root: os.truncate(root / MANIFEST, 0),
    "manifest edited": replace('"shared_images": 0', '"shared_images": 1'),
    "manifest with a blank more": replace('"shared_images": 0', '"shared_images":  0'),
    "seal edited": replace('"sha256": "', '"sha256": "0'),
    "shard not listed": edit(drop_shard),
    "split without its key": edit(lambda manifest: manifest["splits"]["eval_input"].pop("shards")),
    "no rows": edit(lambda manifest: manifest.pop("rows")),
    "rows do not add up": edit(lambda manifest: manifest["rows"].update(read=10)),
    "sum of bytes": edit(lambda manifest: manifest["splits"]["eval_input"].update(bytes=1)),
    "nothing but a staging folder": lambda root: (shutil.rmtree(root), (root / ".staging").mkdir(parents=True)),
    "empty folder": lambda root: (shutil.rmtree(root), root.mkdir()),
}
HARMLESS: dict[str, Damage] = {
    "nothing": lambda root: None,
    "files of somebody else": lambda root: [
        (root / name).touch()
        for name in ("notes.txt", "preprocessed_data-9_p0.h5", "train_input/x.h5", "train_input/mine-0_p0.h5")
    ],
    "link to nowhere beside": lambda root: (root / "link").symlink_to(root / "nowhere"),
    "link to nowhere in a split": lambda root: (root / "train_input" / "link").symlink_to(root / "nowhere"),
    "staging folder of a run": lambda root: (root / ".staging" / "key.attempt").mkdir(parents=True),
    "further keys": edit(lambda manifest: manifest.update(new=1)),
    "parameters edited": lambda root: edit_text(root, "data_params.json", '"n_docs": 3', '"n_docs": 2'),
}
ORIGINAL: dict[str, Damage] = {
    "shard missing": remove(SHARD),
    "shard of the other split missing": remove(EMPTY),
    "stray shard": touch("train_input/preprocessed_data-9_p0.h5"),
    "stray shard of the other split": touch("eval_input/preprocessed_data-9_p0.h5"),
    "list missing": remove("meta_train_input.dat"),
    "list of the other split missing": remove("meta_eval_input.dat"),
    "list damaged": lambda root: (root / "meta_eval_input.dat").write_text("what is this\n"),
}
HARMLESS_ORIGINAL: dict[str, Damage] = {"nothing": lambda root: None, "notes": touch("train_input/notes.txt")}


def assert_judged_alike(root: Path, *, damaged: bool) -> None:
    assert main(["verify", str(root), "--quick", "--quiet"]) == (4 if damaged else 0)
    if damaged:
        with pytest.raises(DatasetError, match=str(root)):
            open_dataset(root)
    else:
        assert len(open_dataset(root)) > 0


@pytest.mark.parametrize("case", [*OURS, *HARMLESS])
def test_what_verify_calls_damaged_is_not_opened(dataset: Path, tmp_path: Path, case: str) -> None:
    root = copy_of(dataset, tmp_path)
    {**OURS, **HARMLESS}[case](root)
    assert_judged_alike(root, damaged=case in OURS)


@pytest.mark.parametrize("case", [*ORIGINAL, *HARMLESS_ORIGINAL])
def test_nor_is_an_original_that_verify_calls_damaged(tmp_path: Path, case: str) -> None:
    root = write_original(tmp_path / "original")
    {**ORIGINAL, **HARMLESS_ORIGINAL}[case](root)
    assert_judged_alike(root, damaged=case in ORIGINAL)


def test_a_manifest_that_goes_while_it_is_opened(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_away(*_: object) -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(type(folder_of(str(dataset))), "read", taken_away)
    with pytest.raises(DatasetError, match="a run is replacing the dataset; wait until it ends"):
        open_dataset(dataset)


def of_a_later_version(manifest: dict[str, Any]) -> None:
    manifest.update(format_version=99)


MESSAGES: dict[str, tuple[Damage, str]] = {
    "missing": (remove(SHARD), f"/{SHARD}: is missing; copy the dataset again, or make it again"),
    "two": (lambda root: (remove(SHARD)(root), remove(EMPTY)(root)), f"/{SHARD}: is missing, and 1 more like that;"),
    "cut off": (cut_off, f"/{SHARD}: has 100 bytes instead of"),
    "unfinished": (remove(MANIFEST), "a run is still at work, or was interrupted; wait until it ends, or run the same"),
    "nothing": (shutil.rmtree, "no dataset in"),
    "changed": (replace('"shared_images": 0', '"shared_images": 1'), f"/{MANIFEST} is damaged (it was changed after"),
    "later": (edit(of_a_later_version), "format version 99, and this maskmill knows none above"),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_it_is_said_what_is_wrong_and_what_to_do(dataset: Path, tmp_path: Path, case: str) -> None:
    damage, message = MESSAGES[case]
    root = copy_of(dataset, tmp_path)
    damage(root)
    with pytest.raises(DatasetError, match=str(root)) as caught:
        open_dataset(root)
    assert message in str(caught.value)
