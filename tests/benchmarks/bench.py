"""How fast maskmill is, and what it takes, beside other programs that do the same or a part of it.

    python -m tests.benchmarks.bench [--only GROUP …] [--before DIR] [--smoke] [--output FILE] [--documents FILE …]

Each program runs as a whole, those that are compared in turn, on images that are drawn once. Writes every measurement
to a JSON file, of which the groups that were not measured stay as they are, and the tables into the documents.
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
from tests.benchmarks.report import describe_checkout, describe_machine, make_tables, replace_tables

RESULTS = Path(__file__).with_name("results.json")
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "speed.md")
SMOKE = Scale(
    repeats=1,
    few_repeats=1,
    real=(40, 20),
    steps=10,
    lock_seconds=2,
    memory=(20, 40),
    tiled=2,
    rows=(400, 800),
    kept=(20,),
    shards=(2, 4),
    wide=20,
    shuffled=20,
    stored=20,
)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS), metavar="GROUP")
    parser.add_argument("--before", type=Path, metavar="DIR", help="another checkout, to measure in turn with this one")
    parser.add_argument("--smoke", action="store_true", help="as little as shows that it works")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE", help="where the results are")
    parser.add_argument(
        "--documents", type=Path, nargs="+", default=DOCUMENTS, metavar="FILE", help="where the tables are"
    )
    arguments = parser.parse_args(argv)
    scale = (SMOKE if arguments.smoke else Scale())._replace(before=arguments.before and arguments.before.resolve())
    circumstances: dict[str, Any] = {"machine": describe_machine()}
    if scale.before is not None:
        circumstances["before"] = describe_checkout(scale.before)
    results = _read(arguments.output)
    for name in arguments.only:
        started = time.monotonic()
        results[name] = {**circumstances, "figures": GROUPS[name](scale)}
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{name}: {time.monotonic() - started:.0f} s in all", file=sys.stderr, flush=True)
    tables = make_tables(_read(arguments.output))
    for name in arguments.only:
        print(f"{tables[name]}\n")
    for path in arguments.documents:
        path.write_text(replace_tables(path.read_text(encoding="utf-8"), tables), encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    main()
