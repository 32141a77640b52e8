"""Finds what the splits of a parameter file read, and looks at it as far as the headers of the CSV files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from maskmill.format_version import current_format
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.image_folders import check_names_apart
from maskmill.pipeline.job.label_format import names_of_classes
from maskmill.pipeline.job.misplaced_input import beside_params, better_data_dirs, check_images
from maskmill.pipeline.job.params import Params
from maskmill.pipeline.job.section_models import SplitParams
from maskmill.transforms.annotations.columns import SEPARATORS, RowFormat
from maskmill.transforms.annotations.compression import CsvFileError
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.inspect_csv import has_rows, inspect_csv
from maskmill.transforms.examples.mask_text import RunFormat
from maskmill.transforms.files.file_names import is_of_file_manager, takes
from maskmill.transforms.files.find_files import is_folder, list_folder, match_files
from maskmill.transforms.files.object_store import FileInfo
from maskmill.transforms.files.paths import absolute, join

# A table, or one in an archive.
_CSV_NAME = re.compile(r"\.(csv|tsv|txt|zip|gz)$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class SplitInput:
    """What a split reads.

    Attributes:
        csv: the CSV files by path, in the order in which their rows count.
        images: paths of the image folders.
    """

    csv: Mapping[str, FileInfo]
    images: tuple[str, ...]


def find_inputs(params: Params) -> dict[str, SplitInput]:
    """Finds the input of each split.

    Raises:
        UsageError: input is missing.
        OSError: a folder cannot be listed.
    """
    problems: list[str] = []
    found: dict[str, SplitInput] = {}
    for name, split in params.splits.items():
        if split.data_dir not in found:
            found[split.data_dir] = _find_input(name, split, params, problems)
    if problems:
        raise UsageError("\n".join(dict.fromkeys(problems)))
    return {name: found[split.data_dir] for name, split in params.splits.items()}


def _find_input(name: str, split: SplitParams, params: Params, problems: list[str]) -> SplitInput:
    data_dir, keys = absolute(split.data_dir), params.maskmill
    if not is_folder(data_dir):
        mend = beside_params(split.data_dir, params.source, keys.image_folders, keys.csv_files) or "correct the path"
        problems.append(f"{name}.data_dir: there is no folder {split.data_dir} ({data_dir}); {mend}")
        return SplitInput({}, ())
    folders = [join(data_dir, name) for name in keys.image_folders]
    missing = [
        f"{folder}: there is no such folder of images; set maskmill.images, or correct data_dir"
        for folder in folders
        if not is_folder(folder)
    ]
    images = tuple(map(absolute, folders))
    if not missing:
        problems += check_images(data_dir, keys.image_folders, by_name=keys.csv is None) or check_names_apart(images)
    csv: dict[str, FileInfo] = {}
    for pattern in keys.csv_files:
        found = _match_csv(data_dir, pattern)
        if not found:
            mend = _csv_in(data_dir, pattern) or "set maskmill.csv, or correct data_dir"
            missing.append(f"{join(data_dir, pattern)}: there is no such CSV file; {mend}")
        csv.update((absolute(info.path), info) for info in found)
    if missing and (mend := _other_data_dir(split.data_dir, params)):
        wanted = " and ".join(filter(None, (", ".join(keys.csv_files), ", ".join(keys.image_folders))))
        missing = [f"{name}.data_dir: {wanted} {'are' if keys.csv else 'is'} not in {split.data_dir}; {mend}"]
    problems += missing
    return SplitInput(csv, images)


def _other_data_dir(data_dir: str, params: Params) -> str:
    """Returns the advice to give the folder in which the input is, "" if it is not found."""
    images, csv = params.maskmill.image_folders, params.maskmill.csv_files
    if mend := beside_params(data_dir, params.source, images, csv):
        return mend
    better = better_data_dirs(data_dir, images, csv)
    return f"set data_dir: {' or '.join(better[:3])}" if better else ""


def _match_csv(data_dir: str, pattern: str) -> list[FileInfo]:
    """Finds the CSV files that a path or pattern names; no pattern takes hidden files, unless it begins with a dot."""
    folder = f"{data_dir.rstrip('/')}/"
    return [info for info in match_files(data_dir, pattern) if takes(pattern, info.path.removeprefix(folder))]


def _csv_in(data_dir: str, pattern: str) -> str:
    """Returns the advice to name another CSV file, "" if none is in a folder of that name, or has a similar name."""
    folder = join(data_dir, pattern)
    if is_folder(folder) and (inside := [one.name for one in list_folder(folder) if _CSV_NAME.search(one.name)]):
        return f"that is a folder: set maskmill.csv: {join(pattern, min(inside))}"
    known = {one.name.lower(): one.name for one in list_folder(data_dir) if _CSV_NAME.search(one.name)}
    near = get_close_matches(pattern.lower(), known, n=1)
    return f"there is {known[near[0]]}: set maskmill.csv: {known[near[0]]}" if near else ""


def row_format(params: Params) -> RowFormat:
    """Reads the form of the rows from the parameters."""
    keys = params.maskmill
    return RowFormat(
        image=keys.image_column,
        class_id=keys.class_column,
        mask=keys.mask_column,
        classes=names_of_classes(params.document),
        image_suffix=keys.image_suffix,
        group=keys.group_column,
        runs=RunFormat(
            encoding=keys.runs.encoding,
            first=keys.runs.first,
            separator=keys.runs.separator,
            any_order=keys.runs.unsorted == "accept",
        ),
        separator=SEPARATORS[keys.separator],
    )


def csv_files(
    sources: Sequence[tuple[str, ...]], statuses: Mapping[str, FileInfo], form: RowFormat, *, rows_needed: bool
) -> tuple[CsvFile, ...]:
    """Reads the headers of the CSV files.

    Args:
        sources: paths of the files of each source.
        statuses: size and time of each file, by path.
        form: names of the columns and classes.
        rows_needed: whether each source needs a row: images without rows are not used.

    Returns:
        the CSV files of all sources, each once.

    Raises:
        UsageError: a file is no CSV file, its header does not name the columns, or a source has no row.
        OSError: a file cannot be read.
    """
    uses: dict[str, list[tuple[int, int]]] = {}
    for number, paths in enumerate(sources):
        for rank, path in enumerate(paths):
            uses.setdefault(path, []).append((number, rank))
    files: dict[str, CsvFile] = {}
    problems: list[str] = []
    for path, of_path in uses.items():
        try:
            files[path] = inspect_csv(path, statuses[path].size, form, tuple(of_path))
        except CsvFileError as error:
            problems.append(str(error))
    if not problems and rows_needed:
        problems = [_describe_empty(paths) for paths in sources if not any(has_rows(files[path]) for path in paths)]
    if problems:
        raise UsageError("\n".join(problems))
    return tuple(files.values())


def _describe_empty(paths: Sequence[str]) -> str:
    return f"{', '.join(paths)}: there is no row after the header; export the table again, or correct maskmill.csv"


def input_fingerprint(files: Iterable[FileInfo], folders: Iterable[str], settings: object) -> str:
    """Computes one number for all that a job reads and is told; if it is unchanged, there is nothing to do.

    Args:
        files: CSV files.
        folders: image folders; each is listed.
        settings: everything else that decides the dataset, as JSON can hold it.

    Returns:
        sha256 over the settings, and over name, size and time of CSV files and images, hexadecimal.

    Raises:
        OSError: a folder cannot be listed.
    """
    parts = [current_format(), list(files), [_digest_of_listing(folder) for folder in folders], settings]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _digest_of_listing(folder: str) -> str:
    """The same for the same files in any order, in memory that does not depend on their number.

    The files of file managers do not count: they come and go when somebody looks at a folder.
    """
    total = 0
    for info in list_folder(folder, every_name=True):
        if is_of_file_manager(info.name):
            continue
        total += int.from_bytes(hashlib.sha256(json.dumps(info).encode()).digest(), "big")
    return f"{total % 2**256:x}"
