"""A parameter file and its CSV to the examples of each shard: what the yardsticks begin with.

The rules are those of maskmill, as far as the benchmark needs them: one CSV in the present layout, no bad rows. As
little as possible is done here, where only one core is at work. Does not import Beam.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from maskmill.transforms.annotations.records import ImageFile, MaskRow
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.mask_text import parse_runs
from maskmill.transforms.examples.rle import pack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.rejected import Line
from tests.benchmarks.datasets import CLASS_ID

MAX_IMAGE_SHAPE = (256, 1600)


class PlannedExample(NamedTuple):
    """An example that is to be made: path of its image, and the masks of its rows, as the CSV has them."""

    path: str
    masks: tuple[str, ...]


class PlannedShard(NamedTuple):
    """A shard that is to be written.

    Attributes:
        path: of its file.
        form: of its examples.
        examples: in order.
    """

    path: str
    form: ExampleFormat
    examples: tuple[PlannedExample, ...]


def spec_of(example: PlannedExample) -> ExampleSpec:
    """What maskmill's functions take; of size, time and line, which they do not look at, nothing."""
    rows = tuple([MaskRow(Line("", 0, 0), CLASS_ID, pack_runs(parse_runs(mask))) for mask in example.masks])
    return ExampleSpec(os.path.basename(example.path), ImageFile(example.path, 0, 0.0), rows, len(rows))


def parse_arguments(description: str, argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line of a yardstick: a part of that of `maskmill create`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--params", required=True, metavar="FILE")
    parser.add_argument("--output_dir", required=True, metavar="DIR")
    parser.add_argument("--num_output_files", type=int, default=10, metavar="N")
    return parser.parse_args(argv)


def plan_shards(params: str, output_dir: str, num_output_files: int) -> list[PlannedShard]:
    """Reads the annotations, and gives every example its place; writes nothing.

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
        examples = list(read_examples(section["data_dir"], section["class_id"]))
        cut = math.floor(section["train_test_split"] * len(examples))
        taken = examples[:cut] if split == "train_input" else examples[cut:]
        folder = os.path.join(output_dir, split)
        for number, members in enumerate(_deal_out(taken, layout)):
            path = os.path.join(folder, layout.file_name(number))
            shards.append(PlannedShard(path, _form_of(section, content["model"]["loss"]), tuple(members)))
    return shards


def make_folders(shards: Sequence[PlannedShard]) -> None:
    """Makes the folders of the splits."""
    for folder in {os.path.dirname(shard.path) for shard in shards}:
        os.makedirs(folder)


def first_specs(data: Path, number: int) -> list[ExampleSpec]:
    """The first examples of a dataset."""
    return [spec_of(example) for example in itertools.islice(read_examples(str(data), CLASS_ID), number)]


def form_of_size(size: tuple[int, int]) -> ExampleFormat:
    """The form of the examples of all yardsticks, resized to (height, width) in pixels."""
    return ExampleFormat(size, LabelFormat("bce", 2, *size, (CLASS_ID,)))


def _form_of(section: Mapping[str, Any], loss: str) -> ExampleFormat:
    height, width = section["image_shape"][:2]
    resized = min(height, MAX_IMAGE_SHAPE[0]), min(width, MAX_IMAGE_SHAPE[1])
    return ExampleFormat(resized, LabelFormat(loss, section["num_classes"], height, width, (section["class_id"],)))


def read_examples(data_dir: str, class_id: int) -> Iterator[PlannedExample]:
    """The examples of a class in the order of the CSV; several rows of an image are one example."""
    masks: dict[str, list[str]] = {}
    with open(os.path.join(data_dir, "train.csv"), encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for image_id, row_class, mask in rows:
            if row_class == str(class_id) and mask:
                masks.setdefault(image_id, []).append(mask)
    folder = os.path.join(data_dir, "train_images")
    for image_id, texts in masks.items():
        yield PlannedExample(os.path.join(folder, image_id), tuple(texts))


def _deal_out(examples: Sequence[PlannedExample], layout: ShardLayout) -> list[list[PlannedExample]]:
    shards: list[list[PlannedExample]] = [[] for _ in range(layout.num_shards)]
    for position, example in enumerate(examples):
        shards[layout.place(position, len(examples))[0]].append(example)
    return shards
