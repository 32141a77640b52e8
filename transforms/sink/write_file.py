"""Writes the file of a shard, with a pool of threads or processes.

Either another process does everything, or this one writes the file while the pool decodes the images, in order and a
bounded window ahead of the file. In the second case the shards that are under way in this process are decoded one after
the other: while one is hashed, moved or uploaded, the next keeps the cores busy.
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
from maskmill.transforms.parallel.ticket_lock import Ticket, while_holding
from maskmill.transforms.shards.encode_example import EncodedExample
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import (
    Group,
    group_for,
    in_groups,
    prepare_examples,
    prepare_in_other_process,
)
from maskmill.transforms.sink.read_ahead import largest_read_ahead, read_ahead
from maskmill.transforms.sink.write_file_alone import GivenUpError, WrittenFile, sum_overlaps, write_sequentially

# Bounds the examples that are ahead of the file, without the memory that each thread needs to decode an image.
LOOK_AHEAD_BYTES = 2**26
LOOK_AHEAD_PER_WORKER = 4


def window_for(form: ExampleFormat, group: int, workers: int, read: int) -> int:
    """Returns the number of groups that may be ahead of the file.

    Args:
        form: of the examples.
        group: examples in a group.
        workers: threads or processes that decode.
        read: most bytes of an image file that is read ahead.
    """
    height, width = form.size
    # The image file, its pixels, and about as much again while it is passed on.
    ahead = (read + 2 * height * width) * group
    return max(1, min(workers * LOOK_AHEAD_PER_WORKER, LOOK_AHEAD_BYTES // ahead))


def write_with_pool(
    path: str,
    specs: Sequence[ExampleSpec],
    form: ExampleFormat,
    workers: int,
    given_up: Future[None],
    *,
    ticket: Ticket,
    processes: bool = False,
) -> WrittenFile:
    """Writes a shard's file while a pool decodes the images.

    Args:
        path: of the new file, local.
        specs: of the examples, in order.
        form: of the examples.
        workers: threads or processes that decode.
        given_up: done as soon as the shard is not wanted any more.
        ticket: the images are decoded while it is first in line.
        processes: whether processes decode instead of threads.

    Raises:
        GivenUpError: the shard is not wanted any more.
        OSError: an image cannot be read, or the file cannot be written.
        LostProcessError: a process that decodes was killed.
    """
    read_bytes = largest_read_ahead(specs)
    group = group_for(form, len(specs), workers, read_bytes)
    window = window_for(form, group, workers, read_bytes)
    rejected: dict[int, RejectedExample] = {}
    overlaps: list[int] = []
    with (
        losses_told(),
        ShardFile(path, form.label) as file,
        contextlib.closing(read_ahead(specs)) as read,
        contextlib.closing(while_holding(in_groups(read, group), ticket)) as groups,
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


def write_in_other_process(
    path: str, specs: Sequence[ExampleSpec], form: ExampleFormat, workers: int, given_up: Future[None]
) -> WrittenFile:
    """Writes a shard's file in one process of a pool; one without examples in this process.

    Args:
        path: of the new file, local; the process stops if the file is removed.
        specs: of the examples, in order; their images are local.
        form: of the examples.
        workers: processes of the pool.
        given_up: done as soon as the shard is not wanted any more.

    Raises:
        GivenUpError: the shard is not wanted any more.
        OSError: an image cannot be read, or the file cannot be written.
        LostProcessError: the process was killed.
    """
    if not specs:
        return write_sequentially(path, specs, form)
    with losses_told():
        written = process_pool(workers).submit(write_sequentially, path, specs, form)
        ends: list[Future[Any]] = [written, given_up]
        wait(ends, return_when=FIRST_COMPLETED)
        if given_up.done():
            written.cancel()
            raise GivenUpError
        return written.result()


def _prepare(
    groups: Iterable[Group], form: ExampleFormat, workers: int, group: int, window: int, *, processes: bool
) -> Generator[EncodedExample | RejectedExample, None, None]:
    """Yields the encoded examples; each has to be used before the next is asked for."""
    if not processes:
        prepare = functools.partial(prepare_examples, form=form)
        yield from itertools.chain.from_iterable(map_ahead(prepare, groups, shared_pool(workers), window))
        return
    # A group takes the slots of the group whose examples are used when it is begun.
    with_slots = ((number % window * group, one) for number, one in enumerate(groups))
    with SharedImages(form.size, window * group) as images:
        prepare_there = functools.partial(prepare_in_other_process, form=form, path=images.path)
        with contextlib.closing(map_ahead(prepare_there, with_slots, process_pool(workers), window)) as prepared:
            for number, members in enumerate(prepared):
                for slot, example in enumerate(members, number % window * group):
                    if isinstance(example, EncodedExample):
                        yield example._replace(image=images.take(slot))
                    else:
                        yield example
