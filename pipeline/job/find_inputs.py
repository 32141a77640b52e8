"""What the splits of a parameter file read: found, and looked at as far as the headers of the CSV files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.params import Params
from maskmill.pipeline.job.section_models import SplitParams
from maskmill.transforms.annotations.columns import Columns, RowFormat
from maskmill.transforms.annotations.csv_blocks import CsvFile, DamagedFileError, read_header
from maskmill.transforms.files.find_files import is_folder, match_files
from maskmill.transforms.files.object_store import FileInfo
from maskmill.transforms.files.paths import absolute, join


@dataclasses.dataclass(frozen=True)
class Input:
    """What a split reads: its CSV files by their paths, in order, and the path of its image folder."""

    csv: Mapping[str, FileInfo]
    images: str


def find_inputs(params: Params) -> dict[str, Input]:
    """The input of each split.

    Raises:
        UsageError: input is missing.
        OSError: a folder cannot be listed.
    """
    problems: list[str] = []
    found: dict[str, Input] = {}
    for name, split in params.splits.items():
        if split.data_dir not in found:
            found[split.data_dir] = _find_input(name, split, params, problems)
    if problems:
        raise UsageError("\n".join(dict.fromkeys(problems)))
    return {name: found[split.data_dir] for name, split in params.splits.items()}


def _find_input(name: str, split: SplitParams, params: Params, problems: list[str]) -> Input:
    data_dir = absolute(split.data_dir)
    if not is_folder(data_dir):
        problems.append(f"{name}.data_dir: there is no folder {split.data_dir} ({data_dir}); correct the path")
        return Input({}, "")
    images = join(data_dir, params.maskmill.images)
    if not is_folder(images):
        problems.append(f"{images}: there is no such folder of images; set maskmill.images, or correct data_dir")
    csv: dict[str, FileInfo] = {}
    for pattern in params.maskmill.csv:
        found = match_files(data_dir, pattern)
        if not found:
            problems.append(
                f"{join(data_dir, pattern)}: there is no such CSV file; set maskmill.csv, or correct data_dir"
            )
        csv.update((absolute(info.path), info) for info in found)
    return Input(csv, absolute(images))


def row_format(params: Params) -> RowFormat:
    """What the rows of the CSV files look like."""
    keys = params.maskmill
    return RowFormat(
        keys.image_column, keys.class_column, keys.mask_column, params.class_names, keys.image_suffix, keys.group_column
    )


def csv_files(
    sources: Iterable[tuple[str, ...]], statuses: Mapping[str, FileInfo], form: RowFormat
) -> tuple[CsvFile, ...]:
    """The CSV files of all sources, each once.

    Args:
        sources: paths of the files of each.
        statuses: of the files, by path.
        form: of the rows.

    Raises:
        UsageError: the header of a file does not name the columns.
        OSError: a file cannot be read.
    """
    uses: dict[str, list[tuple[int, int]]] = {}
    for number, paths in enumerate(sources):
        for rank, path in enumerate(paths):
            uses.setdefault(path, []).append((number, rank))
    problems: list[str] = []
    columns = {path: _columns(path, form, problems) for path in uses}
    if problems:
        raise UsageError("\n".join(problems))
    return tuple(
        CsvFile(path, statuses[path].size, found, tuple(uses[path])) for path, found in columns.items() if found
    )


def _columns(path: str, form: RowFormat, problems: list[str]) -> Columns | None:
    try:
        return read_header(path, form)
    except ValueError as error:
        problems.append(f"{path}:1: {error}")
    except DamagedFileError as error:
        problems.append(str(error))
    return None
