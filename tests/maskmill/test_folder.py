"""The folder of a dataset: what is in it, now."""

from __future__ import annotations

import gc
import io
import os
import weakref
from pathlib import Path
from typing import Any

import pytest

from maskmill import DatasetError, open_dataset
from maskmill.folder import folder_of
from tests.support.datasets import SHARD


@pytest.mark.parametrize("root", ["{dataset}", "memory://dataset"])
def test_a_file_is_no_dataset(dataset: Path, root: str) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem().pipe("/dataset/manifest.json", (dataset / "manifest.json").read_bytes())
    with pytest.raises(DatasetError, match=r"/manifest\.json is a file; name the folder of a dataset"):
        open_dataset(f"{root.format(dataset=dataset)}/manifest.json")


def test_a_file_that_goes_while_its_folder_is_listed_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stays").write_bytes(b"12")
    (tmp_path / "goes").touch()
    scandir = os.scandir

    def scan(path: str) -> Any:
        entries = scandir(path)
        listed = list(entries)
        (tmp_path / "goes").unlink()
        return _Closing(listed)

    monkeypatch.setattr(os, "scandir", scan)
    assert folder_of(str(tmp_path)).list("") == {"stays": 2}


class _Closing(list[Any]):
    """Entries as `os.scandir` gives them."""

    def __enter__(self) -> _Closing:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to close."""


def test_opening_lists_each_folder_once(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(os.path.relpath(path, dataset)) or scandir(path))
    open_dataset(dataset)
    assert listed == [".", "train_input", "eval_input"]


def test_listings_that_a_file_system_keeps_are_not_believed(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    def keep(files: MemoryFileSystem, path: str, **options: Any) -> Any:
        if path not in kept:
            kept[path] = list_anew(files, path, **options)
        return kept[path]

    # As the file systems of object stores do.
    kept: dict[str, Any] = {}
    list_anew = MemoryFileSystem.ls
    files = MemoryFileSystem()
    files.put(str(dataset), "/kept", recursive=True)
    monkeypatch.setattr(MemoryFileSystem, "ls", keep)
    monkeypatch.setattr(MemoryFileSystem, "invalidate_cache", lambda _, path=None: kept.pop(path, None))
    assert len(open_dataset("memory://kept")) == 5
    files.rm_file(f"/kept/{SHARD}")
    with pytest.raises(DatasetError, match=f"{SHARD}: is missing"):
        open_dataset("memory://kept")


def test_a_forked_process_leaves_the_clients_of_its_parent_alone(tmp_path: Path) -> None:
    import fsspec
    from fsspec.implementations.memory import MemoryFileSystem

    class Client(MemoryFileSystem):
        """Closes its connections in the end, as those of object stores do."""

        protocol = "connected"

        def __init__(self) -> None:
            super().__init__()
            weakref.finalize(self, (tmp_path / "closed").touch)

    fsspec.register_implementation("connected", Client, clobber=True)
    folder_of("connected://dataset")
    child = os.fork()
    if not child:
        folder_of("connected://dataset")
        gc.collect()
        os._exit((tmp_path / "closed").exists())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("size", [0, 9, 10, 95])
def test_hdf5_reads_a_remote_file_in_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    content = bytes(range(size))
    MemoryFileSystem().pipe("/blocks/file", content)
    monkeypatch.setattr("maskmill.remote_folder._BLOCK_BYTES", 10)
    opened = folder_of("memory://blocks").open("file")
    file, expected = opened.for_hdf5(), io.BytesIO(content)
    for offset, length in ((0, 4), (3, 30), (60, 10), (0, 1), (95, 5), (94, 5), (7, 200), (50, 3)):
        assert file.seek(offset) == expected.seek(offset)
        assert file.read(length) == expected.read(length)
        assert file.tell() == max(expected.tell(), offset)
    assert file.seek(-min(3, size), os.SEEK_END) == expected.seek(-min(3, size), os.SEEK_END)
    assert file.read() == expected.read()


def test_a_remote_file_that_is_shorter_than_what_is_read(dataset: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem().put(str(dataset), "/shorter", recursive=True)
    examples = open_dataset("memory://shorter")
    assert examples.read([0, 1]).image_ids == ["a.jpg", "c.jpg"]
    MemoryFileSystem().pipe(f"/shorter/{SHARD}", b"another")
    with pytest.raises(DatasetError, match=f"{SHARD}: example 0 cannot be read: it ends before byte "):
        examples.read([1, 0])
