"""A CSV of many rows, and image files of zero bytes. Does not import Beam."""

from __future__ import annotations

import os
from pathlib import Path

CLASSES = 4
HEADER = "ImageId,ClassId,EncodedPixels"
# Some 20 runs: a row of a small defect, a fifteenth of the mean row of the Severstal dataset.
MASK = " ".join(f"{start} {start % 90 + 1}" for start in range(29102, 29102 + 256 * 20, 256))


def write_rows(folder: Path, images: int) -> None:
    """Writes a row of each class for each image, class by class as in no good order, and the files."""
    (folder / "train_images").mkdir(parents=True)
    with open(folder / "train.csv", "w", encoding="utf-8") as csv:
        csv.write(f"{HEADER}\n")
        for class_id in range(1, CLASSES + 1):
            csv.writelines(f"{number * 7919 % images:09x}.jpg,{class_id},{MASK}\n" for number in range(images))
    for number in range(images):
        os.close(os.open(folder / "train_images" / f"{number:09x}.jpg", os.O_CREAT))
