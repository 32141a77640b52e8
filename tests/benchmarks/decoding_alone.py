"""Yardstick: decoding alone, the same JPEGs through maskmill's decoder in a process a core, and nothing else.

    python -m tests.benchmarks.decoding_alone --params FILE --output_dir DIR [--num_output_files N]

The bytes of each image are read and decoded to grey levels, which are thrown away: nothing is resized, no mask is
drawn, nothing is written. No program that decodes every image with this decoder is faster.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path

from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.rejected import DataError
from tests.benchmarks.shard_plan import parse_arguments, plan_shards

# Paths that a process gets at a time.
_PATHS = 16


def decode(path: str) -> None:
    """Reads and decodes an image.

    Raises:
        ValueError: it cannot be decoded. (A `DataError` does not come through to the process that waits.)
    """
    try:
        decode_grey(Path(path).read_bytes())
    except DataError as error:
        raise ValueError(f"{path}: {error.message}") from None


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the program."""
    arguments = parse_arguments(__doc__ or "", argv)
    shards = plan_shards(arguments.params, arguments.output_dir, arguments.num_output_files)
    paths = [example.path for shard in shards for example in shard.examples]
    with multiprocessing.Pool(usable_cores()) as pool:
        for _ in pool.imap_unordered(decode, paths, _PATHS):
            pass


if __name__ == "__main__":
    main()
