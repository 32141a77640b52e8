"""Finds input that lies a folder above or below where the parameter file says, or beside that file."""

from __future__ import annotations

import itertools
import json
import os
import re
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
# A name that needs no quotes in a list of YAML.
_PLAIN = re.compile(r"[A-Za-z0-9_./][\w ./-]*")
# Endings of what lies beside images. A file with another ending, or without one, may be an image that a row names.
_NO_IMAGES = (".txt", ".md", ".csv", ".json", ".xml", ".html", ".pdf", ".yaml", ".zip", ".gz", ".tar", ".7z", ".rar")


def check_images(data_dir: str, images: Sequence[str], *, by_name: bool = False) -> list[str]:
    """Says what is wrong with folders in which no image is.

    Args:
        data_dir: folder that relative names begin in.
        images: value of `maskmill.images`, a list; the folders exist.
        by_name: whether only files count that have the ending of an image, because no row names any.

    Returns:
        a message for each of them that holds no image.
    """
    problems = ((name, _without_images(join(data_dir, name), by_name=by_name)) for name in images)
    return [f"{join(data_dir, name)}: {_advise(*found, name, images)}" for name, found in problems if found]


def _without_images(folder: str, *, by_name: bool) -> tuple[str, list[str]] | None:
    """Returns what is wrong with a folder, and which folders below it hold images; None if it may hold some itself."""
    counts = _is_clearly_image if by_name else may_be_image
    if any(counts(info.name) for info in list_folder(folder)):
        return None
    if found := folders_with_images(folder):
        return "holds no images", found
    if not all(is_utf8(info.name) for info in list_folder(folder, every_name=True)):
        return "holds no images with names in UTF-8; rename its files", []
    if any(may_be_image(info.name) for info in list_folder(folder)):
        return "holds no file that ends as images do, such as .jpg or .png; rename its files", []
    return "holds no images; put them there, or set maskmill.images", []


def _advise(what: str, below: Sequence[str], name: str, images: Sequence[str]) -> str:
    """Advises to name the folders below that hold the images in place of one."""
    if not below:
        return what
    if len(below) > _SHOWN:
        shown = f"{', '.join(below[:_SHOWN])}, …"
        return f"{what}, only folders of them ({shown}); name them in maskmill.images, or put all images into one"
    meant = f"its folder {below[0]} does" if len(below) == 1 else f"its folders {', '.join(below)} do"
    named = [one for other in images for one in ([join(name, part) for part in below] if other == name else [other])]
    return f"{what}, but {meant}; {set_images(named)}"


def set_images(images: Sequence[str]) -> str:
    """Writes the advice to set `maskmill.images`, as YAML has it."""
    if len(images) == 1:
        return f"set maskmill.images: {images[0]}"
    names = (name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in images)
    return f"set maskmill.images: [{', '.join(names)}]"


def may_be_image(name: str) -> bool:
    """Returns whether a file of this name may be an image that a row names."""
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


def better_data_dirs(data_dir: str, images: Sequence[str], csv: Sequence[str]) -> list[str]:
    """Finds local folders near `data_dir` that hold what it should, the CSV files and the image folders.

    Args:
        data_dir: as given.
        images: names of the image folders.
        csv: names of the CSV files.

    Returns:
        their paths, as `data_dir` can give them.
    """
    if not is_local(data_dir):
        return []
    below = (path for path, _ in _walk(data_dir) if path != data_dir)
    near = [*below, os.path.join(data_dir, os.pardir)]
    return [os.path.normpath(path) for path in near if _holds_input(path, images, csv)]


def _holds_input(folder: str, images: Sequence[str], csv: Sequence[str]) -> bool:
    return all(is_folder(join(folder, name)) for name in images) and all(match_files(folder, name) for name in csv)


def beside_params(data_dir: str, params_file: str, images: Sequence[str], csv: Sequence[str]) -> str:
    """Says what to do if a relative `data_dir` is right from the folder of the parameter file; "" if it is not.

    Args:
        data_dir: as given.
        params_file: path of the parameter file; "" if there is none.
        images: names of the image folders.
        csv: names of the CSV files.
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
