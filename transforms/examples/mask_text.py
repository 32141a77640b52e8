"""Reads the text of a mask, in each convention that is in circulation, as runs of one kind."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.rle import Runs
from maskmill.transforms.rejected import Code, DataError

# Encodings of a mask.
PAIRS, RELATIVE, COUNTS = "pairs", "relative", "counts"
# Separators of its numbers.
BLANK, COMMA = "blank", "comma"

# A larger number is past the end of every image that can be read, and `fromstring` saturates if a number does not fit
# into a long of the platform.
MAX_NUMBER = 2**31 - 2
_NUMBER_BYTES = b"0123456789 \t"
_EMPTY = np.empty((0, 2), np.int64)


class RunFormat(NamedTuple):
    """The convention in which masks are written.

    The default is that of the competition (Kaggle, Severstal: Steel Defect Detection, "Evaluation"). Whether pixels are
    numbered down the columns or along the rows does not matter before a mask is drawn: see `rle.runs_to_mask`.

    Attributes:
        encoding: `PAIRS`: start and length of each run; `RELATIVE`: the same, but each start except the first counts
            from the end of the run before (Kaggle, SIIM-ACR Pneumothorax Segmentation); `COUNTS`: numbers of pixels
            that are 0 and 1, in turn, beginning with 0 (COCO, uncompressed RLE).
        first: number of the first pixel, 0 or 1; counts number no pixel.
        separator: what separates the numbers: `BLANK`, or `COMMA`, with or without blanks.
        any_order: whether pairs may be in any order; otherwise a start before that of the run before is an error.
    """

    encoding: str = PAIRS
    first: int = 1
    separator: str = BLANK
    any_order: bool = False


def parse_runs(text: str, form: RunFormat = RunFormat()) -> Runs:  # noqa: B008 - it is frozen
    """Parses the text of a mask, and checks what can be checked without the image.

    Args:
        text: numbers in the convention of `form`, with or without square brackets around them, or `-1` for an empty
            mask.
        form: the convention.

    Returns:
        int64 [runs, 2]: start (from 1) and length, in pixels; ascending by start unless `form.any_order`.

    Raises:
        DataError: the text is no mask in this convention.
    """
    if text.strip() == "-1":
        return _EMPTY
    numbers = _parse_numbers(text, form)
    if form.encoding == COUNTS:
        return _runs_of_counts(numbers)
    if numbers.size % 2:
        raise DataError(
            Code.RLE_ODD_COUNT,
            f"the mask has {numbers.size} numbers, but runs are pairs of start and length; complete or remove the "
            "last, or set maskmill.runs.encoding: counts if the numbers count pixels of 0 and 1 in turn",
        )
    runs = numbers.reshape(-1, 2)
    if form.encoding == RELATIVE:
        return _absolute_runs(runs, form.first)
    _check_run_numbers(runs, form.first, form.first)
    if not form.any_order:
        _check_ascending(runs)
    if form.first != 1:
        runs[:, 0] += 1 - form.first
    return runs


def _parse_numbers(text: str, form: RunFormat) -> NDArray[np.int64]:
    """Returns the numbers of a text, none of them negative; those above `MAX_NUMBER` may be wrong."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    blanks = text.replace(",", " ") if form.separator == COMMA else text
    if blanks.encode("utf-8", "replace").translate(None, _NUMBER_BYTES):
        _explain_bad_number(blanks, form)
    numbers = np.fromstring(blanks, dtype=np.int64, sep=" ")
    if form.separator == COMMA:
        _check_commas(text, numbers)
    return numbers


def _check_commas(text: str, numbers: NDArray[np.int64]) -> None:
    if numbers.size != text.count(",") + 1 and text.strip():
        problem = f"the mask has {numbers.size} numbers and {text.count(',')} commas"
        mend = "; if blanks separate them, set maskmill.runs.separator: blank" if "," not in text else ""
        raise DataError(Code.RLE_NOT_NUMBERS, f"{problem}; one comma must stand between two numbers{mend}")


def _explain_bad_number(text: str, form: RunFormat) -> NoReturn:
    # Not split(): a mask may have many megabytes. Words are looked at one at a time, up to the bad one.
    for number, found in enumerate(re.finditer(r"\S+", text), start=1):
        word = found[0]
        if re.fullmatch(r"-[0-9]+", word):
            raise _negative_number(number, word, form)
        if not re.fullmatch(r"[0-9]+", word):
            problem = f"the mask's word {number} is {_shorten(word)!r}"
            mend = "; if commas separate them, set maskmill.runs.separator: comma" if "," in word else ""
            needed = f"a mask is whole numbers separated by {form.separator}s"
            raise DataError(Code.RLE_NOT_NUMBERS, f"{problem}; {needed}{mend}")
    raise DataError(Code.RLE_NOT_NUMBERS, f"the mask's numbers are separated by something other than {form.separator}s")


