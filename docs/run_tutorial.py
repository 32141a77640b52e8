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
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data.pop("image/jpeg", None)  # the same picture once more
        if "outputs" in cell:
            # Beam loads a script into the page for notebooks that draw its pipelines; nothing is to be seen.
            cell.outputs = [one for one in cell.outputs if "application/javascript" not in one.get("data", {})]
    return notebook


if __name__ == "__main__":
    nbformat.write(run_notebook(NOTEBOOK.parent), NOTEBOOK)
