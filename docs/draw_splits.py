"""Draws images/folds.svg and images/splits_file.svg, the pictures of splits in classes_and_splits.md.

    python docs/draw_splits.py

The first shows the folds of the sample dataset as they are: a square for each image.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from maskmill import open_dataset
from maskmill.pipeline.report.colours import class_colour, hex_colour

IMAGES = Path(__file__).parent / "images"
FOLDS = 5
PARAMS = f"""\
train_input:
  data_processor: SeverstalBinaryClassDataProcessor
  data_dir: severstal
  image_shape: [128, 800, 1]
  train_test_split: 0.85
  num_classes: 5
  class_id: all
model:
  loss: multilabel_bce
maskmill:
  assignment: stratified
  negatives: all
  folds: {FOLDS}
"""
LINES = (
    ("ImageId", "split"),
    ("0002cc93b.jpg", "train"),
    ("00031f466.jpg", "train"),
    ("000418bfc.jpg", "eval"),
    ("000789191.jpg", "test"),
    ("0007a71bf.jpg", "eval"),
)
SPLITS = {"train": "train_input", "eval": "eval_input", "test": "test_input"}

_SQUARE, _STEP, _ROW, _LEFT = 13, 16, 26, 64
_NO_DEFECT, _LINE, _TEXT = "#d8d8d8", "#8c8c8c", "#333333"
_ARROW = '<path d="M{x1} {y1} C {middle} {y1}, {middle} {y2}, {x2} {y2}" fill="none" stroke="{line}"/>'

# The classes of an image, as numbers from 1.
Classes = tuple[int, ...]


def folds_of_sample() -> list[list[Classes]]:
    """Makes the folds of the sample; returns the classes of each image in each fold."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "params.yaml").write_text(PARAMS, encoding="utf-8")
        for command in (
            "sample severstal --images 150 --quiet",
            "create --params params.yaml --output_dir hdf5 --num_output_files 1 --quiet",
        ):
            subprocess.run([sys.executable, "-m", "maskmill", *command.split()], cwd=folder, check=True)  # noqa: S603
        areas = [open_dataset(f"{folder}/hdf5", f"fold_{number}").areas for number in range(FOLDS)]
    return [sorted((tuple((row.nonzero()[0] + 1).tolist()) for row in fold), key=_order) for fold in areas]


def _order(classes: Classes) -> tuple[bool, Classes]:
    return not classes, classes


def draw_folds(folds: Sequence[Sequence[Classes]]) -> str:
    """Draws a row of squares for each fold, with a part for each class of an image."""
    parts = []
    for number, fold in enumerate(folds):
        top = 8 + number * _ROW
        parts.append(_text(0, top + 11, f"fold_{number}"))
        for place, classes in enumerate(fold):
            colours = [hex_colour(class_colour(one)) for one in classes] or [_NO_DEFECT]
            width = _SQUARE / len(colours)
            for part, colour in enumerate(colours):
                parts.append(_box(_LEFT + place * _STEP + part * width, top, width, _SQUARE, colour))
    legend = 14 + len(folds) * _ROW
    entries = [(f"class {one}", hex_colour(class_colour(one))) for one in range(1, 5)]
    for place, (name, colour) in enumerate([*entries, ("without a defect", _NO_DEFECT)]):
        left = _LEFT + place * 84
        parts += [_box(left, legend, _SQUARE, _SQUARE, colour), _text(left + 18, legend + 11, name)]
    return _picture(_LEFT + max(map(len, folds)) * _STEP + 4, legend + 24, parts)


def draw_splits_file() -> str:
    """Draws the lines of a file of splits, and the splits that they put images into."""
    parts = []
    for row, (image, split) in enumerate(LINES):
        parts.append(_text(0, 20 + row * 22, f"{image},{split}", mono=True))
    place_of = {split: 42 + row * 44 for row, split in enumerate(SPLITS)}
    for split, top in place_of.items():
        count = sum(other == split for _, other in LINES)
        parts.append(_text(330, top + 4, SPLITS[split]))
        parts += [_box(410 + place * _STEP, top - 7, _SQUARE, _SQUARE, _LINE) for place in range(count)]
    for row, (_, split) in enumerate(LINES[1:], start=1):
        parts.append(_ARROW.format(x1=190, y1=16 + row * 22, middle=260, x2=322, y2=place_of[split], line=_LINE))
    return _picture(470, 154, parts)


def _text(left: float, bottom: float, text: str, *, mono: bool = False) -> str:
    family = "monospace" if mono else "sans-serif"
    return f'<text x="{left:g}" y="{bottom:g}" font-family="{family}" font-size="12" fill="{_TEXT}">{text}</text>'


def _box(left: float, top: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="{colour}"/>'


def _picture(width: int, height: int, parts: Sequence[str]) -> str:
    size = f"{-8} {-4} {width + 16} {height + 4}"
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" width="{width + 16}" height="{height + 4}">'
    return "\n".join([start, _box(-8, -4, width + 16, height + 4, "#ffffff"), *parts, "</svg>", ""])


def main() -> None:
    """Draws the pictures."""
    IMAGES.joinpath("folds.svg").write_text(draw_folds(folds_of_sample()), encoding="utf-8")
    IMAGES.joinpath("splits_file.svg").write_text(draw_splits_file(), encoding="utf-8")


if __name__ == "__main__":
    main()
