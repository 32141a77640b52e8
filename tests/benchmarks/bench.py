"""How fast maskmill is, and what it takes, beside a plain program, the original's way, and shuffled pixels.

    python -m tests.benchmarks.bench [--only GROUP …] [--smoke] [--output FILE] [--readme FILE]

Each program runs as a whole, those that are compared in turn, on images that are drawn once. Writes every measurement
to a JSON file, of which the groups that were not measured stay as they are, and the tables into the README.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.datasets import ROOT
from tests.benchmarks.groups import GROUPS, Scale
from tests.benchmarks.report import describe_machine, replace_tables, to_markdown

RESULTS = Path(__file__).with_name("results.json")
SMOKE = Scale(
    repeats=1,
    steady=(20, 60),
    start=30,
    memory=(20, 40),
    tiled=2,
    rows=(400, 800),
    kept=(20,),
    shards=(2, 4),
    wide=20,
    shuffled=20,
)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS), metavar="GROUP")
    parser.add_argument("--smoke", action="store_true", help="as little as shows that it works")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE", help="where the results are")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", metavar="FILE", help="where the tables are")
    arguments = parser.parse_args(argv)
    results = _read(arguments.output)
    for name in arguments.only:
        started = time.monotonic()
        results[name] = {"machine": describe_machine(), "figures": GROUPS[name](SMOKE if arguments.smoke else Scale())}
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{name}: {time.monotonic() - started:.0f} s in all", file=sys.stderr, flush=True)
    tables = to_markdown(_read(arguments.output))
    print(tables, end="")
    arguments.readme.write_text(replace_tables(arguments.readme.read_text(), tables))


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    main()
