"""A parameter file and its CSV to the examples of each shard, with pandas: what the yardsticks begin with.

The rules are those of steelbeam, as far as the benchmark needs them: one CSV in the present layout, no bad rows.
Does not import Beam.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import yaml

from transforms.example import ExampleFormat, ExampleSpec, ImageFile, MaskRow
from transforms.label import LabelFormat
from transforms.layout import ShardLayout
from transforms.rejected import Line
from transforms.rle import pack_runs, parse_runs

# Above which an image is tiled, unless a parameter file says otherwise.
MAX_IMAGE_SHAPE = (256, 1600)


class PlannedShard(NamedTuple):
    """A shard that is to be written.

    Attributes:
        path: of its file.
        form: of its examples.
        specs: of its examples, in order.
    """

    path: str
    form: ExampleFormat
    specs: tuple[ExampleSpec, ...]


def parse_arguments(description: str, argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line of a yardstick: a part of that of `steelbeam create`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--params", required=True, metavar="FILE")
    parser.add_argument("--output_dir", required=True, metavar="DIR")
    parser.add_argument("--num_output_files", type=int, default=10, metavar="N")
    return parser.parse_args(argv)


def plan_shards(params: str, output_dir: str, num_output_files: int) -> list[PlannedShard]:
    """Reads the annotations, makes the folders of the splits, and gives every example its place.

    Args:
        params: path of the parameter file.
        output_dir: where the splits' folders are to be.
        num_output_files: shards of each split.

    Returns:
        the shards of both splits, also those without examples.
    """
    with open(params, encoding="utf-8") as file:
        content = yaml.safe_load(file)
    layout = ShardLayout("preprocessed_data", num_output_files, 1)
    shards = []
    for split in ("train_input", "eval_input"):
        section = content[split]
        specs = read_specs(section["data_dir"], section["class_id"])
        cut = math.floor(section["train_test_split"] * len(specs))
        taken = specs[:cut] if split == "train_input" else specs[cut:]
        height, width = section["image_shape"][:2]
        label = LabelFormat(content["model"]["loss"], section["num_classes"], height, width)
        folder = os.path.join(output_dir, split)
        os.makedirs(folder)
        for number, members in enumerate(_deal_out(taken, layout)):
            path = os.path.join(folder, layout.file_name(number))
            resized = min(height, MAX_IMAGE_SHAPE[0]), min(width, MAX_IMAGE_SHAPE[1])
            shards.append(PlannedShard(path, ExampleFormat(resized, label), tuple(members)))
    return shards


def read_specs(data_dir: str, class_id: int) -> list[ExampleSpec]:
    """The examples of a class in the order of the CSV; several rows of an image are one example."""
    path = os.path.join(data_dir, "train.csv")
    table = pd.read_csv(path, dtype={"ImageId": str, "EncodedPixels": str})
    table = table[(table["ClassId"] == class_id) & table["EncodedPixels"].notna()]
    rows: dict[str, list[MaskRow]] = {}
    for number, image_id, text in zip(table.index, table["ImageId"], table["EncodedPixels"], strict=True):
        mask = MaskRow(Line(path, 0, int(number) + 1), pack_runs(parse_runs(text)))
        rows.setdefault(image_id, []).append(mask)
    folder = os.path.join(data_dir, "train_images")
    return [
        # Size and time of an image file matter to a fingerprint only, which is not taken here.
        ExampleSpec(image_id, class_id, ImageFile(os.path.join(folder, image_id), 0, 0.0), tuple(masks), len(masks))
        for image_id, masks in rows.items()
    ]


def _deal_out(specs: Sequence[ExampleSpec], layout: ShardLayout) -> list[list[ExampleSpec]]:
    shards: list[list[ExampleSpec]] = [[] for _ in range(layout.num_shards)]
    for position, spec in enumerate(specs):
        shards[layout.place(position, len(specs))[0]].append(spec)
    return shards
