"""Yardstick: the best plain program for the same bytes, a process a core and a loop in each, without Beam.

    python -m tests.benchmarks.bare_loop --params FILE --output_dir DIR [--num_output_files N]

It does what maskmill does to the pixels, with the same functions, and nothing else: no listing of the folder, no
staging, no checksums, no metadata, no way to go on after a crash. All but the reading of the CSV is done in the
processes, one for each core that this one may use; a core is idle only while the last shards are written. As maskmill
does, it has the disk take each shard while others are made: what memory still holds at the end is not written yet.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import group_for, in_groups, prepare_examples
from tests.benchmarks.shard_plan import PlannedShard, make_folders, parse_arguments, plan_shards, spec_of


def write_shard(shard: PlannedShard) -> str:
    """Reads, decodes, resizes, labels, compresses and appends a shard's examples, in groups; gives its path."""
    with ShardFile(shard.path, shard.form) as file:
        for group in in_groups(shard.examples, group_for(shard.form, len(shard.examples), workers=1, read=0)):
            specs = [spec_of(example) for example in group]
            prepared = prepare_examples([(spec, None) for spec in specs], shard.form)
            for spec, of_image in zip(specs, prepared, strict=True):
                assert not isinstance(of_image, RejectedExample)
                file.append(of_image[0], spec.image_id)
    return shard.path


def sync(path: str) -> None:
    """Has the disk take a file."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _keep_blas_to_one_thread() -> None:
    threadpool_limits(1, user_api="blas")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the program."""
    arguments = parse_arguments(__doc__ or "", argv)
    shards = plan_shards(arguments.params, arguments.output_dir, arguments.num_output_files)
    make_folders(shards)
    # The largest first, so that the cores are done at about the same time.
    shards.sort(key=lambda shard: len(shard.examples), reverse=True)
    with multiprocessing.Pool(usable_cores(), _keep_blas_to_one_thread) as pool:
        for path in pool.imap_unordered(write_shard, shards):
            sync(path)


if __name__ == "__main__":
    main()
