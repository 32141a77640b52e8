"""Computes the sha256 of files on any file system, while they are read or copied."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.paths import is_local
from maskmill.transforms.files.read_write import open_read

_BLOCK = 2**20


class HashedFile(NamedTuple):
    """A file that was read to its end.

    Attributes:
        file: the path of a local file; of another one an open local copy, which disappears when it is closed.
        sha256: of the content, hexadecimal.
    """

    file: str | BinaryIO
    sha256: str


def sha256_of(path: str, add: Callable[[int], object] = lambda _: None) -> str:
    """Returns the sha256 of a file, hexadecimal.

    Args:
        path: on any file system.
        add: called with the number of bytes of each block that was read.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
        add(len(block))
    return digest.hexdigest()


def _blocks(path: str) -> Iterator[bytes]:
    with as_os_error(path), open_read(path) as file:
        while block := file.read(_BLOCK):
            yield block


def copy_to_local(path: str, local: str) -> str:
    """Copies a file to a local path.

    Returns:
        the sha256 of what was copied, hexadecimal.

    Raises:
        OSError: the file cannot be read, or its copy cannot be written.
    """
    digest = hashlib.sha256()
    with open(local, "wb") as copy:
        for block in _blocks(path):
            digest.update(block)
            copy.write(block)
    return digest.hexdigest()


@contextlib.contextmanager
def open_hashed(path: str, add: Callable[[int], None]) -> Iterator[HashedFile]:
    """Hashes a file and provides it where HDF5 can open it, while the body runs.

    Args:
        path: on any file system.
        add: called with the number of bytes of each block that was read.

    Raises:
        OSError: the file cannot be read.
    """
    with contextlib.ExitStack() as stack:
        # A file without a name: nothing is left if the process is killed.
        copy = None if is_local(path) else stack.enter_context(tempfile.TemporaryFile())
        digest = hashlib.sha256()
        for block in _blocks(path):
            digest.update(block)
            add(len(block))
            if copy is not None:
                copy.write(block)
        yield HashedFile(copy or path, digest.hexdigest())
