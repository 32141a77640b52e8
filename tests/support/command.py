"""The command line, in this process and as a subprocess, and what it leaves."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from maskmill.names import HISTORY, MANIFEST
from maskmill.pipeline.cli import main
from tests.support.builders import write_params

ROOT = Path(__file__).parents[2]


def run_maskmill(
    *arguments: str | Path, status: int = 0, cwd: Path | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs `maskmill` and checks its exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "maskmill", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def run_create(
    params: Path, output_dir: Path, *flags: str, status: int = 0, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `maskmill create`."""
    return run_maskmill("create", "--params", params, "--output_dir", output_dir, *flags, status=status, cwd=cwd)


class Said(NamedTuple):
    """What a command wrote to standard output and to standard error."""

    out: str
    err: str


def run_here(*arguments: str | Path, status: int = 0) -> Said:
    """Runs `maskmill` in this process, which spares the second of its imports, and checks its exit status."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        found = main(list(map(str, arguments)))
    assert found == status, f"exit status {found}\n{out.getvalue()}\n{err.getvalue()}"
    return Said(out.getvalue(), err.getvalue())


def create_here(params: Path, output_dir: Path, *flags: str, status: int = 0) -> Said:
    """Runs `maskmill create` in this process."""
    return run_here("create", "--params", params, "--output_dir", output_dir, *flags, status=status)


def create(tmp_path: Path, data: Path, *flags: str, status: int = 0, output: str = "out", **changes: object) -> Path:
    """Runs `create` in this process; gives the output folder."""
    params = write_params(tmp_path / "params.yaml", data, **changes)
    arguments = ["create", "--params", str(params), "--output_dir", str(tmp_path / output), *flags]
    assert main([*arguments, "--quiet"]) == status
    return tmp_path / output


def manifest(output: Path) -> dict[str, Any]:
    """Content of manifest.json."""
    return dict(json.loads((output / MANIFEST).read_text()))


def digest(output: Path) -> dict[str, str]:
    """sha256 of every shard, of which there has to be one."""
    files = sorted(output.glob("*_input/*.h5"))
    assert files, f"no shards in {output}"
    return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def shard_states(entry: Mapping[str, Any]) -> dict[str, int]:
    """Number of shards that a run wrote, kept and reused, by its entry in the history."""
    total = Counter[str]()
    for states in entry["shards"].values():
        total.update(states)
    return dict(total)


def tree(output: Path) -> dict[str, bytes]:
    """Content of every file below a folder, by path; without the history, which holds times."""
    files = (path for path in output.rglob("*") if path.is_file() and path.name != HISTORY)
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def write_tree(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes what `tree` has read."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
