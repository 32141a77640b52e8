"""Writes a report about a dataset: one HTML page that needs no other file."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, NamedTuple, TextIO

from maskmill import DatasetError
from maskmill.install_hint import pip_install
from maskmill.names import REPORT
from maskmill.pipeline.errors import DamagedError, MaskmillError, UsageError
from maskmill.pipeline.messages.output_file import check_output_file, make_folder_of
from maskmill.pipeline.messages.progress_bar import Watch, show_progress
from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.parallel.progress import Progress

if TYPE_CHECKING:
    from maskmill.pipeline.report.source import DatasetSource

# What pip calls the libraries that a report needs, by the name under which they are imported.
_LIBRARIES = {"matplotlib": "matplotlib", "jinja2": "Jinja2"}
# For the choice of samples, and of the examples to read if there are too many.
SEED = 0


class WrittenReport(NamedTuple):
    """Where a report was written.

    Attributes:
        path: of the file.
        replaces: whether there was one before.
    """

    path: str
    replaces: bool

    def __str__(self) -> str:
        return f"the report is in {self.path}{', in place of the one before' if self.replaces else ''}"


def write_report(directory: str, output: str, *, quiet: bool, err: TextIO, watch: Watch | None = None) -> WrittenReport:
    """Writes the report of a dataset.

    Args:
        directory: folder of the dataset, as given.
        output: local path of the HTML file, whose folder is made if it is missing; "" is report.html in the dataset.
        quiet: shows no progress.
        err: shows progress.
        watch: what a program wants to see of the progress; None for a command.

    Returns:
        where the report is.

    Raises:
        UsageError: a library is missing, or no file can be at the path.
        DamagedError: there is no such dataset, or it is not whole.
        MaskmillError, OSError: the dataset cannot be read, or the file cannot be written.
    """
    from maskmill.pipeline.report.source import read_source  # not for a run, which only checks

    check_report(directory, output)
    try:
        source = read_source(directory)
        page = _make_page(source, quiet=quiet, err=err, watch=watch)
    except DatasetError as error:
        raise DamagedError(str(error)) from error
    except ImportError as error:  # fsspec, or what it needs for a store
        raise UsageError(str(error)) from error
    path = output or _path_in(directory)
    try:
        replaces = _write(path, page)
    except OSError as error:
        if output:
            raise
        problem = f"{path}: the report cannot be written: {error.strerror or error}"
        raise MaskmillError(f"{problem}; give the path of a file elsewhere") from error
    return WrittenReport(path, replaces)


def missing_libraries() -> list[str]:
    """Names the libraries that a report needs and that are not installed, as pip calls them."""
    return [library for name, library in _LIBRARIES.items() if importlib.util.find_spec(name) is None]


def check_report(directory: str, output: str) -> None:
    """Refuses what would keep a report from being written, before any work.

    Args:
        directory: folder of the dataset; it need not exist yet.
        output: path of the HTML file; "" is report.html in the dataset.

    Raises:
        UsageError: a library is missing, or no file can be at the path.
    """
    if missing := missing_libraries():
        raise UsageError(f"the report needs {' and '.join(missing)}: {pip_install(*missing)}")
    if "://" in directory and importlib.util.find_spec("fsspec") is None:
        raise UsageError(f"{directory}: reading it needs fsspec: {pip_install('fsspec')}")
    if output:
        check_output_file(output, REPORT)
    elif os.path.isdir(_path_in(directory)):
        raise UsageError(f"{_path_in(directory)}: is a folder; remove it, or give the path of an HTML file")


def _path_in(directory: str) -> str:
    return os.path.join(directory, REPORT)


def _write(path: str, page: str) -> bool:
    """Writes the page; returns whether there was one before. In a store it is written by what has read the dataset."""
    with as_os_error(path):
        if "://" in path:
            import fsspec  # needed only here

            files, name = fsspec.core.url_to_fs(path)
            replaces = bool(files.exists(name))
            files.pipe_file(name, page.encode())
        else:
            replaces = os.path.exists(path)
            make_folder_of(path)
            with open(path, "w", encoding="utf-8") as file:
                file.write(page)
    return replaces


def _make_page(source: DatasetSource, *, quiet: bool, err: TextIO, watch: Watch | None) -> str:
    # matplotlib is optional, and takes a second to import.
    from maskmill.pipeline.report.charts import draw_charts
    from maskmill.pipeline.report.near_duplicates import find_near_duplicates
    from maskmill.pipeline.report.page import page_of
    from maskmill.pipeline.report.statistics import MOST_EXAMPLES, look_at_split

    progress = Progress()
    with show_progress(progress, err, quiet=quiet, watch=watch):
        progress.expect(sum(min(examples, MOST_EXAMPLES) for examples in source.examples.values()))
        splits = [
            look_at_split(source.directory, split, source.classes[split], progress, SEED) for split in source.examples
        ]
    counts = {split.name: source.counts.get(split.name) or split.counts() for split in splits}
    charts = draw_charts(splits, counts, source.numbers, source.shard_bytes)
    return page_of(source, splits, counts, charts, find_near_duplicates(splits), SEED)
