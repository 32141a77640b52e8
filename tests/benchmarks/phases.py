"""Runs `maskmill` with its arguments, and notes when it comes to its phases. Nothing else about the run changes.

    python -m tests.benchmarks.phases FILE create --params FILE --output_dir DIR …

Writes a JSON object to the first FILE: by the name of a phase, the time at which it begins, in seconds of
`time.monotonic`, which all processes of a machine share. The first phase, `start`, begins with the process.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from maskmill.pipeline import create
from maskmill.pipeline.cli import main as run_maskmill
from maskmill.pipeline.runners.import_beam import import_beam as _import_beam

PHASES = START, ROWS, SHARDS, PUBLISH = ("start", "rows", "shards", "publish")


def note_first_call(owner: Any, name: str, phase: str, begun: dict[str, float]) -> None:
    """Replaces a method by one that notes when it is first called."""
    method: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(method)
    def noting(*arguments: Any, **keywords: Any) -> Any:
        begun.setdefault(phase, time.monotonic())
        return method(*arguments, **keywords)

    setattr(owner, name, noting)


def main() -> int:
    """Runs the program; returns its exit status."""
    target, *arguments = sys.argv[1:]
    begun: dict[str, float] = {}

    def import_beam() -> None:
        _import_beam()
        note_phases(begun)

    create.import_beam = import_beam
    status = run_maskmill(arguments)
    with open(target, "w", encoding="utf-8") as file:
        json.dump(begun, file)
    return status


def note_phases(begun: dict[str, float]) -> None:
    """Has all phases but the first note when they begin. Beam has to be imported already, as `create` does it."""
    from maskmill.pipeline.dataset.publish import Publish
    from maskmill.pipeline.runners.runner_job import RunnerJob
    from maskmill.transforms.sink.write_shards import WriteShard

    note_first_call(RunnerJob, "run", ROWS, begun)
    note_first_call(WriteShard, "process", SHARDS, begun)
    note_first_call(Publish, "process", PUBLISH, begun)


if __name__ == "__main__":
    sys.exit(main())
