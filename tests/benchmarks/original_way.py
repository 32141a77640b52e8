"""Yardstick: what `create_hdf5_files.py` does with an example, with numpy and Pillow in place of torch.

    python -m tests.benchmarks.original_way --params FILE --output_dir DIR [--num_output_files N]

An image is decoded by Pillow; a mask is drawn in int32 by a loop over its runs; both are resized in float32, even to
the size that they have: otherwise 256 x 1600 would take less time than 256 x 256, where the original takes twice as
long. Arrays are written by h5py's `create_dataset`, label and image as they are. As many processes as cores, none of
them with threads: the original is fastest in this way. Its values are those of maskmill, its files are larger.

What the original does beside that is left out: it imports torch, reads the CSV with pandas again in each process, and
writes the rows of the class to a temporary file each time.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskmill.transforms.examples.resize import nearest_index
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.parallel.look_ahead import usable_cores
from tests.benchmarks.shard_plan import PlannedExample, PlannedShard, make_folders, parse_arguments, plan_shards


def make_arrays(example: PlannedExample, form: ExampleFormat) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Image uint8 [1, H, W], and label float32 [1, H, W]."""
    grey = Image.open(example.path).convert("L")
    mask = draw_mask(example.masks[0], grey.height, grey.width)
    image, label = resize_image(grey, *form.resized), resize_mask(mask.astype(np.float32), *form.resized)
    return image[np.newaxis], label[np.newaxis]


def draw_mask(text: str, height: int, width: int) -> NDArray[np.int32]:
    """The mask of a row, int32 [height, width]."""
    flat = np.zeros(height * width, np.int32)
    numbers = [int(number) for number in text.split()]
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        flat[start - 1 : start - 1 + length] = 1
    return flat.reshape(width, height).T


def resize_image(grey: Image.Image, height: int, width: int) -> NDArray[np.uint8]:
    """Bicubic, in float32, rounded half to even: uint8 [height, width]."""
    resized = Image.fromarray(np.asarray(grey, np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.rint(np.asarray(resized).clip(0, 255)).astype(np.uint8)


def resize_mask(mask: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """To the nearest neighbour: float32 [height, width]."""
    return mask[nearest_index(mask.shape[0], height)][:, nearest_index(mask.shape[1], width)]


def write_shard(shard: PlannedShard) -> None:
    """Writes a shard's examples, one after the other."""
    with h5py.File(shard.path, "w") as file:
        for index, example in enumerate(shard.examples):
            image, label = make_arrays(example, shard.form)
            group = file.create_group(f"example_{index}")
            group.create_dataset("image", data=image)
            group.create_dataset("label", data=label)
        file.attrs["n_examples"] = len(shard.examples)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the program."""
    arguments = parse_arguments(__doc__ or "", argv)
    shards = plan_shards(arguments.params, arguments.output_dir, arguments.num_output_files)
    make_folders(shards)
    with multiprocessing.Pool(usable_cores()) as pool:
        pool.map(write_shard, shards, chunksize=1)


if __name__ == "__main__":
    main()
