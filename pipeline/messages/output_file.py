"""Checks the local path of a file that a person names, such as a picture or a report, and makes its folder."""

from __future__ import annotations

import os

from maskmill.pipeline.errors import UsageError


def check_output_file(path: str, example: str) -> None:
    """Refuses a path at which no file can be, before any work; its folder need not exist.

    Args:
        path: as given.
        example: a file name for the message.

    Raises:
        UsageError: the path is not a local one, or names a folder, or a file is where a folder has to be.
    """
    if "://" in path:
        raise UsageError(f"{path}: is not a path on this machine; give one, such as {example}, and copy the file then")
    if os.path.isdir(path) or path.endswith("/"):
        raise UsageError(f"{path}: is a folder; give the path of a file, such as {os.path.join(path, example)}")
    above = os.path.dirname(os.path.abspath(path))
    while not os.path.exists(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above):
        raise UsageError(f"{path}: {above} is a file, and no folder; give another path")


def make_folder_of(path: str) -> None:
    """Makes the folder of a file, if it is missing.

    Raises:
        OSError: it cannot be made.
    """
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
