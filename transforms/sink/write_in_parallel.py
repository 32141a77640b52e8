"""Writes the file of a shard: threads of this process share the work, or another process does it alone.

Threads decode the images in order and a bounded window ahead of the file. The shards that are under way in this process
are decoded one after the other: while one is hashed, moved or uploaded, the next keeps the cores busy.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool
from maskmill.transforms.parallel.process_pool import losses_told, process_pool
from maskmill.transforms.parallel.ticket_lock import Ticket, while_holding
from maskmill.transforms.sink.prepare_examples import bytes_of_image, group_for, in_groups, prepare_examples
from maskmill.transforms.sink.read_ahead import largest_read_ahead, read_ahead
from maskmill.transforms.sink.write_file import GivenUpError, WrittenFile, write_file, write_sequentially

# Bounds the examples that are ahead of the file, without the memory that each thread needs to decode an image.
LOOK_AHEAD_BYTES = 2**26
LOOK_AHEAD_PER_WORKER = 4


def window_for(form: ExampleFormat, group: int, workers: int, read: int) -> int:
    """Returns the number of groups that may be ahead of the file.

    Args:
        form: of the examples.
        group: images in a group.
        workers: threads that decode.
        read: most bytes of an image file that is read ahead.
    """
    # The image file, its pixels, and about as much again while it is passed on.
    ahead = (read + 2 * bytes_of_image(form)) * group
    return max(1, min(workers * LOOK_AHEAD_PER_WORKER, LOOK_AHEAD_BYTES // ahead))


def write_with_threads(
    path: str,
    specs: Sequence[ExampleSpec],
    form: ExampleFormat,
    given_up: Future[None],
    *,
    workers: int,
    ticket: Ticket,
) -> WrittenFile:
    """Writes a shard's file while threads decode the images.

    Args:
        path: of the new file, local.
        specs: of the examples, in order.
        form: of the examples.
        given_up: done as soon as the shard is not wanted any more.
        workers: threads that decode.
        ticket: the images are decoded while it is first in line.

    Raises:
        GivenUpError: the shard is not wanted any more.
        OSError: an image cannot be read, or the file cannot be written.
    """
    read_bytes = largest_read_ahead(specs)
    group = group_for(form, len(specs), workers, read_bytes)
    window = window_for(form, group, workers, read_bytes)
    prepare = functools.partial(prepare_examples, form=form)
    with (
        contextlib.closing(read_ahead(specs)) as read,
        contextlib.closing(while_holding(in_groups(read, group), ticket)) as groups,
        contextlib.closing(map_ahead(prepare, groups, shared_pool(workers), window)) as prepared,
    ):
        examples = itertools.chain.from_iterable(prepared)
        return write_file(path, specs, form, examples, lambda: not given_up.done())


def write_in_other_process(
    path: str, specs: Sequence[ExampleSpec], form: ExampleFormat, given_up: Future[None], *, processes: int
) -> WrittenFile:
    """Writes a shard's file in one process of a pool.

    Args:
        path: of the new file, local; the process stops if the file is removed.
        specs: of the examples, in order; their images are local.
        form: of the examples.
        given_up: done as soon as the shard is not wanted any more.
        processes: number of them in the pool.

    Raises:
        GivenUpError: the shard is not wanted any more.
        OSError: an image cannot be read, or the file cannot be written.
        LostProcessError: the process was killed.
    """
    with losses_told():
        written = process_pool(processes).submit(write_sequentially, path, specs, form)
        ends: list[Future[Any]] = [written, given_up]
        wait(ends, return_when=FIRST_COMPLETED)
        if given_up.done():
            written.cancel()
            raise GivenUpError
        return written.result()
