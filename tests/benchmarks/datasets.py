"""What the benchmark runs on: synthetic images, drawn once, and as many examples of them as are asked for."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.made_rows import CLASSES, HEADER, write_rows

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / ".data"
CLASS_ID = 3
DRAWN_IMAGES = 3000


def drawn() -> Path:
    """The sample that all others are made of."""
    folder = DATA / f"{DRAWN_IMAGES}_images"
    # In a process of its own: the system begins to count the memory of a program with that of who starts it, so this
    # one stays small.
    command = [sys.executable, "-m", "maskmill", "sample", str(folder), "--images", str(DRAWN_IMAGES), "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def examples(number: int) -> Path:
    """A dataset of so many examples of one class, the image of each under a name of its own, a link to a drawn one."""
    folder = DATA / f"{number}_examples"
    if not (folder / "train.csv").exists():
        source = drawn()
        with open(source / "train.csv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row[1] == str(CLASS_ID)]
        (folder / "train_images").mkdir(parents=True)
        # Line by line: see `drawn`. The CSV has its name when it is whole.
        with open(folder / "lines", "w", encoding="utf-8") as csv_file:
            csv_file.write(f"{HEADER}\n")
            for index in range(number):
                image_id, class_id, runs = rows[index % len(rows)]
                name = f"{index // len(rows):03}_{image_id}"
                os.link(source / "train_images" / image_id, folder / "train_images" / name)
                csv_file.write(f"{name},{class_id},{runs}\n")
        os.rename(folder / "lines", folder / "train.csv")
    return folder


def rows(number: int) -> Path:
    """A CSV of so many rows, of all classes in turn, and image files of zero bytes."""
    folder = DATA / f"{number}_rows"
    if not (folder / "done").exists():
        write_rows(folder, number // CLASSES)
        (folder / "done").touch()
    return folder
