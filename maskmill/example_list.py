"""Writes and reads examples.csv: a line for each example of a dataset, with the place and the versions of its parts."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_HEADER = ("image_id", "shard", "example", "image", "mask")
# The columns that follow in a dataset of crops.
_OF_CROPS = ("top", "left")


class ListedExample(NamedTuple):
    """A line of examples.csv.

    Attributes:
        image_id: file name of the image.
        shard: path of its shard in the dataset.
        example: index of its group in the shard, `example_<i>`.
        image: changes if the image file changes: 8 hexadecimal digits of a sha256 over its name, its size, and its time
            or its content.
        mask: changes if the rows of the example change: 8 hexadecimal digits of a sha256 over their classes and runs.
        crop: its first row and column of pixels in the image; None if an example is an image.
    """

    image_id: str
    shard: str
    example: int
    image: str
    mask: str
    crop: tuple[int, int] | None = None


def write_example_list(examples: Iterable[ListedExample], *, of_crops: bool = False) -> bytes:
    """Writes the content of examples.csv; `of_crops` tells whether examples are crops of their images."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER + _OF_CROPS if of_crops else _HEADER)
    writer.writerows((*one[:-1], *(one.crop or ())) for one in examples)
    return text.getvalue().encode()


def read_example_list(text: bytes) -> Iterator[ListedExample]:
    """Inverts `write_example_list`.

    Raises:
        ValueError: the content is not that of examples.csv.
    """
    lines = csv.reader(io.StringIO(text.decode(), newline=""))
    header = tuple(next(lines, ()))
    if header not in (_HEADER, _HEADER + _OF_CROPS):
        raise ValueError(f"its first line is not {','.join(_HEADER)}")
    for line in lines:
        image_id, shard, example, image, mask, *crop = line
        if len(line) != len(header):
            raise ValueError(f"a line has {len(line)} fields instead of {len(header)}")
        place = (int(crop[0]), int(crop[1])) if crop else None
        yield ListedExample(image_id, sys.intern(shard), int(example), image, mask, place)
