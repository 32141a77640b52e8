"""Parses the values of command line arguments, or says in one line what is wrong with them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from maskmill.pipeline.job.rejected_limit import RejectedLimit, parse_limit


def at_least(least: int) -> Callable[[str], int]:
    """Returns a type for whole numbers from `least` on."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is too small; the least is {least}")
        return number

    return parse


def rejected_limit(text: str) -> RejectedLimit:
    """Parses `N` or `N%`."""
    try:
        return parse_limit(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def percentage(text: str) -> float:
    """Parses a percentage such as `30%`, whose sign may be left out."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,12})?)%?", text, re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage, such as 30%")
    return float(match[1])


def folder(text: str) -> str:
    """Accepts a path that can name a folder."""
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(f"{text!r} does not name a folder")
    return text


def file_name(text: str) -> str:
    """Accepts a text that file names can begin with."""
    if not text or "/" in text or "\\" in text or text.startswith("."):
        raise argparse.ArgumentTypeError(f"{text!r} cannot begin a file name")
    return text
