"""Judges names of files: whether they are text, what systems leave behind, and Unicode forms of the same name."""

from __future__ import annotations

import unicodedata
from fnmatch import fnmatchcase

from maskmill.names import is_utf8

# What file managers write into folders, in lower case.
_OF_FILE_MANAGERS = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"})
# Of hidden files, the `._` files of macOS among them, and of the locks of office programs.
_LITTER_STARTS = (".", "~$")


def shown_path(path: str) -> str:
    r"""Returns a path as a terminal can show it: each byte that is not UTF-8 as `\xf6`, as shells write it in `$''`."""
    return path if is_utf8(path) else path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def is_of_file_manager(name: str) -> bool:
    """Returns whether a file manager writes a file of this name, which is never an image."""
    return name.lower() in _OF_FILE_MANAGERS


def is_litter(name: str) -> bool:
    """Returns whether a file is hidden, or left behind by a system: it is used only if a row or path names it."""
    return name.startswith(_LITTER_STARTS) or is_of_file_manager(name)


def takes(pattern: str, path: str) -> bool:
    """Returns whether a glob pattern takes a path that it matches: litter only if it names it, as `.*.csv` does.

    Args:
        pattern: relative or absolute.
        path: below the same folder as the pattern.
    """
    named = [part for part in pattern.split("/") if is_litter(part)]
    return all(
        any(part == one or fnmatchcase(part, one) for one in named) for part in path.split("/") if is_litter(part)
    )


def normal_form(name: str) -> str:
    """Returns the form (NFC) that all spellings of the same text have; macOS writes names in another (NFD)."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)
