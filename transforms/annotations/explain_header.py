"""Finds the cause when the first line of a CSV file does not name the columns, and says what to do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from maskmill.transforms.annotations.column_names import explain_missing_columns
from maskmill.transforms.annotations.columns import SEPARATORS, RowFormat, header_names, parse_header
from maskmill.transforms.annotations.explain_content import rewrite
from maskmill.transforms.rejected import DataError
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

_MARK = "\ufeff"
_COMMENTS = "#/%"
# Lines that programs write before a header: blank ones, comments, and the separator, for Excel.
_BEFORE_HEADERS = re.compile(rf'\s*$|[{_COMMENTS}]|"?sep=', re.IGNORECASE)
# A header is searched in so many lines.
_SEARCHED_LINES = 50
_RUNS = re.compile(r"-1|\d+(\s+\d+)+")
_IMAGE = re.compile(r"\.(jpe?g|png|tiff?|bmp|gif|webp|jp2|avif|dcm|p[bgnp]m|qoi)(_\S*)?$", re.IGNORECASE)
# Commands that read a file and write its new content.
_CR_TO_LF = r"tr '\r' '\n'"
_UNCOMMENT = "sed '1s/^[#/% ]*//'"
_UNMARK = "tail -c +4"


def explain_header(text: str, form: RowFormat, path: str) -> str:
    """Says why the columns cannot be found, and what to do.

    Args:
        text: the beginning of the file, whose first line is no header that names the columns.
        form: names the columns that are looked for.
        path: see `explain_content.rewrite`.

    Returns:
        the message, without the name of the file; a command, if there is one, is at its end.
    """
    if not text.strip(f"{_MARK}\r\n\t "):
        return "the file holds nothing but blanks" if text else "the file is empty"
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if "\r" in lines[0].rstrip("\r"):
        problem = "the lines end in CR alone, as old programs for the Mac save them; save the file with LF"
        return f"{problem}{rewrite(path, _CR_TO_LF)}"
    if _is_commented_header(lines[0].removeprefix(_MARK), form):
        command = f"{{ {_UNMARK} | {_UNCOMMENT}; }}" if lines[0].startswith(_MARK) else _UNCOMMENT
        return f"the header begins with the mark of a comment; remove it{rewrite(path, command)}"
    return "; ".join(_find_causes(lines, form, path))


def _is_commented_header(line: str, form: RowFormat) -> bool:
    return line[:1] in tuple(_COMMENTS) and bool(_separators_of(line.lstrip(f"{_COMMENTS} "), form))


def _find_causes(lines: Sequence[str], form: RowFormat, path: str) -> Iterator[str]:
    """Yields all that is wrong with the lines up to the header; a command only at the end."""
    before = _lines_before_header(lines, form)
    header = lines[before]
    fitting = _separators_of(header, form)
    word = fitting[0] if fitting else _likely_separator(header, form)
    found = form._replace(separator=SEPARATORS[word])
    if found.separator != form.separator:
        advice = f"save it with commas, or set maskmill.separator: {word}"
        advice = "remove maskmill.separator" if word == "comma" else advice
        yield f"the columns are separated by {word}s, not {_word_of(form)}s; {advice}"
    rest = f"tail -n +{before + 1}" if before else "cat"
    if not fitting and (fields := _fields_of_row(header, found)):
        # A byte order mark would stand before the row.
        rest = _UNMARK if header.startswith(_MARK) else rest
        names = found.separator.join(_header_for(fields, found))
        problem = f"there is no header: the first line is a row ({_shown(header)}); put the names of the columns there"
        yield f"{problem}, {names}{rewrite(path, f'{{ echo {shlex.quote(names)}; {rest}; }}')}"
        return
    if not fitting:
        yield _explain_names(header, found)
    if before:
        problem = f"the first line is not the header but {_shown(lines[0])!r}; remove what stands before the header"
        yield f"{problem}{rewrite(path, rest)}"


def _shown(line: str) -> str:
    return printable(line.removeprefix(_MARK)[:SHOWN_CHARACTERS])


def _lines_before_header(lines: Sequence[str], form: RowFormat) -> int:
    """Returns how many lines stand before the header, or before what is in its place."""
    named = (number for number, line in enumerate(lines[:_SEARCHED_LINES]) if _separators_of(line, form))
    others = (number for number, line in enumerate(lines) if not _BEFORE_HEADERS.match(line.removeprefix(_MARK)))
    return next(named, next(others, 0))


def _separators_of(line: str, form: RowFormat) -> list[str]:
    """Returns the words for the separators with which a line names the columns."""
    return [word for word, mark in SEPARATORS.items() if _names_columns(line, form._replace(separator=mark))]


def _names_columns(line: str, form: RowFormat) -> bool:
    try:
        parse_header(line, form)
    except ValueError:
        return False
    return True


def _likely_separator(line: str, form: RowFormat) -> str:
    """Returns the word for the separator of a line that does not name the columns."""
    most = max(SEPARATORS, key=lambda word: line.count(SEPARATORS[word]))
    return most if form.separator not in line and SEPARATORS[most] in line else _word_of(form)


def _word_of(form: RowFormat) -> str:
    return next(word for word, mark in SEPARATORS.items() if mark == form.separator)


def _explain_names(line: str, form: RowFormat) -> str:
    """Says what is wrong with the names in a header."""
    try:
        header = header_names(line, form.separator)
        parse_header(line, form)
    except DataError as error:
        return error.message
    except ValueError as error:
        what, _, advice = str(error).rpartition("; ")
    if len(header) == 1 and form.separator in header[0]:
        return "the whole line is in quotes, as one field; put none, or each field alone, into quotes"
    return f"{what}; {explain_missing_columns(header, form) or advice}"


def _fields_of_row(line: str, form: RowFormat) -> list[str]:
    """Returns the fields of a line that is a row; none if it is not."""
    try:
        fields = header_names(line, form.separator)
    except DataError:
        return []
    return fields if any(_RUNS.fullmatch(field) or _IMAGE.search(field) for field in fields) else []


def _header_for(fields: Sequence[str], form: RowFormat) -> list[str]:
    """Names the fields of a row, by what they hold."""
    names = [f"column_{number}" for number in range(1, len(fields) + 1)]
    free = list(range(len(fields)))

    def name_field(name: str | None, likely: Iterable[int]) -> None:
        if name and free:
            index = next(index for index in [*likely, *free] if index in free)
            names[index] = name
            free.remove(index)

    is_joined = form.class_id is not None and len(fields) == len(form.names) - 1
    images = [index for index, field in enumerate(fields) if _IMAGE.search(field)]
    name_field(form.image_and_class if is_joined else form.image, images)
    name_field(form.mask, [index for index, field in enumerate(fields) if _RUNS.fullmatch(field)] or free[::-1])
    name_field(None if is_joined else form.class_id, [i for i, field in enumerate(fields) if field in form.classes])
    name_field(form.group, free[::-1])
    return names
