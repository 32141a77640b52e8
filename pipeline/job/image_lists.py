"""Reads the lists of images that the keys `exclude`, `groups` and `splits_file` name."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from maskmill.names import EVAL, FOLD_NAME, TRAIN
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.params import Params
from maskmill.pipeline.messages.quantities import count
from maskmill.transforms.annotations.image_ids import file_named
from maskmill.transforms.annotations.image_values import GROUPS, SPLITS, ValueColumn, ValueFileError, parse_values
from maskmill.transforms.annotations.parse_row import is_file_name
from maskmill.transforms.examples.image import is_image_name
from maskmill.transforms.files.file_names import normal_form
from maskmill.transforms.files.find_files import exists, list_folder
from maskmill.transforms.files.paths import absolute, is_local, join
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

_COMMENT = "#"
_SHOWN_NAMES = 3
# That a file of splits may name.
MAX_SPLITS = 100


class ImageLists(NamedTuple):
    """What a parameter file says of single images.

    Attributes:
        excluded: names of the files that become no examples, as `file_named` gives them.
        groups: path of the CSV file with the groups, absolute; None if there is none.
        groups_sha256: of its content, hexadecimal; "" if there is none.
        splits_file: path of the CSV file with the splits, absolute; None if there is none.
        split_of: the split of each image, by the name of the file as `file_named` gives it.
    """

    excluded: frozenset[str] = frozenset()
    groups: str | None = None
    groups_sha256: str = ""
    splits_file: str | None = None
    split_of: Mapping[str, str] = {}

    @property
    def settings(self) -> list[object]:
        """What decides a dataset, as JSON can hold it; empty without lists."""
        images = [sorted(self.excluded), self.groups_sha256] if self.excluded or self.groups else []
        digest = hashlib.sha256(json.dumps(sorted(self.split_of.items())).encode()).hexdigest()
        return [*images, *([{"splits_file": digest}] if self.splits_file else [])]

    @property
    def splits(self) -> list[str]:
        """Names of the splits that the file of splits names: train_input, eval_input, folds, others."""
        return sorted(set(self.split_of.values()), key=_split_order)

    @property
    def named(self) -> dict[str, Collection[str]]:
        """Images that keys name, and that ought to be in an image folder; by key."""
        return {"exclude": self.excluded, "splits_file": self.split_of}


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
    groups = _read_values("groups", keys.groups, GROUPS, params)
    splits = _read_values("splits_file", keys.splits_file, SPLITS, params)
    if splits.path is not None:
        _check_splits(splits.path, splits.of_image)
        _check_groups(splits.of_image, _group_finder(params, groups.of_image))
    return ImageLists(names, groups.path, groups.sha256, splits.path, splits.of_image)


class _Values(NamedTuple):
    """A file with a value for each image: its absolute path, sha256 of its content, values by name of the file."""

    path: str | None = None
    sha256: str = ""
    of_image: Mapping[str, str] = {}


def _read_values(key: str, given: str | None, column: ValueColumn, params: Params) -> _Values:
    if given is None:
        return _Values()
    path, text = _read_file(key, given, params)
    try:
        values = parse_values(text, path, column, params.maskmill.image_suffix)
    except ValueFileError as error:
        raise UsageError(f"maskmill.{key}: {error}") from error
    return _Values(path, hashlib.sha256(text).hexdigest(), values)


def _check_splits(path: str, split_of: Mapping[str, str]) -> None:
    """Raises if the splits of a file cannot be those of a dataset."""
    names = sorted(set(split_of.values()))
    alike = {name.lower(): name for name in names}
    problem = ""
    if not names:
        problem = "it names no image; give a line for each image, with its ImageId and split"
    elif len(names) > MAX_SPLITS:
        problem = f"it names {len(names)} splits, more than {MAX_SPLITS}; the column is most likely of something else"
    elif other := next((name for name in names if alike[name.lower()] != name), ""):
        problem = f"{other} and {alike[other.lower()]} differ only in case; write one of them"
    if problem:
        raise UsageError(f"maskmill.splits_file: {path}: {problem}")


def _group_finder(params: Params, groups: Mapping[str, str]) -> Callable[[str], str]:
    """Returns what finds the group of an image; "" where it has none."""
    pattern = params.maskmill.group_pattern
    if pattern is None:
        return lambda name: groups.get(name, "")

    def find(name: str) -> str:
        found = re.search(pattern, name)
        return (found[min(1, found.re.groups)] or "") if found else ""

    return find


def _check_groups(split_of: Mapping[str, str], group_of: Callable[[str], str]) -> None:
    """Raises if the splits of a file tear a group apart."""
    first: dict[str, str] = {}
    for name, split in split_of.items():
        if (group := group_of(name)) and split_of[other := first.setdefault(group, name)] != split:
            raise UsageError(
                f"maskmill.splits_file: {printable(other)} is in {split_of[other]} and {printable(name)} in {split}, "
                f"but both are in the group {group!r}; put all images of a group into one split, or do without groups"
            )


def _split_order(name: str) -> tuple[int, int, str]:
    fold = FOLD_NAME.fullmatch(name)
    first = [TRAIN, EVAL].index(name) if name in (TRAIN, EVAL) else 2
    return first, int(fold[1]) if fold else MAX_SPLITS, name


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


def warn_of_unknown(named: Mapping[str, Collection[str]], folders: Iterable[str]) -> tuple[str, ...]:
    """Warns of named images that no folder has.

    Args:
        named: see `ImageLists`.
        folders: paths of the image folders; none is listed if no image is named.

    Raises:
        OSError: a folder cannot be listed.
    """
    unknown = {key: set(names) for key, names in named.items() if names}
    for folder in folders if unknown else ():
        there = {normal_form(info.name) for info in list_folder(folder)}
        for names in unknown.values():
            names -= there
    return tuple(_describe_unknown(key, sorted(names), len(named[key])) for key, names in unknown.items() if names)


def _describe_unknown(key: str, names: list[str], of: int) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    shown = printable(", ".join(names[:_SHOWN_NAMES])) + more
    images = f"{len(names)} of {count(of, 'image')} {'is' if len(names) == 1 else 'are'}"
    return f"maskmill.{key}: {images} not in the image folder: {shown}; give the names of files, with their endings"
