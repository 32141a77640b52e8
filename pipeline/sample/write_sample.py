"""Writes a synthetic dataset in the form of Kaggle's Severstal: Steel Defect Detection."""

import contextlib
import hashlib
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from PIL import Image
from tqdm import tqdm

from maskmill.pipeline.errors import MaskmillError, UsageError
from maskmill.pipeline.sample.draw_steel import draw_image
from maskmill.pipeline.sample.plan_images import CLASSES
from maskmill.runs import format_runs, mask_to_runs

Layout = Literal["present", "original"]

_COLUMNS = {"present": ["ImageId", "ClassId", "EncodedPixels"], "original": ["ImageId_ClassId", "EncodedPixels"]}
# Makes files of 90 kB in the mean, as the real ones are: the archive of 18,074 images has 1.57 GB, which is 87 kB an
# image, or 93 kB if a GB is 2^30 bytes.
JPEG_QUALITY = 75
_TARGETS = ("train_images", "train.csv", "sample.json")


@dataclass(frozen=True)
class SampleSummary:
    """The content of a sample."""

    images: int
    rows: int  # with a mask
    rows_by_class: dict[int, int]  # with a mask, for each class from 1 to 4
    bytes: int  # size of all JPEGs together
    csv: Path
    images_dir: Path


class _Written(NamedTuple):
    """An image that was written."""

    name: str
    runs: dict[int, str]  # by class
    size: int  # in bytes


def write_sample(
    directory: str | Path,
    *,
    images: int = 200,
    seed: int = 0,
    layout: Layout = "present",
    workers: int | None = None,
    progress: bool = False,
) -> SampleSummary:
    """Writes `train_images/`, `train.csv` and, last, `sample.json`; does nothing if the same sample is there.

    With 12,568 images it is like the real training set. The smaller it is, the rougher the proportions; but from five
    images, it has each class and an image without a defect.

    Args:
        directory: folder to write to; made if necessary.
        images: number of JPEGs, 256 x 1600; a larger sample with the same seed begins with the same ones.
        seed: from 0.
        layout: of the CSV: `present` (a row a mask) or `original` (four rows an image, most without runs).
        workers: number of threads, by default one a CPU; does not affect what is written.
        progress: shows a bar if standard error is a terminal.

    Raises:
        UsageError: a bad argument, or a directory that holds something else by one of the three names.
        MaskmillError: the directory cannot be written to.
    """
    arguments = _check_arguments(images, seed, layout, workers)
    directory = Path(directory)
    record = _find_sample(directory, arguments)
    if record is None:
        record = _make_sample(directory, arguments, workers, progress)
    by_class = {int(class_id): count for class_id, count in record["rows_by_class"].items()}
    paths = directory / "train.csv", directory / "train_images"
    return SampleSummary(images, sum(by_class.values()), by_class, record["bytes"], *paths)


def _check_arguments(images: int, seed: int, layout: str, workers: int | None) -> dict[str, Any]:
    """Returns the arguments that decide what is written."""
    problems = {
        f"a sample cannot have {images} images; ask for 0 or more": images < 0,
        f"the seed cannot be {seed}; give a whole number from 0": seed < 0,
        f"there is no layout {layout!r}; ask for {' or '.join(_COLUMNS)}": layout not in _COLUMNS,
        f"{workers} workers cannot write a sample; give 1 or more": workers is not None and workers < 1,
    }
    for problem in (message for message, wrong in problems.items() if wrong):
        raise UsageError(problem)
    return {"format_version": 2, "images": images, "seed": seed, "layout": layout}


def _find_sample(directory: Path, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the record of the same sample; makes the directory and returns None if there is nothing yet."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        found = [name for name in _TARGETS if (directory / name).exists()]
    except OSError as error:
        raise UsageError(f"{directory} cannot be a directory ({error.strerror}); name another one") from error
    if not found:
        return None
    with contextlib.suppress(OSError, ValueError, TypeError):
        record = json.loads((directory / "sample.json").read_text("utf-8"))
        count = sum(path.suffix == ".jpg" for path in (directory / "train_images").iterdir())
        if found == list(_TARGETS) and record == record | arguments and count == arguments["images"]:
            return dict(record)
    raise UsageError(f"{directory} already holds other {', '.join(found)}; choose a new directory or remove them")


def _make_sample(directory: Path, arguments: dict[str, Any], workers: int | None, progress: bool) -> dict[str, Any]:
    """Writes all files, and moves them into place when they are whole; returns the record."""
    try:
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=directory) as name:
            record = _write_files(Path(name), arguments, workers, progress)
            for target in _TARGETS:
                Path(name, target).rename(directory / target)
    except OSError as error:
        problem = f"{directory}: the sample cannot be written ({error.strerror or error})"
        raise MaskmillError(f"{problem}; make room and allow writing there, or name another directory") from error
    return record


def _write_files(folder: Path, arguments: dict[str, Any], workers: int | None, progress: bool) -> dict[str, Any]:
    images_dir = folder / "train_images"
    images_dir.mkdir()
    written = _write_images(images_dir, arguments["images"], arguments["seed"], workers, progress)
    _write_csv(folder / "train.csv", written, arguments["layout"])
    rows = {str(class_id): sum(class_id in image.runs for image in written) for class_id in CLASSES}
    record = {**arguments, "rows_by_class": rows, "bytes": sum(image.size for image in written)}
    (folder / "sample.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", "utf-8")
    return record


def _write_images(folder: Path, images: int, seed: int, workers: int | None, progress: bool) -> list[_Written]:
    """Writes all images in threads; most of the work releases the interpreter's lock."""
    names = image_names(seed, images)
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        written = pool.map(lambda index: _write_image(folder / names[index], seed, index), range(images))
        return sorted(tqdm(written, "images", images, disable=None if progress else True))
    finally:
        pool.shutdown(cancel_futures=True)


def image_names(seed: int, count: int) -> list[str]:
    """Returns different file names for the first `count` images: nine hexadecimal digits and `.jpg`."""
    names: dict[str, None] = {}
    for index in range(count):
        digest = hashlib.sha256(f"{seed}/{index}".encode()).hexdigest()
        candidates = (f"{digest[start : start + 9]}.jpg" for start in range(len(digest) - 8))
        names[next(name for name in candidates if name not in names)] = None
    return list(names)


def _write_image(path: Path, seed: int, index: int) -> _Written:
    pixels, masks = draw_image(seed, index)
    Image.fromarray(pixels).convert("RGB").save(path, "JPEG", quality=JPEG_QUALITY)
    runs = {class_id: format_runs(mask_to_runs(mask)) for class_id, mask in masks.items()}
    return _Written(path.name, runs, path.stat().st_size)


def _write_csv(path: Path, written: list[_Written], layout: Layout) -> None:
    import pandas as pd  # slow to import

    if layout == "present":
        rows: list[Any] = [(name, i, text) for name, runs, _ in written for i, text in runs.items()]
    else:
        rows = [(f"{name}_{i}", runs.get(i, "")) for name, runs, _ in written for i in CLASSES]
    pd.DataFrame(rows, columns=_COLUMNS[layout]).to_csv(path, index=False, lineterminator="\n")
