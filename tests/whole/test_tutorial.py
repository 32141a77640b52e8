"""docs/tutorial.ipynb: run by Jupyter, it gives the outputs that are stored in it."""

from __future__ import annotations

import base64
import io
import runpy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from PIL import Image

from tests.support.command import ROOT

NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
MAX_BYTES = 200_000


def shown(notebook: Any) -> list[list[tuple[str, str]]]:
    """What is to be seen below each cell: text, and pictures."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[one for output in cell.outputs for one in _texts(output)] for cell in cells]


def _texts(output: Any) -> list[tuple[str, str]]:
    if output.output_type == "stream":
        return [(output.name, output.text)]
    assert output.output_type != "error", output.evalue
    return [(kind, _pixels(data) if kind == "image/png" else data) for kind, data in sorted(output.data.items())]


def _pixels(png: str) -> str:
    """The pixels of a picture: its compression is up to the version of Pillow."""
    return Image.open(io.BytesIO(base64.b64decode(png))).tobytes().hex()


def test_the_notebook_gives_the_outputs_that_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    run_notebook = runpy.run_path(str(ROOT / "docs" / "run_tutorial.py"))["run_notebook"]
    again = shown(run_notebook(tmp_path))
    stored = shown(nbformat.read(NOTEBOOK, as_version=4))
    assert again == stored, "python docs/run_tutorial.py stores what it gives now"
    assert sum(any(kind == "image/png" for kind, _ in cell) for cell in stored) == 1
    assert [kind for cell in stored for kind, _ in cell if kind == "stderr"] == []


def test_the_notebook_is_small_and_names_no_path_of_a_machine() -> None:
    assert NOTEBOOK.stat().st_size < MAX_BYTES
    assert "/tmp" not in NOTEBOOK.read_text(encoding="utf-8")
    assert str(Path.home()) not in NOTEBOOK.read_text(encoding="utf-8")
