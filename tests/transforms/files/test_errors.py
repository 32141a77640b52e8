"""Errors of every file system are OSErrors that name the file."""

from __future__ import annotations

import errno

import pytest

from maskmill.transforms.files.errors import as_os_error


def test_an_error_of_an_open_file_gets_its_name() -> None:
    with pytest.raises(OSError, match="No space left") as caught, as_os_error("/data/a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/data/a")


def test_the_kind_of_an_error_stays() -> None:
    with pytest.raises(IsADirectoryError), as_os_error("/data/a"):
        raise OSError(errno.EISDIR, "Is a directory")


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file", "b"), OSError("gs://a: cannot be read")])
def test_an_error_that_says_enough_passes_unchanged(error: OSError) -> None:
    with pytest.raises(OSError, match=r"No such|cannot be") as caught, as_os_error("/data/a"):
        raise error
    assert caught.value is error


def test_an_error_of_a_client_library_names_the_object_and_keeps_its_cause() -> None:
    with pytest.raises(OSError, match="gs://bucket/a: quota") as caught, as_os_error("gs://bucket/a"):
        raise RuntimeError("quota exceeded")
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(OSError, match="gs://bucket/a: bad"), as_os_error("gs://bucket/a"):
        raise ValueError("bad name")


def test_a_local_path_that_cannot_exist_stays_a_value_error() -> None:
    with pytest.raises(ValueError, match="null byte"), as_os_error("/data/\0"):
        open("/data/\0", "rb")  # noqa: SIM115
