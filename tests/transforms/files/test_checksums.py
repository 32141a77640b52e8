"""Files are hashed while they are read or copied."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import pytest

from maskmill.transforms.files import checksums
from maskmill.transforms.files.checksums import copy_to_local, open_hashed, sha256_of

CONTENT = bytes(range(256)) * (5 * 2**12)  # several blocks, and a part of one
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(name="path")
def write_file(tmp_path: Path) -> Path:
    (tmp_path / "a").write_bytes(CONTENT[:-1])
    (tmp_path / "a").write_bytes(CONTENT)
    return tmp_path / "a"


def test_the_sha256_is_that_of_the_whole_file(path: Path) -> None:
    assert sha256_of(str(path)) == SHA256
    counts: list[int] = []
    assert sha256_of(str(path), counts.append) == SHA256
    assert sum(counts) == len(CONTENT)


def test_a_copy_comes_with_the_sha256_of_what_was_copied(path: Path, tmp_path: Path) -> None:
    assert copy_to_local(str(path), str(tmp_path / "copy")) == SHA256
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_a_local_file_is_hashed_where_it_is(path: Path) -> None:
    sizes: list[int] = []
    with open_hashed(str(path), sizes.append) as hashed:
        assert hashed == (str(path), SHA256)
    assert sum(sizes) == len(CONTENT)
    assert len(sizes) > 1


def test_hdf5_can_open_the_copy_of_a_file_that_is_not_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["numbers"] = range(5)
    monkeypatch.setattr(checksums, "is_local", lambda _: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with open_hashed(str(tmp_path / "a.h5"), lambda _: None) as hashed:
        assert hashed.sha256 == hashlib.sha256((tmp_path / "a.h5").read_bytes()).hexdigest()
        assert list((tmp_path / "tmp").iterdir()) == []  # without a name
        with h5py.File(hashed.file) as copy:
            assert list(copy["numbers"]) == [0, 1, 2, 3, 4]
    assert not isinstance(hashed.file, str)
    assert hashed.file.closed


def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path) -> None:
    for read in (sha256_of, lambda path: copy_to_local(path, str(tmp_path / "copy"))):
        with pytest.raises(FileNotFoundError, match="gone"):
            read(str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError), open_hashed(str(tmp_path / "gone"), lambda _: None):
        pass
