"""What each step of an example costs: time of a core, in one thread that does nothing else.

    python -m tests.benchmarks.steps DATA EXAMPLES REPEATS

The functions of maskmill are called one after the other on groups of examples, as it calls them itself.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.make_example import make_mask
from maskmill.transforms.examples.resize import resize_bicubic
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.examples.view import view_of
from maskmill.transforms.shards.encode_example import encode_example
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.sink.prepare_examples import group_for, in_groups
from tests.benchmarks.shard_plan import first_specs, form_of_size

SIZES = ((256, 256), (256, 1600))
READ, DECODE, RESIZE, MASK, ENCODE, WRITE, SHA256 = (
    "read the image file",
    "decode the JPEG",
    "resize the image",
    "draw and resize the mask",
    "compress the label, and measure",
    "write to HDF5",
    "sha256 of the file",
)
STEPS = (READ, DECODE, RESIZE, MASK, ENCODE, WRITE, SHA256)
# Bytes that are hashed at a time.
_BLOCK = 2**18


class Stopwatch:
    """Time that this thread has had a core, in seconds, by step."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STEPS, 0.0)

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Adds the time of the body to a step."""
        started = time.thread_time()
        yield
        self.seconds[step] += time.thread_time() - started


def time_steps(specs: list[ExampleSpec], form: ExampleFormat, path: str) -> dict[str, float]:
    """Makes a shard of examples; returns the microseconds of each step, for an example."""
    watch = Stopwatch()
    with watch.of(WRITE):
        file = ShardFile(path, form)
    with file:
        for group in in_groups(specs, group_for(form, len(specs), workers=1, read=0)):
            with watch.of(READ):
                contents = [Path(spec.image.path).read_bytes() for spec in group]
            with watch.of(DECODE):
                decoded = [decode_grey(content) for content in contents]
            with watch.of(RESIZE):
                images = [np.ascontiguousarray(resize_bicubic(pixels, *form.resized))[np.newaxis] for pixels in decoded]
            with watch.of(MASK):
                views = [view_of(one.shape, form.resized) for one in decoded]
                masks = [make_mask(spec.rows, one.shape, form) for spec, one in zip(group, decoded, strict=True)]
            with watch.of(ENCODE):
                encoded = [encode_example(*parts, form) for parts in zip(images, masks, views, strict=True)]
            with watch.of(WRITE):
                for spec, example in zip(group, encoded, strict=True):
                    file.append(example, spec.image_id)
        closing = time.thread_time()
    watch.seconds[WRITE] += time.thread_time() - closing
    with watch.of(SHA256), open(path, "rb") as written:
        digest = hashlib.sha256()
        while block := written.read(_BLOCK):
            digest.update(block)
    return {step: seconds / len(specs) * 1e6 for step, seconds in watch.seconds.items()}


def main() -> None:
    """Prints a JSON list: for each size, the median of each step's microseconds."""
    data, examples, repeats = sys.argv[1:]
    threadpool_limits(1, user_api="blas")
    specs = first_specs(Path(data), int(examples))
    found: dict[tuple[int, int], list[dict[str, float]]] = {size: [] for size in SIZES}
    # Once more than is counted: the first time, images come from the disk, and tables are computed.
    for _, size in itertools.product(range(1 + int(repeats)), SIZES):
        with tempfile.TemporaryDirectory() as name:
            found[size].append(time_steps(specs, form_of_size(size), f"{name}/a.h5"))
    medians = {size: {step: median(one[step] for one in turns[1:]) for step in STEPS} for size, turns in found.items()}
    print(json.dumps([{"size": size, "microseconds": steps} for size, steps in medians.items()]))


if __name__ == "__main__":
    main()
