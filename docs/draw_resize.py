"""Draws images/resize.png, the picture in data.md: an image of the sample dataset, and its example in each way.

    .venv/bin/python docs/draw_resize.py

The label is drawn over each; padding is grey in the picture, and 0 in an example.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from maskmill import open_dataset
from maskmill.pipeline.report.draw_example import draw_label

PICTURE = Path(__file__).parent / "images" / "resize.png"
WAYS = ("stretch", "pad", "crop")
IMAGE, GAP, PADDING = 20, 16, 200
PARAMS = """\
train_input: &train_input
  data_processor: SeverstalBinaryClassDataProcessor
  data_dir: sample
  image_shape: [{height}, {width}, 1]
  train_test_split: 1.0
  num_classes: 2
  class_id: 3
eval_input: *train_input
model:
  loss: bce
maskmill:
  resize: {resize}
"""


def draw(folder: Path, height: int, width: int, resize: str) -> np.ndarray:
    """Draws an example: uint8 [height, width, 3]."""
    (folder / "params.yaml").write_text(PARAMS.format(height=height, width=width, resize=resize), encoding="utf-8")
    command = "create --params params.yaml --output_dir hdf5 --num_output_files 1 --quiet"
    subprocess.run([sys.executable, "-m", "maskmill", *command.split()], cwd=folder, check=True)  # noqa: S603
    example = open_dataset(folder / "hdf5")[IMAGE]
    picture = draw_label(example, [3])
    if example.view is None:
        return picture
    padded = np.full_like(picture, PADDING)
    planes, shown = padded.transpose(2, 0, 1), picture.transpose(2, 0, 1)
    example.view.valid.cut(planes)[...] = example.view.valid.cut(shown)
    return padded


def main() -> None:
    """Draws the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = "sample sample --images 60 --quiet"
        subprocess.run([sys.executable, "-m", "maskmill", *command.split()], cwd=folder, check=True)  # noqa: S603
        whole = draw(folder, 256, 1600, "stretch")
        examples = [draw(folder, 256, 256, resize) for resize in WAYS]
    sheet = np.full((2 * 256 + GAP, 1600, 3), 255, np.uint8)
    sheet[:256] = whole
    for index, example in enumerate(examples):
        left = index * (256 + GAP)
        sheet[256 + GAP :, left : left + 256] = example
    small = Image.fromarray(sheet[:, :1600]).resize((800, sheet.shape[0] // 2), Image.Resampling.LANCZOS)
    small.quantize(128).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
