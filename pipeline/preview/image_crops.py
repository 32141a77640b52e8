"""Draws the crops of an image over its picture, and says which of them become examples."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill.pipeline.messages.quantities import count
from maskmill.transforms.examples.crops import Crop, CropFormat, is_kept

Picture = NDArray[np.uint8]

# What no example shows is darkened to this share.
_DARKENED = 0.35
# The frame of a crop: black beside yellow can be seen on any grey.
_FRAME, _SHADOW = (255, 210, 0), (0, 0, 0)
# A frame has one line for as many pixels of a crop.
_PIXELS_PER_LINE = 80


@dataclasses.dataclass(frozen=True)
class ImageCrops:
    """The crops of an image.

    Attributes:
        image_id: file name of the image.
        crops: all of them.
        form: how images are cut.
        labelled: whether anything tells which of them have a defect.
    """

    image_id: str
    crops: Sequence[Crop]
    form: CropFormat
    labelled: bool = True

    @property
    def kept(self) -> list[Crop]:
        """Those that become examples."""
        return [crop for crop in self.crops if is_kept(crop, self.image_id, self.form)]

    def draw(self, picture: Picture) -> Picture:
        """Darkens what becomes no example, and frames each crop that becomes one.

        Args:
            picture: uint8 [H, W, 3], of the whole image; stays as it is.
        """
        shown = np.zeros(picture.shape[:2], bool)
        for crop in self.kept:
            shown[self._box(crop)] = True
        drawn = np.where(shown[..., np.newaxis], picture, (picture * _DARKENED).astype(np.uint8))
        lines = max(1, min(self.form.size) // _PIXELS_PER_LINE)
        for colour, insets in ((_SHADOW, range(lines, lines + 1)), (_FRAME, range(lines))):
            for crop, inset in itertools.product(self.kept, insets):
                _frame(drawn[self._box(crop)], inset, colour)
        return drawn

    def describe(self) -> str:
        """Says how many crops become examples."""
        height, width = self.form.size
        number = f"  {count(len(self.crops), 'crop')} of {height} x {width}"
        if not self.labelled:
            return f"{number}, framed; all become examples"
        with_defect = sum(bool(crop.class_ids) for crop in self.crops)
        empty = len(self.crops) - with_defect
        kept = len(self.kept) - with_defect
        what = f"{with_defect} with a defect"
        if empty:
            what += f" and {empty} without, of which {kept} {'is' if kept == 1 else 'are'} kept"
        return f"{number}: {what}; those that become examples are framed"

    def _box(self, crop: Crop) -> tuple[slice, slice]:
        height, width = self.form.size
        return slice(crop.top, crop.top + height), slice(crop.left, crop.left + width)


def _frame(part: Picture, inset: int, colour: tuple[int, int, int]) -> None:
    """Draws a frame one pixel wide, so many pixels inside a part of a picture; none where it is too small."""
    inner = part[inset : part.shape[0] - inset, inset : part.shape[1] - inset]
    if inner.size:
        inner[[0, -1]] = inner[:, [0, -1]] = colour
