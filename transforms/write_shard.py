"""Examples' specifications to the file of a shard.

Its images are decoded in order by a pool of threads, a bounded window ahead of the file. Of the shards that a process
writes at the same time one after the other has its turn to be decoded: so one is hashed, moved or uploaded while
another keeps the cores busy, and they do not all wait for the same.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeVar

from transforms.decode_examples import row_of
from transforms.example import ExampleFormat, ExampleSpec, make_planes
from transforms.files import read_bytes
from transforms.hdf5_file import EncodedExample, ShardFile, encode_example
from transforms.look_ahead import map_ahead, shared_pool, usable_cores
from transforms.progress import PROGRESS
from transforms.read_ahead import read_ahead
from transforms.rejected import DataError
from transforms.staging import RejectedExample

# What the examples ahead of the file may take, besides the decoding of one image in each thread.
LOOK_AHEAD_BYTES = 2**26
LOOK_AHEAD_PER_WORKER = 4

Item = TypeVar("Item")


def prepare_example(read: tuple[ExampleSpec, bytes | None], form: ExampleFormat) -> EncodedExample | DataError:
    """Decodes and encodes an example; what is wrong with its image or rows is data.

    Args:
        read: the example, and the bytes of its image; None where they are still to be read.
        form: of the example.
    """
    spec, data = read
    try:
        image, mask = make_planes(spec, read_bytes(spec.image.path) if data is None else data, form)
    except DataError as error:
        return error
    return encode_example(image, mask, form.label)


def window_for(form: ExampleFormat, workers: int) -> int:
    """Number of examples that may be ahead of the file."""
    height, width = form.size
    # The image, and about as much again for labels, which are compressed.
    return max(1, min(workers * LOOK_AHEAD_PER_WORKER, LOOK_AHEAD_BYTES // (2 * height * width)))


_turn = threading.Lock()


class GivenUpError(Exception):
    """Nobody wants the shard any more."""


def in_turn(items: Iterable[Item], turn: threading.Lock) -> Generator[Item, None, None]:
    """The items, while whoever else waits for the same turn gets none; only the first is fetched before the turn."""
    with contextlib.ExitStack() as stack:
        for index, item in enumerate(items):
            if index == 0:
                stack.enter_context(turn)
            yield item


def write_shard(
    path: str,
    specs: Sequence[ExampleSpec],
    form: ExampleFormat,
    workers: int | None,
    given_up: Callable[[], bool] = lambda: False,
) -> tuple[RejectedExample, ...]:
    """Writes a shard's file.

    Args:
        path: of the new file, local.
        specs: of the examples, in order.
        form: of the examples.
        workers: threads that decode; None is one a core.
        given_up: asked before each example whether to stop.

    Returns:
        the examples that are not in the file, in order: the others move up.

    Raises:
        GivenUpError: the answer was yes.
        OSError: an image cannot be read, or the file not be written.
    """
    workers = workers or usable_cores()
    prepare = functools.partial(prepare_example, form=form)
    rejected = []
    with (
        ShardFile(path, form.label) as file,
        contextlib.closing(read_ahead(specs)) as read,
        contextlib.closing(in_turn(read, _turn)) as turn,
        contextlib.closing(map_ahead(prepare, turn, shared_pool(workers), window_for(form, workers))) as prepared,
    ):
        for index, example in enumerate(prepared):
            if given_up():
                raise GivenUpError
            if isinstance(example, DataError):
                rejected.append(RejectedExample(index, row_of(example), example.code.value, example.message))
            else:
                file.append(example)
            PROGRESS.add(1)
    return tuple(rejected)
