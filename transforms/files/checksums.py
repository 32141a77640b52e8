"""A file read from its first byte to its last, and left where HDF5 can open it."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.paths import is_local
from maskmill.transforms.files.read_write import open_read

BLOCK = 2**20


class Fetched(NamedTuple):
    """A file that was read.

    Attributes:
        file: its path where it is local; otherwise a local copy, open, which is gone when it is closed.
        sha256: hexadecimal.
    """

    file: str | BinaryIO
    sha256: str


def sha256_of(path: str) -> str:
    """sha256 of a file, hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def _blocks(path: str) -> Iterator[bytes]:
    with as_os_error(path), open_read(path) as file:
        while block := file.read(BLOCK):
            yield block


def copy_here(path: str, local: str) -> str:
    """Copies a file to a local path.

    Returns:
        the sha256 of what was copied, hexadecimal.

    Raises:
        OSError: it cannot be read, or the copy not be written.
    """
    digest = hashlib.sha256()
    with open(local, "wb") as copy:
        for block in _blocks(path):
            digest.update(block)
            copy.write(block)
    return digest.hexdigest()


@contextlib.contextmanager
def fetch(path: str, add: Callable[[int], None]) -> Iterator[Fetched]:
    """Reads a file, block by block.

    Args:
        path: on any file system.
        add: told of the bytes that were read.

    Raises:
        OSError: it cannot be read.
    """
    with contextlib.ExitStack() as stack:
        # Without a name: nothing is left when the process is killed.
        copy = None if is_local(path) else stack.enter_context(tempfile.TemporaryFile())
        digest = hashlib.sha256()
        for block in _blocks(path):
            digest.update(block)
            add(len(block))
            if copy is not None:
                copy.write(block)
        yield Fetched(copy or path, digest.hexdigest())
