"""Writes a report about a dataset: one HTML page that needs no other file."""

from __future__ import annotations

import importlib.util
import os
from typing import TextIO

from maskmill import DatasetError
from maskmill.install_hint import pip_install
from maskmill.pipeline.errors import DamagedError, UsageError
from maskmill.pipeline.messages.progress_bar import Watch, show_progress
from maskmill.pipeline.report.page import page_of
from maskmill.pipeline.report.source import DatasetSource, read_source
from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.parallel.progress import Progress

# What pip calls the libraries that a report needs, by the name under which they are imported.
_LIBRARIES = {"matplotlib": "matplotlib", "jinja2": "Jinja2"}
# For the choice of samples, and of the examples to read if there are too many.
SEED = 0


def write_report(directory: str, output: str, *, quiet: bool, err: TextIO, watch: Watch | None = None) -> str:
    """Writes the report of a dataset.

    Args:
        directory: folder of the dataset, as given.
        output: path of the HTML file.
        quiet: shows no progress.
        err: shows progress.
        watch: what a program wants to see of the progress; None for a command.

    Returns:
        the path of the file.

    Raises:
        UsageError: a library is missing, or no file can be at the path.
        DamagedError: there is no such dataset, or it is not whole.
        OSError: the dataset cannot be read, or the file cannot be written.
    """
    check_report(directory, output)
    try:
        source = read_source(directory)
        page = _make_page(source, quiet=quiet, err=err, watch=watch)
    except DatasetError as error:
        raise DamagedError(str(error)) from error
    except ImportError as error:  # fsspec, or what it needs for a store
        raise UsageError(str(error)) from error
    with as_os_error(output), open(output, "w", encoding="utf-8") as file:
        file.write(page)
    return output


def missing_libraries() -> list[str]:
    """Names the libraries that a report needs and that are not installed, as pip calls them."""
    return [library for name, library in _LIBRARIES.items() if importlib.util.find_spec(name) is None]


def check_report(directory: str, output: str) -> None:
    """Refuses what would keep a report from being written, before any work.

    Args:
        directory: folder of the dataset; it need not exist yet.
        output: path of the HTML file.

    Raises:
        UsageError: a library is missing, or no file can be at the path.
    """
    if missing := missing_libraries():
        raise UsageError(f"the report needs {' and '.join(missing)}: {pip_install(*missing)}")
    if "://" in directory and importlib.util.find_spec("fsspec") is None:
        raise UsageError(f"{directory}: reading it needs fsspec: {pip_install('fsspec')}")
    folder = os.path.dirname(output) or "."
    if os.path.isdir(output) or not os.path.isdir(folder):
        problem = "is a folder" if os.path.isdir(output) else f"there is no folder {folder}"
        raise UsageError(f"{output}: {problem}; give the path of an HTML file, such as report.html")


def _make_page(source: DatasetSource, *, quiet: bool, err: TextIO, watch: Watch | None) -> str:
    # matplotlib is optional, and takes a second to import.
    from maskmill.pipeline.report.charts import draw_charts
    from maskmill.pipeline.report.statistics import MOST_EXAMPLES, look_at_split

    progress = Progress()
    with show_progress(progress, err, quiet=quiet, watch=watch):
        progress.expect(sum(min(examples, MOST_EXAMPLES) for examples in source.examples.values()))
        splits = [
            look_at_split(source.directory, split, source.classes[split], progress, SEED) for split in source.examples
        ]
    counts = {split.name: source.counts.get(split.name) or split.counts() for split in splits}
    return page_of(source, splits, counts, draw_charts(splits, counts, source.shard_bytes), SEED)
