"""The lines of a block are parsed by a process of a pool as in this one."""

from __future__ import annotations

import subprocess
import sys

from maskmill.transforms.annotations.columns import RowFormat, parse_header
from maskmill.transforms.annotations.parse_lines import list_lines, parse_lines
from maskmill.transforms.parallel.process_pool import process_pool
from maskmill.transforms.rejected import DataError
from tests.support.builders import HEADER

COLUMNS = parse_header(HEADER, RowFormat())
TEXT = 'a.jpg,3,5 2 4\na.jpg,3,5 2\n\nb.jpg,4,1 2\nc.jpg,3,\nd/e.jpg,2,1 1\nf.jpg,1,"1 1\ng.jpg'


def described(lines: list) -> list:
    return [(number, vars(row) if isinstance(row, DataError) else row) for number, row in lines]


def test_a_process_of_a_pool_returns_the_same_rows_and_errors() -> None:
    text = f"{HEADER}\n{TEXT}".encode()
    for has_header in (True, False):
        here = list(parse_lines(text, COLUMNS, {3}, has_header=has_header))
        there = process_pool(2).submit(list_lines, text, COLUMNS, {3}, has_header=has_header).result(timeout=60)
        assert described(there) == described(here)
        assert [number for number, _ in there] == [0, 1, 2, 4, 5, 6, 7, 8][has_header:]
        bad = {number: row.code.value for number, row in there if isinstance(row, DataError)}
        assert list(bad) == [0, 1, 6, 7, 8][has_header:]


def test_such_a_process_does_not_import_beam() -> None:
    code = "import sys, maskmill.transforms.annotations.parse_lines; sys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
