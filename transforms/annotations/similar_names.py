"""Finds the files whose names resemble those of images that have no file of exactly their name."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from maskmill.transforms.annotations.records import FileStatus, ImageKey
from maskmill.transforms.files.file_names import normal_form

# Of image files, and of files that images are made from. Fixed: all workers have to agree on the loose form of a name.
_OF_IMAGES = """apng avif bmp dib gif heic j2c j2k jfif jp2 jpc jpe jpeg jpf jpg jpx mpo pbm pcx pgm pnm png ppm qoi rgb
    rgba sgi tif tiff webp"""
_ENDINGS = frozenset([*_OF_IMAGES.split(), "dcm", "dicom", "json", "mat", "nii", "npy", "npz", "txt", "xml"])
_SEPARATORS = re.compile(r"[/\\]")


def loose_form(name: str) -> str:
    """Returns what all names have in common that may mean the same image.

    It has no folder, no ending of a known format, no blanks around it, no zeros before a number, and neither case nor
    Unicode form. Names of many images must not share one, because all names that do are grouped together.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    loose = file_part(name).lower()
    while (parts := loose.rpartition("."))[0] and parts[2] in _ENDINGS:
        loose = parts[0].rstrip()
    return loose.lstrip("0") if loose.isdecimal() else loose


def file_part(path: str) -> str:
    """Returns the part of a path after its folders, which slashes or backslashes separate, without blanks around it."""
    return (_SEPARATORS.split(path)[-1] if "/" in path or "\\" in path else path).strip()


class SimilarFiles:
    """The files of image folders whose names resemble some that are looked for.

    Args:
        keys: what is looked for.
        files: what there is.
    """

    def __init__(self, keys: Iterable[ImageKey], files: Iterable[tuple[ImageKey, FileStatus]]) -> None:
        wanted = {_loose_key(key) for key in keys}
        self._files: dict[ImageKey, dict[str, FileStatus]] = defaultdict(dict)
        for key, status in files:
            if (loose := _loose_key(key)) in wanted:
                self._files[loose][key[1]] = status

    def to(self, key: ImageKey) -> Mapping[str, FileStatus]:
        """Returns the files that resemble an image, by name."""
        return self._files.get(_loose_key(key), {})

    def same(self, key: ImageKey) -> list[str]:
        """Returns the names that are the same text in a Unicode form of its own, sorted."""
        form = normal_form(key[1])
        return sorted(name for name in self.to(key) if name != key[1] and normal_form(name) == form)

    def nearest(self, key: ImageKey) -> ImageKey | None:
        """Returns the file whose name differs least, None if none resembles it."""
        folder, image_id = key

        def difference(name: str) -> tuple[bool, bool, str]:
            return not name.startswith(image_id), name.casefold() != image_id.casefold(), name

        return min(((folder, name) for name in self.to(key)), key=lambda file: difference(file[1]), default=None)


def _loose_key(key: ImageKey) -> ImageKey:
    return key[0], loose_form(key[1])
