"""A synthetic dataset in the form of Kaggle's Severstal: Steel Defect Detection, to try everything on.

An image depends on the seed and on its index alone: not on the number of images, the workers, or the time.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from pipeline.errors import UsageError

Layout = Literal["present", "original"]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.float32]
Span = tuple[int, int]
_Written = tuple[str, dict[int, str], int]  # name, runs of each class in it, size in bytes

HEIGHT, WIDTH = 256, 1600
# Of the real training set: images with defects, of them those with more than one class, and the rows of each class.
DEFECT_SHARE, TWO_CLASSES_SHARE = 6666 / 12568, 427 / 12568
CLASS_ROWS = {1: 897, 2: 247, 3: 5150, 4: 801}
_COLUMNS = {"present": ["ImageId", "ClassId", "EncodedPixels"], "original": ["ImageId_ClassId", "EncodedPixels"]}
_TARGETS = ("train_images", "train.csv", "sample.json")


@dataclass(frozen=True)
class SampleSummary:
    """What a sample holds."""

    images: int
    rows: int  # of the CSV, with a mask
    rows_by_class: dict[int, int]  # of them, for each class from 1 to 4
    bytes: int  # of all JPEGs together
    csv: Path
    images_dir: Path


def image_names(seed: int, count: int) -> list[str]:
    """File names of the first `count` images, all different: nine hexadecimal digits and `.jpg`."""
    names: dict[str, None] = {}
    for index in range(count):
        digest = hashlib.sha256(f"{seed}/{index}".encode()).hexdigest()
        candidates = (f"{digest[start : start + 9]}.jpg" for start in range(len(digest) - 8))
        names[next(name for name in candidates if name not in names)] = None
    return list(names)


def plan_image(rng: np.random.Generator) -> tuple[tuple[int, ...], Span]:
    """Draws the classes of an image's defects, ascending, and the columns (first, end) that show steel."""
    rank = rng.random()
    count = int(rank < DEFECT_SHARE) + int(rank < TWO_CLASSES_SHARE)
    weights = np.array(list(CLASS_ROWS.values())) / sum(CLASS_ROWS.values())
    classes = sorted(rng.choice(list(CLASS_ROWS), count, replace=False, p=weights).tolist())
    edge = int(rng.integers(40, 700)) if rng.random() < 0.25 else 0
    return tuple(classes), (edge, WIDTH) if rng.random() < 0.5 else (0, WIDTH - edge)


def draw_steel(rng: np.random.Generator, span: Span = (0, WIDTH)) -> Pixels:
    """Draws flawless steel, float32 [256, 1600]: nearly black beside the columns (first, end) of `span`."""
    noise = rng.integers(0, 256, (HEIGHT, WIDTH + 1), np.uint8)
    image: Pixels = np.add(noise[:, :-1], noise[:, 1:], dtype=np.float32)  # grain, drawn out a little along the rows
    image *= rng.uniform(0.09, 0.17)
    image += rng.uniform(20, 80) + _profile(rng, WIDTH, 9, 22) + _streaks(rng, WIDTH, 5)
    image += (_profile(rng, HEIGHT, 5, 6) + _streaks(rng, HEIGHT, 2))[:, None]
    for _ in range(2):
        image += _profile(rng, HEIGHT, 8, 1)[:, None] * _profile(rng, WIDTH, 50, 10)
    for edge in (image[:, : span[0]], image[:, span[1] :]):
        edge *= 0.07
    return image


def _profile(rng: np.random.Generator, size: int, knots: int, height: float) -> Pixels:
    """A line float32 [size] between random knots in -height … height."""
    values = rng.uniform(-height, height, knots)
    return np.interp(np.arange(size), np.linspace(0, size - 1, knots), values).astype(np.float32)


def _streaks(rng: np.random.Generator, size: int, height: float) -> Pixels:
    """Random levels float32 [size] in -height … height, each near its neighbour's; a few stand out."""
    levels = rng.uniform(-height, height, size + 1)
    levels[rng.random(size + 1) < 0.02] *= 4
    return np.float32(0.5) * (levels[:-1] + levels[1:]).astype(np.float32)


