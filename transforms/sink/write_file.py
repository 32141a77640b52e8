"""Writes the file of a shard in one thread or process.

This module does not import Beam, so that a process that writes whole shards starts quickly and stays small.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from maskmill.transforms.examples.crops import most_crops
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import PreparedImage, group_for, in_groups, prepare_examples

_BLOCK = 2**18


class GivenUpError(Exception):
    """The shard is not wanted any more."""


class WrittenFile(NamedTuple):
    """A complete file of a shard.

    Attributes:
        examples: number of examples in it.
        sha256: of the file, hexadecimal.
        rejected: images without an example in it, by their index in the shard's list of them; later ones are shifted
            down.
        overlaps: number of examples with pixels of several classes, and number of those pixels.
        pixel_sums, areas, valid_pixels: see `StoredShard`.
    """

    examples: int
    sha256: str
    rejected: dict[int, RejectedExample]
    overlaps: tuple[int, int]
    pixel_sums: tuple[int, ...]
    areas: tuple[int, ...]
    valid_pixels: int


def write_file(
    path: str,
    specs: Sequence[ExampleSpec],
    form: ExampleFormat,
    prepared: Iterable[PreparedImage],
    is_wanted: Callable[[], bool],
) -> WrittenFile:
    """Writes a shard's file, and reads it back for its sha256.

    Args:
        path: of the new file, local.
        specs: of the examples, in order.
        form: of the examples.
        prepared: the examples, in the same order.
        is_wanted: asked after each image.

    Raises:
        GivenUpError: the shard is not wanted any more.
        OSError: an image cannot be read, or the file cannot be written.
    """
    rejected: dict[int, RejectedExample] = {}
    overlaps: list[int] = []
    valid_pixels = 0
    with ShardFile(path, form, len(specs) * most_crops(form.crops)) as file:
        for index, of_image in enumerate(prepared):
            if isinstance(of_image, RejectedExample):
                rejected[index] = of_image
            else:
                for example in of_image:
                    file.append(example, specs[index].image_id)
                    overlaps.append(example.overlap)
                    valid_pixels += math.prod(example.view.valid.size) if form.records_views else 0
            if not is_wanted():
                raise GivenUpError
            PROGRESS.add(1)
    return WrittenFile(
        len(overlaps),
        _sha256_of(path),
        rejected,
        overlaps=(sum(map(bool, overlaps)), sum(overlaps)),
        pixel_sums=_add_up((one.pixel_sums for one in file.measures), 2 * form.channels),
        areas=_add_up((one.areas.tolist() for one in file.measures), form.num_areas),
        valid_pixels=valid_pixels,
    )


def write_sequentially(path: str, specs: Sequence[ExampleSpec], form: ExampleFormat) -> WrittenFile:
    """Writes a shard's file, one group of examples after the other.

    Args:
        path: of the new file, local. If it is removed meanwhile, the shard is not wanted any more.
        specs: of the examples, in order; their images are local.
        form: of the examples.

    Raises:
        GivenUpError: the file was removed.
        OSError: an image cannot be read, or the file cannot be written.
    """
    unread = ((spec, None) for spec in specs)
    groups = in_groups(unread, group_for(form, len(specs), workers=1, read=0))
    prepared = itertools.chain.from_iterable(prepare_examples(group, form) for group in groups)
    return write_file(path, specs, form, prepared, lambda: os.path.exists(path))


def _add_up(rows: Iterable[Sequence[int]], columns: int) -> tuple[int, ...]:
    """Adds up each column."""
    return tuple(map(sum, zip(*rows, strict=True))) or (0,) * columns


def _sha256_of(path: str) -> str:
    # Not with mmap: it is a tenth faster, but the whole shard would count as memory of the process.
    digest = hashlib.sha256()
    block = memoryview(bytearray(_BLOCK))
    with open(path, "rb", buffering=0) as file:
        while size := file.readinto(block):
            digest.update(block[:size])
    return digest.hexdigest()
