"""Finds the names that the columns may have in the header of a CSV file that does not name them as expected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from maskmill.transforms.annotations.columns import RowFormat
from maskmill.transforms.text import letters_and_digits, printable

# Names that other datasets give to these columns, as `letters_and_digits` makes them.
_OTHER_NAMES = {
    "image_column": ("id", "image", "img", "imagename", "imagefile", "file", "filename", "name", "path"),
    "class_column": ("class", "classname", "label", "category", "categoryid", "defect", "type"),
    "mask_column": ("rle", "rlemask", "mask", "pixels", "encoding", "annotation", "segmentation", "runs"),
    "group_column": ("group",),
}
_ALIKE = 0.75
# YAML takes them for something else than a text.
_NO_TEXTS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def explain_missing_columns(header: Sequence[str], form: RowFormat) -> str:
    """Says which names of a header may be those of the missing columns, and which keys of the parameter file say so.

    Args:
        header: names of the columns.
        form: names the columns that are looked for.

    Returns:
        the advice; "" if no column is missing, or if nothing is known of any.
    """
    missing = _missing_columns(header, form)
    found = _meant_columns(missing, [name for name in header if name and name not in form.names])
    mends = []
    if found:
        keys = ", ".join(f"maskmill.{key}: {_yaml(name)}" for key, name in found.items())
        mends.append(f"did you mean {', '.join(map(repr, map(printable, found.values())))}? Set {keys}")
    unknown = [key for key in missing if key not in found]
    if "class_column" in unknown and len(unknown) < 3:
        unknown.remove("class_column")
        mends.append("if rows have no class because there is only one, set maskmill.class_column: null")
    if unknown and mends:
        mends.append(f"name the other column with maskmill.{' and maskmill.'.join(unknown)}")
    return "; ".join(mends)


def _yaml(name: str) -> str:
    """Writes a name as the value of a key."""
    is_plain = re.fullmatch(r"[A-Za-z][\w .-]*", name) and name.lower() not in _NO_TEXTS
    return name if is_plain else json.dumps(name, ensure_ascii=False)


def _missing_columns(header: Sequence[str], form: RowFormat) -> dict[str, str]:
    """Returns the required columns that a header does not name, by key of the parameter file."""
    wanted = {
        "image_column": form.image,
        "class_column": form.class_id,
        "mask_column": form.mask,
        "group_column": form.group,
    }
    joined = ("image_column", "class_column") if form.class_id and form.image_and_class in header else ()
    return {key: name for key, name in wanted.items() if name and name not in header and key not in joined}


def _meant_columns(missing: Mapping[str, str], free: list[str]) -> dict[str, str]:
    """Returns names that the missing columns may have, by key.

    Args:
        missing: names that are looked for, by key.
        free: names in the header that are not in use.
    """
    found: dict[str, str] = {}
    if {"image_column", "class_column"} <= missing.keys():
        found = next(filter(None, (_split_joined(name, missing) for name in free)), {})
    for key, name in missing.items():
        if key not in found and (near := _nearest(key, name, free)):
            found[key] = near
            free = [other for other in free if other != near]
    return found


def _split_joined(column: str, missing: Mapping[str, str]) -> dict[str, str]:
    """Splits the name of a column such as `Image_Label` into those of image and class; empty if it is no such name."""
    places = [match.start() for match in re.finditer("_", column)]
    splits = [{"image_column": column[:place], "class_column": column[place + 1 :]} for place in places]
    same = (
        parts
        for parts in splits
        if all(letters_and_digits(part) == letters_and_digits(missing[key]) for key, part in parts.items())
    )
    near = (parts for parts in splits if all(_nearest(key, missing[key], [part]) for key, part in parts.items()))
    return next(same, next(near, {}))


def _nearest(key: str, name: str, columns: Sequence[str]) -> str | None:
    """Returns the column that is most likely meant by a name."""
    plain = {letters_and_digits(column): column for column in reversed(columns) if letters_and_digits(column)}
    near = [
        letters_and_digits(name),
        *_OTHER_NAMES[key],
        *get_close_matches(letters_and_digits(name), plain, n=1, cutoff=_ALIKE),
    ]
    return next((plain[one] for one in near if one in plain), None)
