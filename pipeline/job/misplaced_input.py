"""Finds input that lies a folder above or below where the parameter file says, or beside that file."""

from __future__ import annotations

import itertools
import os
import shlex
from collections.abc import Iterator, Sequence

from maskmill.names import is_utf8
from maskmill.transforms.examples.image import is_image_name
from maskmill.transforms.files.file_names import is_litter
from maskmill.transforms.files.find_files import is_folder, list_folder, match_files
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.stores import store_of

# Of folders, or of objects in a store, that are looked at.
_MOST = 10_000
_SHOWN = 3
# Endings of what lies beside images. A file with another ending, or without one, may be an image that a row names.
_NO_IMAGES = (".txt", ".md", ".csv", ".json", ".xml", ".html", ".pdf", ".yaml", ".zip", ".gz", ".tar", ".7z", ".rar")


def check_images(folder: str, key: str) -> str:
    """Says what is wrong with a folder in which no image is; returns "" if there may be one.

    Args:
        folder: path of the image folder, which exists.
        key: value of `maskmill.images`.
    """
    if any(_may_be_image(info.name) for info in list_folder(folder)):
        return ""
    found = folders_with_images(folder)
    if len(found) == 1:
        return f"{folder}: holds no images, but its folder {found[0]} does; set maskmill.images: {join(key, found[0])}"
    if found:
        more = ", …" if len(found) > _SHOWN else ""
        names = ", ".join(found[:_SHOWN])
        return f"{folder}: holds no images, only folders of them ({names}{more}); put all images into one folder"
    if not all(is_utf8(info.name) for info in list_folder(folder, every_name=True)):
        return f"{folder}: holds no images with names in UTF-8; rename its files"
    return f"{folder}: holds no images; put them there, or set maskmill.images"


def _may_be_image(name: str) -> bool:
    # A store may have an object without a name, in place of a folder.
    return bool(name) and not is_litter(name) and not name.lower().endswith(_NO_IMAGES)


def folders_with_images(folder: str) -> list[str]:
    """Finds the folders below a folder that hold images themselves: their paths in it, sorted."""
    if is_local(folder):
        found = (path for path, names in _walk(folder) if any(map(_is_clearly_image, names)))
        return sorted(os.path.relpath(path, folder) for path in found if path != folder)
    if not (store := store_of(folder)):
        return []
    prefix = f"{folder.rstrip('/')}/"
    paths = (info.path.removeprefix(prefix) for info in itertools.islice(store.list(prefix, below=True), _MOST))
    return sorted({path.rpartition("/")[0] for path in paths if "/" in path and _is_clearly_image(path)})


def _is_clearly_image(path: str) -> bool:
    return is_image_name(path) and not is_litter(path.rpartition("/")[2])


def _walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yields local folders with the names of their files, from the top; without hidden folders."""
    for path, folders, names in itertools.islice(os.walk(folder), _MOST):
        folders[:] = sorted(name for name in folders if is_utf8(name) and not is_litter(name))
        yield path, names


def better_data_dirs(data_dir: str, images: str, csv: Sequence[str]) -> list[str]:
    """Finds local folders near `data_dir` that hold what it should, the CSV files and the image folder.

    Args:
        data_dir: as given.
        images: value of `maskmill.images`.
        csv: value of `maskmill.csv`.

    Returns:
        their paths, as `data_dir` can give them.
    """
    if not is_local(data_dir):
        return []
    below = (path for path, _ in _walk(data_dir) if path != data_dir)
    near = [*below, os.path.join(data_dir, os.pardir)]
    return [os.path.normpath(path) for path in near if _holds_input(path, images, csv)]


def _holds_input(folder: str, images: str, csv: Sequence[str]) -> bool:
    return is_folder(join(folder, images)) and all(match_files(folder, name) for name in csv)


def beside_params(data_dir: str, params_file: str, images: str, csv: Sequence[str]) -> str:
    """Says what to do if a relative `data_dir` is right from the folder of the parameter file; "" if it is not.

    Args:
        data_dir: as given.
        params_file: path of the parameter file; "" if there is none.
        images: value of `maskmill.images`.
        csv: value of `maskmill.csv`.
    """
    if not params_file or not is_local(params_file) or not is_local(data_dir) or os.path.isabs(data_dir):
        return ""
    folder = os.path.dirname(os.path.abspath(params_file))
    there = os.path.normpath(os.path.join(folder, data_dir))
    if os.path.samefile(folder, os.curdir) or not _holds_input(there, images, csv):
        return ""
    return (
        f"a relative data_dir is looked up from the working folder, {os.getcwd()}, not from the parameter file: set "
        f"data_dir: {there}, or first run cd {shlex.quote(folder)} and give "
        f"--params {shlex.quote(os.path.basename(params_file))}"
    )
