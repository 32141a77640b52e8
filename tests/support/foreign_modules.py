"""Somebody else's modules, which have the names of our folders: to import one ends the program."""

from __future__ import annotations

from pathlib import Path

_ENDS = 'raise SystemExit("a foreign module was imported")\n'


def write_foreign(folder: Path, *, packages: bool) -> Path:
    """Writes pipeline and transforms, as modules or as packages, into a folder; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("pipeline", "transforms"):
        path = folder / name / "__init__.py" if packages else folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_ENDS)
    return folder
