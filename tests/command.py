"""The command line as a subprocess."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run_steelbeam(
    *arguments: str | Path, status: int = 0, cwd: Path | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs `steelbeam` and checks its exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, arguments)],
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
    """Runs `steelbeam create`."""
    return run_steelbeam("create", "--params", params, "--output_dir", output_dir, *flags, status=status, cwd=cwd)
