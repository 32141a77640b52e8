"""Reads the lists of images that the keys `exclude` and `groups` name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.params import Params
from maskmill.pipeline.messages.quantities import count
from maskmill.transforms.annotations.image_ids import file_named
from maskmill.transforms.annotations.parse_row import is_file_name
from maskmill.transforms.annotations.read_groups import GroupFileError, parse_groups
from maskmill.transforms.examples.image import is_image_name
from maskmill.transforms.files.file_names import normal_form
from maskmill.transforms.files.find_files import exists, list_folder
from maskmill.transforms.files.paths import absolute, is_local, join
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

_COMMENT = "#"
_SHOWN_NAMES = 3


class ImageLists(NamedTuple):
    """What a parameter file says of single images.

    Attributes:
        excluded: names of the files that become no examples, as `file_named` gives them.
        groups: path of the CSV file with the groups, absolute; None if there is none.
        groups_sha256: of its content, hexadecimal; "" if there is none.
    """

    excluded: frozenset[str] = frozenset()
    groups: str | None = None
    groups_sha256: str = ""

    @property
    def settings(self) -> list[object]:
        """What decides a dataset, as JSON can hold it; empty without lists."""
        return [sorted(self.excluded), self.groups_sha256] if self.excluded or self.groups else []


def read_image_lists(params: Params) -> ImageLists:
    """Reads the lists.

    Raises:
        UsageError: a file cannot be read, or something in it is wrong; the message names the line.
    """
    keys = params.maskmill
    excluded: Iterable[str] = keys.exclude or ()
    if isinstance(keys.exclude, str):
        path, text = _read_file("exclude", keys.exclude, params)
        excluded = _parse_names(text, path)
    names = frozenset(file_named(image_id, keys.image_suffix) for image_id in excluded)
    if keys.groups is None:
        return ImageLists(names)
    path, text = _read_file("groups", keys.groups, params)
    try:
        parse_groups(text, path, keys.image_suffix)
    except GroupFileError as error:
        raise UsageError(f"maskmill.groups: {error}") from error
    return ImageLists(names, path, hashlib.sha256(text).hexdigest())


def _read_file(key: str, given: str, params: Params) -> tuple[str, bytes]:
    """Returns the absolute path of a file, and its content."""
    try:
        path = absolute(given)
        return path, read_bytes(path)
    except (OSError, ValueError) as error:  # ValueError: a path that no file system can have
        reason = getattr(error, "strerror", None) or error
        mend = _found_elsewhere(key, given, params) or _meant_as_image(key, given) or "correct the path"
        raise UsageError(f"maskmill.{key}: {given} cannot be read: {reason}; {mend}") from error


def _found_elsewhere(key: str, given: str, params: Params) -> str:
    """Returns the advice to name a file that is in a `data_dir`, or beside the parameter file; "" if it is not."""
    if not is_local(given) or os.path.isabs(given):
        return ""
    folders = [*(split.data_dir for split in params.splits.values()), os.path.dirname(params.source)]
    found = next((path for folder in folders if exists(path := join(folder, given)) and path != given), None)
    return f"a relative path begins in the working folder: set maskmill.{key}: {found}" if found else ""


def _meant_as_image(key: str, given: str) -> str:
    """Returns the advice to write a list, if a path is more likely the name of an image; "" if it is not."""
    is_image = key == "exclude" and is_file_name(given) and is_image_name(given)
    return f"to exclude an image, write a list: maskmill.exclude: {json.dumps([given])}" if is_image else ""


def _parse_names(text: bytes, path: str) -> Iterator[str]:
    """Yields the ImageIds of a text file; blank lines and those that begin with # are left out."""
    for number, line in enumerate(text.split(b"\n"), start=1):
        try:
            name = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise UsageError(f"{path}:{number}: the line is not UTF-8; save the file as UTF-8") from error
        if not name or name.startswith(_COMMENT):
            continue
        if not is_file_name(name):
            shown = repr(printable(name[:SHOWN_CHARACTERS]))
            advice = "maskmill.exclude takes a line for each image, with the name of its file, not a path"
            raise UsageError(f"{path}:{number}: {shown} is no file name; {advice}")
        yield name


def warn_of_unknown(excluded: Collection[str], folders: Iterable[str]) -> tuple[str, ...]:
    """Warns of excluded images that no folder has.

    Args:
        excluded: see `ImageLists`.
        folders: paths of the image folders; none is listed if no image is excluded.

    Raises:
        OSError: a folder cannot be listed.
    """
    unknown = set(excluded)
    if unknown:
        for folder in folders:
            unknown.difference_update(normal_form(info.name) for info in list_folder(folder))
    if not unknown:
        return ()
    names = sorted(unknown)
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    shown = printable(", ".join(names[:_SHOWN_NAMES])) + more
    images = f"{len(names)} of {count(len(excluded), 'image')} {'is' if len(names) == 1 else 'are'}"
    return (
        f"maskmill.exclude: {images} not in the image folder: {shown}; give the names of files, with their endings",
    )
