"""Lays out the help for the width of the terminal."""

from __future__ import annotations

import argparse
import re
import textwrap


class HelpFormatter(argparse.HelpFormatter):
    """Fills paragraphs, and keeps indented lines apart: rows such as `  0  done`, and commands as examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = re.sub(r"^(\S.*)\n(?=\S)", r"\1 ", text, flags=re.MULTILINE)
        return "\n".join(_fill(paragraph, width, indent) for paragraph in paragraphs.splitlines())


def _fill(text: str, width: int, indent: str) -> str:
    """Wraps a paragraph, or a row below its text; a command stays as it is."""
    row = re.match(r"\s+\S+\s\s+", text)
    if text.startswith(" ") and not row:
        return indent + text
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent + " " * (row.end() if row else 0))
