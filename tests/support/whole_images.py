"""Examples that show a whole image at its size. This module imports no Beam, as scripts in tests need it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.examples.view import view_of
from maskmill.transforms.shards.encode_example import EncodedExample, encode_example


def form_of(label: LabelFormat, layout: str = "groups") -> ExampleFormat:
    """The form of examples that are not tiled."""
    return ExampleFormat((label.height, label.width), label, layout=layout)


def encode_whole(
    image: NDArray[np.uint8], mask: ClassMask, label: LabelFormat, layout: str = "groups"
) -> EncodedExample:
    """Encodes an example of a grey image [H, W], given the form of its label."""
    return encode_example(image[np.newaxis], mask, view_of(image.shape, image.shape), form_of(label, layout))
