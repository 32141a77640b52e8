"""The smallest shard: the form of its examples, its key, and specifications of examples with image files."""

from __future__ import annotations

from pathlib import Path

from maskmill.transforms.annotations.records import ImageFile, MaskRow
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.mask_text import parse_runs
from maskmill.transforms.examples.rle import pack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.rejected import Line
from maskmill.transforms.shards.records import ShardKey
from tests.support.builders import HEIGHT, WIDTH
from tests.support.records import CSV

FORM = ExampleFormat((HEIGHT, WIDTH), LabelFormat("bce", 2, HEIGHT, WIDTH, (3,)))
KEY = ShardKey("train_input", 0, "data-0_p0.h5")


def spec_of(path: Path | str, *, runs: str = "1 2", rows: int = 1) -> ExampleSpec:
    """An example of an image file, which need not exist, with this many rows of the same runs."""
    path = Path(path)
    status = path.stat() if path.exists() else None
    image = ImageFile(str(path), status.st_size if status else 100, status.st_mtime if status else 0.0)
    masks = tuple(MaskRow(Line(CSV, 0, 1 + index), 3, pack_runs(parse_runs(runs))) for index in range(rows))
    return ExampleSpec(path.name, image, masks, rows)
