"""Builds the smallest rows and examples, without files."""

from __future__ import annotations

from pathlib import Path

from maskmill.transforms.annotations.records import AnnotationRow, ImageFile, MaskRow
from maskmill.transforms.assignment.splits import SelectedExample
from maskmill.transforms.examples.mask_text import parse_runs
from maskmill.transforms.examples.rle import pack_runs
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.rejected import Line

CSV = "train.csv"


def image_file(name: str) -> ImageFile:
    """A file in /images, which nothing opens."""
    return ImageFile(f"/images/{name}", 100, 0.0)


def a_row(line: int, class_id: int = 3, runs: str = "1 2", *, source: int = 0, block: int = 0) -> AnnotationRow:
    """A row with these runs."""
    return AnnotationRow(source, 0, MaskRow(Line(CSV, block, line), class_id, pack_runs(parse_runs(runs))))


def rows_of(*runs: str, class_id: int = 3, source: int = 0, first: int = 1) -> list[AnnotationRow]:
    """Rows with these runs, in consecutive lines."""
    return [a_row(line, class_id, text, source=source) for line, text in enumerate(runs, first)]


def a_spec(
    name: str,
    line: int = 1,
    *,
    block: int = 0,
    classes: tuple[int, ...] = (3,),
    group: str = "",
    folder: Path | None = None,
) -> ExampleSpec:
    """An example with a row of each class, in consecutive lines; its image need not exist, unless a folder is given."""
    image = image_file(name)
    if folder is not None:
        status = (folder / name).stat()
        image = ImageFile(str(folder / name), status.st_size, status.st_mtime)
    rows = tuple(a_row(line + index, class_id, block=block).mask for index, class_id in enumerate(classes))
    return ExampleSpec(name, image, rows, len(rows), group)


def listed(spec: ExampleSpec, *, selection: int = 0, file_index: int = 0) -> SelectedExample:
    """A selected example with rows."""
    return SelectedExample(selection, file_index, spec)


def unlisted(name: str, *, selection: int = 0) -> SelectedExample:
    """A selected example without rows."""
    return SelectedExample(selection, None, a_spec(name, classes=()))
