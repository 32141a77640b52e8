"""Yardstick: what `create_hdf5_files.py` does with an example, with numpy and Pillow in place of torch.

    python -m tests.benchmarks.original_way --params FILE --output_dir DIR [--num_output_files N]

An image is decoded by Pillow; a mask is drawn in int32 by a loop over its runs; both are resized in float32; arrays are
written by h5py's `create_dataset`, label and image as they are. As many processes as cores, a consecutive range of the
examples each. Its values are those of maskmill, of which `check_values` makes sure; its files are larger.
"""

from __future__ import annotations

import io
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskmill.transforms.examples.make_example import make_example
from maskmill.transforms.examples.resize import nearest_index
from maskmill.transforms.examples.rle import unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.parallel.look_ahead import usable_cores
from tests.benchmarks.shard_plan import PlannedShard, parse_arguments, plan_shards, spec_of


def make_arrays(spec: ExampleSpec, form: ExampleFormat) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Image uint8 [1, H, W], and label float32 [1, H, W]."""
    grey = Image.open(io.BytesIO(Path(spec.image.path).read_bytes())).convert("L")
    flat = np.zeros(grey.width * grey.height, np.int32)
    for start, length in unpack_runs(spec.rows[0].runs):
        flat[start - 1 : start - 1 + length] = 1
    mask = flat.reshape(grey.width, grey.height).T
    height, width = form.resized
    resized = Image.fromarray(np.asarray(grey, np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    image = np.rint(np.asarray(resized).clip(0, 255)).astype(np.uint8)
    rows, columns = nearest_index(mask.shape[0], height), nearest_index(mask.shape[1], width)
    label = mask.astype(np.float32)[rows][:, columns]
    return image[np.newaxis], label[np.newaxis]


def write_shard(shard: PlannedShard) -> None:
    """Writes a shard's examples, one after the other."""
    with h5py.File(shard.path, "w") as file:
        for index, example in enumerate(shard.examples):
            image, label = make_arrays(spec_of(example), shard.form)
            group = file.create_group(f"example_{index}")
            group.create_dataset("image", data=image)
            group.create_dataset("label", data=label)
        file.attrs["n_examples"] = len(shard.examples)


def check_values(spec: ExampleSpec, form: ExampleFormat) -> None:
    """Holds an example against maskmill's; the images may differ by a grey level where they were resized."""
    image, label = make_arrays(spec, form)
    expected = make_example(spec, Path(spec.image.path).read_bytes(), form)
    assert np.array_equal(label, expected.label)
    assert np.abs(image.astype(int) - expected.image).max() <= 1


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the program."""
    arguments = parse_arguments(__doc__ or "", argv)
    shards = plan_shards(arguments.params, arguments.output_dir, arguments.num_output_files)
    for shard in shards:
        for example in shard.examples[:1]:
            check_values(spec_of(example), shard.form)
    with multiprocessing.Pool(usable_cores()) as pool:
        pool.map(write_shard, shards, chunksize=1)


if __name__ == "__main__":
    main()
