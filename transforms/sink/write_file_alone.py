"""A whole shard by one process: nothing but its examples' specifications goes there, and hardly anything comes back.

Like `prepare_examples` it does without Beam, so that a process for it begins quickly and is small.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Sequence
from typing import NamedTuple

from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import group_for, grouped, prepare_examples

_BLOCK = 2**18


class GivenUpError(Exception):
    """Nobody wants the shard any more."""


class WrittenFile(NamedTuple):
    """A shard's file that is whole.

    Attributes:
        sha256: of the file, hexadecimal.
        rejected: examples that are missing from it, by their index in the shard's list of examples; the others move up.
        overlaps: examples with pixels of several classes, and the number of these pixels.
    """

    sha256: str
    rejected: dict[int, RejectedExample]
    overlaps: tuple[int, int]


def sum_overlaps(pixels: Sequence[int]) -> tuple[int, int]:
    """Number of examples with overlaps, and of the pixels, of those of each example."""
    return sum(map(bool, pixels)), sum(pixels)


def write_alone(path: str, specs: Sequence[ExampleSpec], form: ExampleFormat) -> WrittenFile:
    """Writes a shard's file, one group of examples after the other.

    Args:
        path: of the new file, local; that somebody removes it means that nobody wants it.
        specs: of the examples, in order; their images are local.
        form: of the examples.

    Raises:
        GivenUpError: the file is gone.
        OSError: an image cannot be read, or the file not be written.
    """
    rejected: dict[int, RejectedExample] = {}
    overlaps: list[int] = []
    with ShardFile(path, form.label) as file:
        unread = ((spec, None) for spec in specs)
        groups = grouped(unread, group_for(form, len(specs), workers=1, read=0))
        prepared = itertools.chain.from_iterable(prepare_examples(group, form) for group in groups)
        for index, example in enumerate(prepared):
            if isinstance(example, RejectedExample):
                rejected[index] = example
            else:
                file.append(example, specs[index].image_id)
                overlaps.append(example.overlap)
            if not os.path.exists(path):
                raise GivenUpError
            PROGRESS.add(1)
    return WrittenFile(_sha256_of(path), rejected, sum_overlaps(overlaps))


def _sha256_of(path: str) -> str:
    # Not by a map of the file: that is a tenth faster, and counts as memory of the process, all of the shard.
    digest = hashlib.sha256()
    block = memoryview(bytearray(_BLOCK))
    with open(path, "rb", buffering=0) as file:
        while size := file.readinto(block):
            digest.update(block[:size])
    return digest.hexdigest()
