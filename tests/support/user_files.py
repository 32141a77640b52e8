"""Small inputs as users bring them, each with what comes of it: exit status, words, codes, pixels of the labels."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maskmill import open_dataset
from maskmill.names import REJECTED
from maskmill.runs import mask_to_runs
from tests.support.builders import HEIGHT, WIDTH, grey_pixels, image_bytes, write_params
from tests.support.command import Said, run_here

# What a folder of images holds unless a case says otherwise; two JPEGs of 16 x 24.
TWO_IMAGES = {name: image_bytes(grey_pixels(seed)) for seed, name in enumerate(("a.jpg", "b.jpg"))}


@dataclasses.dataclass(frozen=True, kw_only=True)
class UserFiles:
    """An input of a user, and what should come of it.

    Attributes:
        csv: content of data/train.csv; None writes no such file. A string is written as UTF-8.
        images: content of the files in data/train_images, by name.
        files: content of further files, by path below data/.
        params: changes of the parameter file; see `builders.params_of`. Each example is in train_input.
        flags: further arguments of `create`.
        status: exit status.
        words: each is in what the command says, on standard output or error.
        never: none of these is.
        codes: number of rejected records by code, if the run got as far.
        pixels: labels of train_input by ImageId: the defect's pixels as runs, (start, length) each, numbered from 1
            down the columns of the example; None does not look. Only of examples that are as large as their images.
    """

    csv: str | bytes | None
    images: Mapping[str | bytes, bytes] = dataclasses.field(default_factory=lambda: dict(TWO_IMAGES))
    files: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    flags: tuple[str, ...] = ()
    status: int = 0
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    codes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    pixels: Mapping[str, list[tuple[int, int]]] | None = None

    def write(self, folder: Path) -> Path:
        """Writes the input; returns the path of the parameter file."""
        images = folder / "data" / "train_images"
        images.mkdir(parents=True)
        for name, content in self.images.items():
            (images / (name if isinstance(name, str) else name.decode(errors="surrogateescape"))).write_bytes(content)
        content = self.csv.encode() if isinstance(self.csv, str) else self.csv
        csv = {"train.csv": content} if content is not None else {}
        for path, text in {**csv, **self.files}.items():
            (folder / "data" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "data" / path).write_bytes(text)
        return write_params(folder / "params.yaml", folder / "data", **{"train_test_split": 1.0, **self.params})

    def check(self, folder: Path) -> Said:
        """Runs `create` on the input in an empty folder, and checks everything that came of it."""
        params, output = self.write(folder), folder / "out"
        arguments = ["create", "--params", params, "--output_dir", output, "--num_output_files=1", *self.flags]
        said = run_here(*arguments, status=self.status)
        text = said.out + said.err
        assert "Traceback" not in text
        assert [word for word in self.words if word not in text] == [], text
        assert [word for word in self.never if word in text] == [], text
        assert _codes(output) == self.codes, text
        left = [path for path in output.rglob("*") if ".staging" not in path.parts]
        assert bool(left) == (self.status == 0), "a dataset is missing, or something is left where a reader looks"
        if self.status == 0:
            run_here("verify", output)
        if self.pixels is not None:
            assert label_runs(output) == self.pixels
        return said


def _codes(output: Path) -> dict[str, int]:
    """Number of rejected records by code, of a dataset or of a run that published nothing."""
    codes: dict[str, int] = {}
    for path in [output / REJECTED, *output.glob(f".staging/*/{REJECTED}")]:
        for line in path.read_text().splitlines() if path.exists() else []:
            code = json.loads(line)["code"]
            codes[code] = codes.get(code, 0) + 1
    return codes


def label_runs(output: Path, split: str = "train_input") -> dict[str, list[tuple[int, int]]]:
    """Defects of a split by ImageId: runs of the label, of any class, numbered from 1 down the columns."""
    return {example.image_id: runs_of(example.label) for example in open_dataset(output, split)}


def runs_of(label: np.ndarray) -> list[tuple[int, int]]:
    """Runs of a label [1, H, W] or [H, W], numbered from 1 down the columns."""
    height, width = label.shape[-2:]
    assert label.size == height * width, "the label has several channels"
    return [(start, length) for start, length in mask_to_runs(label.reshape(height, width)).tolist()]


def numbered_pixels(*runs: tuple[int, int], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Mask of runs, drawn pixel by pixel, bool [height, width]: the plainest way, to compare with."""
    mask = np.zeros(height * width, bool)
    for start, length in runs:
        mask[start - 1 : start - 1 + length] = True
    return mask.reshape(width, height).T
