"""Recognises what spreadsheets and databases do to masks when a CSV file passes through them."""

from __future__ import annotations

import re

from maskmill.transforms.rejected import Code, DataError

# Programs that cut a text off without a word, by the number of characters that they leave.
_CUTS = {32_767: "a cell of Excel", 65_535: "a cell of older LibreOffice, or a column of type TEXT in MySQL"}
SHORTEST_CUT = min(_CUTS)

_CHANGED_NUMBERS = {
    r"\d+([.,]\d+)?[eE][+-]?\d+": "a spreadsheet has rounded a number (1.00E+05); import the column as text",
    r"#+": "a spreadsheet has printed a column that was too narrow (####); save the file from its source again",
    r"\d{1,3}([.,]\d{3})+": "a spreadsheet has put separators between thousands; import the column as text",
    r"\d+([./-])\d+\1\d+|\d{1,2}[-. ]?[A-Z][a-z]{2}\.?([- ]\d+)?|[A-Z][a-z]{2}[- ]\d+": (
        "a spreadsheet has made a date of numbers; import the column as text"
    ),
    r"\d+\.0": "a table with gaps was saved with decimals; save whole numbers",
}


def check_not_cut_off(field: str) -> None:
    """Raises DataError if the text of a mask is as long as a program leaves it that cuts texts off.

    Args:
        field: of the mask, with the blanks around it.
    """
    for text in (field.strip(), field.lstrip()):
        if program := _CUTS.get(len(text)):
            raise DataError(
                Code.RLE_CUT_OFF,
                f"the mask has exactly {len(text)} characters, as many as {program} holds, so its end is probably "
                "missing; take the file as it was before that program, or, if the mask is whole, write its first "
                "number with a leading 0",
            )


def explain_number(text: str) -> str:
    """Returns what a spreadsheet did to the first word of a mask that is no number, "" if it is nothing known."""
    word = next((found[0] for found in re.finditer(r"\S+", text) if not found[0].isdecimal()), "")
    return next((cause for form, cause in _CHANGED_NUMBERS.items() if re.fullmatch(form, word)), "")