def _draw_blob(rng: np.random.Generator, height: int, width: int) -> tuple[Mask, Pixels]:
    """A ragged ellipse, bool [height, width], a run in each column; and weights, float32, from 0 at its border to 1."""
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width + 2)[1:-1]
    inside = 1 - x * x
    top, bottom = (np.sqrt(inside) * (0.8 + _profile(rng, width, width // 12 + 2, 0.2)) for _ in range(2))
    least = 1.5 / height  # so that no column is without a run
    mask = (y >= -np.maximum(top, least)) & (y <= np.maximum(bottom, least))
    return mask, (1.6 * (inside - y * y)).clip(0, 1).astype(np.float32)


def _shade_spot(rng: np.random.Generator, height: int, width: int) -> Pixels:
    return np.full((height, width), rng.choice([-60, -50, 55]), np.float32)


def _shade_scratch(rng: np.random.Generator, height: int, width: int) -> Pixels:
    slant = (np.arange(height) * rng.uniform(0, 0.4)).astype(np.int64)
    streaks = 22 * int(rng.choice([-1, 1])) + _streaks(rng, width + int(slant[-1]), 40)
    shade: Pixels = streaks[np.arange(width) + slant[:, None]]
    return shade * (1 + _profile(rng, height, 6, 0.6)[:, None])


def _shade_rough(rng: np.random.Generator, height: int, width: int) -> Pixels:
    shade = np.full((height, width), -8, np.float32)
    for down, across in ((2, 3), (5, 7), (11, 16)):
        coarse = rng.uniform(-30, 30, (height // down + 1, width // across + 1)).astype(np.float32)
        shade += coarse.repeat(down, axis=0).repeat(across, axis=1)[:height, :width]
    return shade


# For each class: number, height and width of its defects (least, end), and what is added to the grey levels there.
_DEFECTS = {
    1: ((3, 10), (10, 30), (10, 30), _shade_spot),
    2: ((1, 4), (80, 240), (6, 12), _shade_spot),
    3: ((1, 4), (70, 250), (40, 140), _shade_scratch),
    4: ((1, 3), (80, 220), (100, 300), _shade_rough),
}


def draw_defect(image: Pixels, class_id: int, rng: np.random.Generator, span: Span = (0, WIDTH)) -> Mask:
    """Adds a class's defects to `image`, float32 [256, 1600]; returns their mask, bool [256, 1600], never empty."""
    mask = np.zeros((WIDTH, HEIGHT), np.bool_).T  # column-major, as runs go
    number, heights, widths, shade = _DEFECTS[class_id]
    for _ in range(rng.integers(*number)):
        height, width = int(rng.integers(*heights)), int(rng.integers(*widths))
        top, left = int(rng.integers(HEIGHT - height)), int(rng.integers(span[0], span[1] - width))
        place = np.s_[top : top + height, left : left + width]
        shape, weights = _draw_blob(rng, height, width)
        image[place] += shade(rng, height, width) * weights * shape
        mask[place] |= shape
    return mask


def make_image(seed: int, index: int) -> tuple[NDArray[np.uint8], dict[int, Mask]]:
    """Draws an image: its grey levels, uint8 [256, 1600], and for each class in it a mask, bool [256, 1600]."""
    rng = np.random.default_rng([seed, index])
    classes, span = plan_image(rng)
    image = draw_steel(rng, span)
    masks = {class_id: draw_defect(image, class_id, rng, span) for class_id in classes}
    return np.clip(image, 0, 255, out=image).astype(np.uint8), masks


def _encode_runs(mask: Mask) -> str:
    """Encodes a mask as pairs `start length`: pixels from 1, down each column, then from left to right."""
    flat = np.zeros(mask.size + 2, np.bool_)
    flat[1:-1] = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return " ".join(f"{start + 1} {end - start}" for start, end in edges.reshape(-1, 2).tolist())


def _write_image(path: Path, seed: int, index: int) -> _Written:
    pixels, masks = make_image(seed, index)
    Image.fromarray(pixels).convert("RGB").save(path, "JPEG", quality=90)
    return path.name, {class_id: _encode_runs(mask) for class_id, mask in masks.items()}, path.stat().st_size


def _write_images(folder: Path, images: int, seed: int, workers: int | None, progress: bool) -> list[_Written]:
    """Writes all images, in threads, since most of the time is spent without the interpreter's lock."""
    folder.mkdir()
    names = image_names(seed, images)
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        written = pool.map(lambda index: _write_image(folder / names[index], seed, index), range(images))
        return sorted(tqdm(written, "images", images, disable=None if progress else True))
    finally:
        pool.shutdown(cancel_futures=True)


def _write_csv(path: Path, written: list[_Written], layout: Layout) -> None:
    import pandas as pd  # slow to import

    if layout == "present":
        rows: list[Any] = [(name, i, text) for name, runs, _ in written for i, text in runs.items()]
    else:
        rows = [(f"{name}_{i}", runs.get(i, "")) for name, runs, _ in written for i in CLASS_ROWS]
    pd.DataFrame(rows, columns=_COLUMNS[layout]).to_csv(path, index=False, lineterminator="\n")


def write_sample(
    directory: str | Path,
    *,
    images: int = 200,
    seed: int = 0,
    layout: Layout = "present",
    workers: int | None = None,
    progress: bool = False,
) -> SampleSummary:
    """Writes `train_images/`, `train.csv` and, last, `sample.json`; the very same sample is left as it is.

    Args:
        directory: where to write; made if need be.
        images: number of JPEGs, 256 x 1600; a larger sample of the same seed begins with the same ones.
        seed: from 0.
        layout: of the CSV: `present` (a row a mask) or `original` (four rows an image, most without runs).
        workers: number of threads, by default one a CPU; has no influence on what is written.
        progress: shows a bar, if standard error is a terminal.

    Raises:
        UsageError: a bad argument, or a directory that holds something else by one of the three names.
    """
    arguments = _check_arguments(images, seed, layout, workers)
    directory = Path(directory)
    if (record := _find_sample(directory, arguments)) is None:
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=directory) as name:
            written = _write_images(Path(name, "train_images"), images, seed, workers, progress)
            _write_csv(Path(name, "train.csv"), written, layout)
            rows = {str(class_id): sum(class_id in runs for _, runs, _ in written) for class_id in CLASS_ROWS}
            record = {**arguments, "rows_by_class": rows, "bytes": sum(size for *_, size in written)}
            Path(name, "sample.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", "utf-8")
            for target in _TARGETS:
                Path(name, target).rename(directory / target)
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
    return {"format_version": 1, "images": images, "seed": seed, "layout": layout}


def _find_sample(directory: Path, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Reads the record of the same sample, or makes the directory and returns None if there is nothing yet."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory} cannot be a directory ({error.strerror}); name another one") from error
    if not (found := [name for name in _TARGETS if (directory / name).exists()]):
        return None
    with contextlib.suppress(OSError, ValueError, TypeError):
        record = json.loads((directory / "sample.json").read_text("utf-8"))
        count = sum(path.suffix == ".jpg" for path in (directory / "train_images").iterdir())
        if found == list(_TARGETS) and record == record | arguments and count == arguments["images"]:
            return dict(record)
    raise UsageError(f"{directory} already holds other {', '.join(found)}; choose a new directory or remove them")
