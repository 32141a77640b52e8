"""Describes rows that name their images in another way than the folder: a line for all that one change mends."""

from __future__ import annotations

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.misplaced_input import may_be_image, set_images
from maskmill.pipeline.messages.quantities import count
from maskmill.transforms.aggregate_metadata import DatasetMetadata
from maskmill.transforms.files.file_names import normal_form
from maskmill.transforms.files.find_files import exists, list_folder
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.rejected import RejectedRecord
from maskmill.transforms.text import printable

_WORDS = "write the names of the files in the CSV"
_CAPITALS, _SMALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
# What a command can hold with no more than its dots and backslashes escaped.
_PLAIN = re.compile(r"[\w ./\\-]*", re.ASCII)


class Cause(NamedTuple):
    """Why rows find no file, and what mends all of them at once.

    Attributes:
        rows: how they name their images.
        touches: ending of the names that the mend changes; "" if it changes all.
        key: the change of the parameter file that mends it; "" if there is none.
        sed: the script of sed that mends it; "" if there is none.
        folder: path before the name, with its last slash; "" for other causes. Without it, no other row is changed.
    """

    rows: str
    touches: str = ""
    key: str = ""
    sed: str = ""
    folder: str = ""


_SEVERAL_FOLDERS = Cause("with folders before the names", folder="*/")


def cause_of(image_id: str, meant: str, suffix: str = "") -> Cause:
    """Compares the name in a row with that of its file.

    Args:
        image_id: name of the image, with `suffix` at its end.
        meant: name of the file.
        suffix: value of `maskmill.image_suffix`.
    """
    image_id, meant = normal_form(image_id), normal_form(meant)
    if before := re.match(r".*[/\\]", image_id, re.DOTALL):
        folder = before[0]
        return Cause(f"with the folder {folder} before the name", sed=_sed("s#{}##", folder), folder=folder)
    written = image_id.removesuffix(suffix)
    if suffix and meant == written:
        return Cause("with an ending of their own", key="remove maskmill.image_suffix")
    if meant.startswith(f"{written}.") and suffix != meant[len(written) :]:
        ending = meant[len(written) :]
        rows = (
            f"with the ending {suffix} of maskmill.image_suffix, not {ending}"
            if suffix
            else f"without the ending {ending}"
        )
        return Cause(rows, key=f"set maskmill.image_suffix: {ending}")
    (stem, ending), (stem_meant, ending_meant) = os.path.splitext(image_id), os.path.splitext(meant)
    if stem == stem_meant:
        sed = _sed("s/{}/{}/", ending, ending_meant) if ending else ""
        return Cause(f"with the ending {ending or '(none)'}, not {ending_meant or '(none)'}", ending, sed=sed)
    if image_id.lower() == meant:
        return Cause("with capital letters", sed=f"2,$y/{_CAPITALS}/{_SMALL}/")
    if image_id.upper() == meant:
        return Cause("with small letters", sed=f"2,$y/{_SMALL}/{_CAPITALS}/")
    if image_id.casefold() == meant.casefold():
        return Cause("with other capital letters than the files")
    return Cause("with names written in another way than those of the files")


def _sed(script: str, *texts: str) -> str:
    """Fills texts into a script of sed; "" if they cannot stand in one."""
    if not all(map(_PLAIN.fullmatch, texts)):
        return ""
    return script.format(*(re.sub(r"([\\.])", r"\\\1", text) for text in texts))


def describe_misnamed(job: Job, metadata: DatasetMetadata) -> list[str]:
    """Writes a line for each cause: the first row, what the folder has, the number of rows, and what mends them."""
    groups: dict[Cause, list[RejectedRecord]] = defaultdict(list)
    for record in metadata.rejected:
        if found := metadata.misnamed.get(record):
            groups[cause_of(record.image_id, found.meant, job.input.image_suffix)].append(record)
    if len(folders := [cause for cause in groups if cause.folder]) > 1:
        groups[_SEVERAL_FOLDERS] = [record for cause in folders for record in groups.pop(cause)]
    # What changes every name is right only if no name is right yet. Images without a row count among the images.
    nothing_right = not (metadata.rows.in_examples if job.input.unlisted else metadata.images)
    return [
        _describe(job, metadata, cause, records, mends_all=nothing_right and not _has_rival(cause, groups))
        for cause, records in groups.items()
    ]


def _has_rival(cause: Cause, causes: Iterable[Cause]) -> bool:
    """Returns whether what mends a cause would change rows of another one, too, or the reverse."""
    others = [other for other in causes if other is not cause and not other.folder]
    return any(not cause.touches or other.touches in ("", cause.touches) for other in others)


def _describe(
    job: Job, metadata: DatasetMetadata, cause: Cause, records: Sequence[RejectedRecord], *, mends_all: bool
) -> str:
    first = records[0]
    rows = sum(metadata.misnamed[record].rows for record in records)
    folders, meant = job.input.folders[metadata.misnamed[first].folder], metadata.misnamed[first].meant
    there = not cause.folder or any(exists(join(folder, meant)) for folder in folders)
    mend = _WORDS
    if cause.key and mends_all:
        mend = cause.key
    elif cause.sed and (cause.folder or mends_all):
        mend = _command(job, cause.sed, {record.source for record in records}) or _WORDS
    if not there:
        mend += f"; images are read from the folders of maskmill.images: {_mend_folders(folders, cause.folder, meant)}"
    what = f"there is no such file in {' or '.join(folders)}, {'which has' if there else 'nor'} {meant}"
    place = f"{first.source}:{first.line}: {first.image_id}: {what}"
    return printable(f"{place}; {count(rows, 'row')} like this, {cause.rows}: {mend} ({first.code})")


def _mend_folders(images: Sequence[str], folder: str, name: str) -> str:
    """Says which folder to name besides the others, if the rows do so and the image is there."""
    named = (join(one, folder.rstrip("/")) for one in images)
    found = next((one for one in named if is_local(one) and os.path.isfile(join(one, name))), None)
    if found is None:
        return "put the image into one of them, or name its folder, too"
    # A folder that holds images itself stays.
    others = [one for one in images if any(may_be_image(info.name) for info in list_folder(one))]
    return set_images([*others, found])


def _command(job: Job, sed: str, sources: Collection[str]) -> str:
    """Returns the command that runs a script of sed on CSV files; "" if it would change more than names of images."""
    for file in job.input.files:
        if file.path in sources:
            # The script changes what it finds first in a line, or all letters of it.
            columns, form = file.columns, file.columns.format
            letters = columns.group is not None or any(name.upper() != name.lower() for name in form.classes)
            text = file.path.endswith(".csv") and file.compression is None and is_local(file.path)
            if not text or columns.image or ("$y/" in sed and letters):
                return ""
    return shlex.join(["sed", "-i.bak", sed, *sorted(sources)])
