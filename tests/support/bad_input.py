"""One run of `create` on bad or odd input, and what must hold after every one."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from maskmill.pipeline.cli import main
from tests.support.builders import HEADER, write_dataset
from tests.support.command import manifest

ROWS = ["a.jpg,3,1 2", "b.jpg,3,5 2", "c.jpg,3,9 2"]


class Bomb:
    """Unpickling this makes a file."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, ("owned",)


class Outcome(NamedTuple):
    """What a run said on stderr, and its output folder."""

    err: str
    out: Path

    @property
    def examples(self) -> int:
        """Number of rows that are in an example."""
        return int(manifest(self.out)["rows"]["in_examples"])

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """The whole list of what was rejected, from the file that the message names."""
        path = Path(self.err.strip().rsplit(" ", 1)[-1])
        return [json.loads(line) for line in path.read_text().splitlines()]


def three_images(folder: Path) -> Path:
    """A dataset of a.jpg, b.jpg and c.jpg, with a row of class 3 each."""
    return write_dataset(folder / "data", ROWS)


def csv_text(*rows: str, header: str = HEADER) -> str:
    """A CSV file: the row of a.jpg in line 2, those given from line 3 on, and the row of c.jpg."""
    return "\n".join([header, ROWS[0], *rows, ROWS[2], ""])


def run(params: Path, status: int, *words: str) -> Outcome:
    """Runs `create` and checks its exit status, what it says, and that it leaves all of a dataset or nothing."""
    out = params.parent / "out"
    arguments = ["create", "--params", str(params), "--output_dir", str(out), "--num_output_files=1", "--quiet"]
    with contextlib.redirect_stderr(io.StringIO()) as stream:
        found = main(arguments)
    err = stream.getvalue()
    assert found == status, err
    assert "Traceback" not in err
    assert [word for word in words if word not in err] == [], err
    left = [path for path in out.rglob("*") if ".staging" not in path.parts]
    assert bool(left) == (status == 0), "a dataset is missing, or something is left where a reader looks"
    return Outcome(err, out)
