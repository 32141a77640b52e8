"""The smallest inputs that show a behaviour: real JPEGs, a CSV, a parameter file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from apache_beam.testing import test_pipeline
from PIL import Image

from maskmill.pipeline.job.run import Run
from maskmill.transforms.annotations.columns import RowFormat
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.inspect_csv import inspect_csv

HEIGHT, WIDTH = 16, 24
HEADER = "ImageId,ClassId,EncodedPixels"
A_RUN = Run(id="a run", started="2026-01-01T00:00:00+00:00", runner="FnApiRunner")


def in_process() -> test_pipeline.TestPipeline:
    """A pipeline for `assert_that`, on the runner that is maskmill's default."""
    return test_pipeline.TestPipeline(runner="FnApiRunner")


def grey_pixels(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Grey noise, uint8 [height, width]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def image_bytes(pixels: np.ndarray, *, mode: str = "RGB", kind: str = "JPEG", **options: Any) -> bytes:
    """An image file of grey pixels."""
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def write_images(folder: Path, names: Iterable[str], height: int = HEIGHT, width: int = WIDTH) -> None:
    """A JPEG for each name, every one another."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        (folder / name).write_bytes(image_bytes(grey_pixels(seed, height, width)))


def write_dataset(folder: Path, rows: Sequence[str], *, header: str = HEADER, end: str = "\n") -> Path:
    """A dataset in the Kaggle form: train.csv of the rows, and an image for each that they name.

    Returns:
        the folder.
    """
    names = dict.fromkeys(row.split(",")[0] for row in rows)
    write_images(folder / "train_images", names)
    (folder / "train.csv").write_text(end.join([header, *rows, ""]), newline="")
    return folder


def csv_file(path: Path, content: bytes, uses: tuple[tuple[int, int], ...] = ((0, 0),)) -> CsvFile:
    """Writes a CSV file, and reads its header."""
    path.write_bytes(content)
    return inspect_csv(str(path), len(content), RowFormat(), uses)


def zip_bytes(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of files by name, always the same."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def params_of(data_dir: Path, /, **changes: Any) -> dict[str, Any]:
    """Content of a parameter file; keys of the split sections, `loss`, `eval_input` and `maskmill` may be changed."""
    section = {
        "data_processor": "SeverstalBinaryClassDataProcessor",
        "data_dir": str(data_dir),
        "image_shape": [HEIGHT, WIDTH, 1],
        "train_test_split": 0.5,
        "num_classes": 2,
        "class_id": 3,
        "batch_size": 4,
    }
    content: dict[str, Any] = {"model": {"loss": changes.pop("loss", "bce")}}
    if "maskmill" in changes:
        content["maskmill"] = changes.pop("maskmill")
    eval_changes: Mapping[str, Any] = changes.pop("eval_input", {})
    content["train_input"] = {**section, **changes}
    content["eval_input"] = {**section, **changes, **eval_changes}
    return content


def write_params(path: Path, data_dir: Path, /, **changes: Any) -> Path:
    """A parameter file; see `params_of`."""
    path.write_text(yaml.safe_dump(params_of(data_dir, **changes)))
    return path