def _negative_number(number: int, word: str, form: RunFormat) -> DataError:
    if form.encoding == COUNTS:
        return DataError(Code.RLE_BAD_LENGTH, f"count {number} is {_shorten(word)}; the least is 0")
    run = f"run {(number + 1) // 2}"
    if number % 2 == 0:
        return DataError(Code.RLE_BAD_LENGTH, f"{run} has the length {_shorten(word)}; the least is 1")
    least = form.first if form.encoding == PAIRS or number == 1 else 0
    return DataError(Code.RLE_BAD_START, f"{run} has the start {_shorten(word)}; the least is {least}")


def _shorten(word: str, limit: int = 40) -> str:
    return word if len(word) <= limit else f"{word[:limit]}…"


def _check_run_numbers(runs: Runs, first: int, later: int) -> None:
    """Raises for a start below `first`, `later` after the first run; for a length below 1; for too large numbers."""
    # Not min() and max(), which take twice as long for the few numbers of a usual mask.
    if runs.size == 0 or (np.minimum.reduce(runs, None) >= 1 and np.maximum.reduce(runs, None) <= MAX_NUMBER):
        return
    least = np.full(len(runs), later)
    least[:1] = first
    wrong = np.flatnonzero((runs[:, 0] < least) | (runs[:, 1] < 1) | (runs > MAX_NUMBER).any(axis=1))
    if not wrong.size:
        return
    index = int(wrong[0])
    start, length = runs[index].tolist()
    if start < least[index]:
        mend = "; if this file numbers them from 0, set maskmill.runs.first: 0" if start == 0 else ""
        raise DataError(
            Code.RLE_BAD_START, f"run {index + 1} starts at pixel {start}; pixels are numbered from {first}{mend}"
        )
    if length < 1:
        raise DataError(Code.RLE_BAD_LENGTH, f"run {index + 1} has the length {length}; the least is 1")
    raise _past_any_image(f"run {index + 1} ({start} {length})")


def _past_any_image(what: str) -> DataError:
    return DataError(Code.RLE_OUT_OF_BOUNDS, f"{what} has a number above {MAX_NUMBER}, past any image")


def _check_ascending(runs: Runs) -> None:
    backwards = runs[1:, 0] < runs[:-1, 0]
    if not np.count_nonzero(backwards):  # any() takes twice as long for the few numbers of a usual mask
        return
    index = int(backwards.argmax())
    before, start = runs[index : index + 2, 0].tolist()
    raise DataError(
        Code.RLE_NOT_ASCENDING,
        f"run {index + 2} starts at pixel {start}, before run {index + 1}, which starts at pixel {before}; if starts "
        "count from the end of the run before, set maskmill.runs.encoding: relative; if the numbers count pixels of 0 "
        "and 1 in turn, encoding: counts; if runs are in no order, maskmill.runs.unsorted: accept",
    )


def _absolute_runs(runs: Runs, first: int) -> Runs:
    """Converts runs whose starts, except the first, count from the end of the run before."""
    _check_run_numbers(runs, first, 0)
    # The sum of the numbers before a start and of its own; only the first counts from `first`.
    starts = np.cumsum(runs.ravel())[::2] + (1 - first)
    _check_sum(starts)
    return np.stack([starts, runs[:, 1]], axis=1)


def _runs_of_counts(counts: NDArray[np.int64]) -> Runs:
    """Converts numbers of pixels that are 0 and 1 in turn."""
    too_large = np.flatnonzero(counts > MAX_NUMBER)
    if too_large.size:
        raise _past_any_image(f"count {too_large[0] + 1}")
    ends = np.cumsum(counts)
    _check_sum(ends)
    lengths = counts[1::2]
    starts = ends[0::2][: len(lengths)] + 1
    return np.stack([starts, lengths], axis=1)[lengths > 0]


def _check_sum(numbers: NDArray[np.int64]) -> None:
    if numbers.size and numbers[-1] > MAX_NUMBER:
        raise DataError(Code.RLE_OUT_OF_BOUNDS, f"the mask's numbers add up to {numbers[-1]}, past any image")
