"""Runs docs/tutorial.ipynb, and stores its outputs in it: python docs/run_tutorial.py. Needs nbclient and ipykernel."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("tutorial.ipynb")


def run_notebook(folder: Path) -> nbformat.NotebookNode:
    """Runs the notebook in a folder; gives it with its outputs."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
    return notebook


if __name__ == "__main__":
    nbformat.write(run_notebook(NOTEBOOK.parent), NOTEBOOK)
