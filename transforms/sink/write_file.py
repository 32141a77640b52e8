"""Examples' specifications to the file of a shard.

Either another process does all of it, or this one writes the file, and the images are decoded in order by a pool of
processes or threads, a bounded window ahead of the file. Then, of the shards that this process writes at the same time,
one after the other has its turn to be decoded: so one is hashed, moved or uploaded while another keeps the cores busy,
and they do not all wait for the same.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool
from maskmill.transforms.parallel.process_pool import losses_told, process_pool
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.parallel.shared_images import SharedImages
from maskmill.transforms.parallel.turns import Turn, in_turn
from maskmill.transforms.shards.encode_example import EncodedExample
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import (
    Group,
    group_for,
    grouped,
    prepare_elsewhere,
    prepare_examples,
)
from maskmill.transforms.sink.read_ahead import bytes_ahead, read_ahead
from maskmill.transforms.sink.write_file_alone import GivenUpError, WrittenFile, sum_overlaps, write_alone

# What the examples ahead of the file may take, besides the decoding of one image in each thread.
LOOK_AHEAD_BYTES = 2**26
LOOK_AHEAD_PER_WORKER = 4


def window_for(form: ExampleFormat, group: int, workers: int, read: int) -> int:
    """Number of groups that may be ahead of the file; `read` bytes, at most, are there of an image before."""
    height, width = form.size
    # What was read of it, the image, and about as much again on its way.
    ahead = (read + 2 * height * width) * group
    return max(1, min(workers * LOOK_AHEAD_PER_WORKER, LOOK_AHEAD_BYTES // ahead))


def write_shard(
    path: str,
    specs: Sequence[ExampleSpec],
    form: ExampleFormat,
    workers: int,
    given_up: Future[None],
    *,
    turn: Turn,
    processes: bool = False,
) -> WrittenFile:
    """Writes a shard's file, for which images are decoded by a pool.

    Args:
        path: of the new file, local.
        specs: of the examples, in order.
        form: of the examples.
        workers: threads or processes that decode.
        given_up: done when nobody wants the shard any more.
        turn: in which the images are decoded.
        processes: whether it is processes that decode.

    Raises:
        GivenUpError: nobody wants it.
        OSError: an image cannot be read, or the file not be written.
        LostProcessError: a process that decodes was killed.
    """
    read_bytes = bytes_ahead(specs)
    group = group_for(form, len(specs), workers, read_bytes)
    window = window_for(form, group, workers, read_bytes)
    rejected: dict[int, RejectedExample] = {}
    overlaps: list[int] = []
    with (
        losses_told(),
        ShardFile(path, form.label) as file,
        contextlib.closing(read_ahead(specs)) as read,
        contextlib.closing(in_turn(grouped(read, group), turn)) as groups,
        contextlib.closing(_prepare(groups, form, workers, group, window, processes=processes)) as prepared,
    ):
        for index, example in enumerate(prepared):
            if given_up.done():
                raise GivenUpError
            if isinstance(example, RejectedExample):
                rejected[index] = example
            else:
                file.append(example, specs[index].image_id)
                overlaps.append(example.overlap)
            PROGRESS.add(1)
    return WrittenFile(sha256_of(path), rejected, sum_overlaps(overlaps))


def write_elsewhere(
    path: str, specs: Sequence[ExampleSpec], form: ExampleFormat, workers: int, given_up: Future[None]
) -> WrittenFile:
    """Has one of a pool of processes write a shard's file, unless it is empty.

    Args:
        path: of the new file, local; a process that finds it gone stops.
        specs: of the examples, in order; their images are local.
        form: of the examples.
        workers: processes of the pool.
        given_up: done when nobody wants the shard any more.

    Raises:
        GivenUpError: nobody wants it.
        OSError: an image cannot be read, or the file not be written.
        LostProcessError: a process was killed.
    """
    if not specs:
        return write_alone(path, specs, form)
    with losses_told():
        written = process_pool(workers).submit(write_alone, path, specs, form)
        ends: list[Future[Any]] = [written, given_up]
        wait(ends, return_when=FIRST_COMPLETED)
        if given_up.done():
            written.cancel()
            raise GivenUpError
        return written.result()


def _prepare(
    groups: Iterable[Group], form: ExampleFormat, workers: int, group: int, window: int, *, processes: bool
) -> Generator[EncodedExample | RejectedExample, None, None]:
    """The examples, ready for the file, each to be used before the next is asked for."""
    if not processes:
        prepare = functools.partial(prepare_examples, form=form)
        yield from itertools.chain.from_iterable(map_ahead(prepare, groups, shared_pool(workers), window))
        return
    # A group has the place of the one that was done with when it was begun.
    placed = ((number % window * group, one) for number, one in enumerate(groups))
    with SharedImages(form.size, window * group) as images:
        prepare_there = functools.partial(prepare_elsewhere, form=form, path=images.path)
        with contextlib.closing(map_ahead(prepare_there, placed, process_pool(workers), window)) as prepared:
            for number, members in enumerate(prepared):
                for place, example in enumerate(members, number % window * group):
                    if isinstance(example, EncodedExample):
                        yield example._replace(image=images.take(place))
                    else:
                        yield example
