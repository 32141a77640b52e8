"""A whole shard by one process: nothing but its examples' specifications goes there, and hardly anything comes back.

Like `prepare_examples` it does without Beam, so that a process for it begins quickly and is small.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Sequence
from typing import NamedTuple

from transforms.example import ExampleFormat, ExampleSpec
from transforms.hdf5_file import ShardFile
from transforms.prepare_examples import RefusedExample, prepare_examples
from transforms.progress import PROGRESS


class GivenUpError(Exception):
    """Nobody wants the shard any more."""


class WrittenFile(NamedTuple):
    """A shard's file that is whole.

    Attributes:
        sha256: of the file, hexadecimal.
        refused: the examples that are not in it, by their index among those that it was to hold; the others move up.
    """

    sha256: str
    refused: dict[int, RefusedExample]


def write_alone(path: str, specs: Sequence[ExampleSpec], form: ExampleFormat) -> WrittenFile:
    """Writes a shard's file, one example after the other.

    Args:
        path: of the new file, local; that somebody removes it means that nobody wants it.
        specs: of the examples, in order; their images are local.
        form: of the examples.

    Raises:
        GivenUpError: the file is gone.
        OSError: an image cannot be read, or the file not be written.
    """
    refused = {}
    with ShardFile(path, form.label) as file:
        for index, spec in enumerate(specs):
            (example,) = prepare_examples([(spec, None)], form)
            if isinstance(example, RefusedExample):
                refused[index] = example
            else:
                file.append(example, spec.image_id)
            if not os.path.exists(path):
                raise GivenUpError
            PROGRESS.add(1)
    return WrittenFile(_sha256_of(path), refused)


def _sha256_of(path: str) -> str:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return hashlib.sha256(content).hexdigest()
