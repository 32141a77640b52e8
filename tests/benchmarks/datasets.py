"""What the benchmark runs on: a sample of the size of the real dataset, drawn once, and datasets that link to it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.made_rows import HEADER

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / ".data"
CLASS_ID = 3
DRAWN_IMAGES = 12568

Row = list[str]


def drawn() -> Path:
    """The sample that all others are made of."""
    folder = DATA / f"{DRAWN_IMAGES}_images"
    # In a process of its own: the system begins to count the memory of a program with that of who starts it, so this
    # one stays small.
    command = [sys.executable, "-m", "maskmill", "sample", str(folder), "--images", str(DRAWN_IMAGES), "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def share(number: int) -> Path:
    """So much of the sample that it has a number of examples of the class, with all rows; the whole if it has fewer."""
    source = drawn()
    wanted = [image_id for image_id, class_id, _ in _rows_of(source) if class_id == str(CLASS_ID)]
    if number >= len(wanted):
        return source
    folder = _derived(f"{number}_first")
    if not (folder / "train.csv").exists():
        (folder / "train_images").mkdir(parents=True)
        last = wanted[number - 1]
        for path in (source / "train_images").iterdir():
            if path.name <= last:
                os.link(path, folder / "train_images" / path.name)
        _write_csv(folder, (row for row in _rows_of(source) if row[0] <= last))
    return folder


def examples(number: int) -> Path:
    """A dataset of so many examples of one class, the image of each under a name of its own, a link to a drawn one."""
    folder = _derived(f"{number}_examples")
    if not (folder / "train.csv").exists():
        source = drawn()
        (folder / "train_images").mkdir(parents=True)
        rows = [row for row in _rows_of(source) if row[1] == str(CLASS_ID)]
        renamed = list(_repeated(rows, number))
        for name, (image_id, _, _) in renamed:
            os.link(source / "train_images" / image_id, folder / "train_images" / name)
        _write_csv(folder, ([name, class_id, runs] for name, (_, class_id, runs) in renamed))
    return folder


def rows(number: int) -> Path:
    """A CSV of so many rows of all classes, those of the sample again and again, and image files of zero bytes."""
    folder = _derived(f"{number}_rows")
    if not (folder / "train.csv").exists():
        (folder / "train_images").mkdir(parents=True)
        renamed = list(_repeated(list(_rows_of(drawn())), number))
        for name in {name for name, _ in renamed}:
            (folder / "train_images" / name).touch()
        _write_csv(folder, ([name, class_id, runs] for name, (_, class_id, runs) in renamed))
    return folder


def number_of_examples(folder: Path) -> int:
    """Counts the rows of the class."""
    return sum(class_id == str(CLASS_ID) for _, class_id, _ in _rows_of(folder))


def csv_bytes(folder: Path) -> int:
    """Size of the CSV."""
    return (folder / "train.csv").stat().st_size


def _derived(name: str) -> Path:
    return DATA / f"{name}_of_{DRAWN_IMAGES}_images"


def _rows_of(folder: Path) -> Iterator[Row]:
    with open(folder / "train.csv", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows


def _repeated(rows: list[Row], number: int) -> Iterator[tuple[str, Row]]:
    """Yields rows again and again, each with the name of its image in this turn."""
    for index in range(number):
        turn, place = divmod(index, len(rows))
        yield f"{turn:03}_{rows[place][0]}", rows[place]


def _write_csv(folder: Path, rows: Iterator[Row]) -> None:
    """Line by line: see `drawn`. The CSV has its name when it is whole."""
    with open(folder / "lines", "w", encoding="utf-8") as file:
        file.write(f"{HEADER}\n")
        file.writelines(f"{','.join(row)}\n" for row in rows)
    os.rename(folder / "lines", folder / "train.csv")
