"""How fast steelbeam is, and how much memory it takes, beside a plain program and a graph that shuffles pixels.

    python -m tests.benchmarks.bench [--repeats N] [--images N] [--output FILE] …

Each contender runs as a whole program, one after the other in turn, on a synthetic dataset. First they run once with
their memory watched, and their shards are compared; then they run to be timed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.contenders import (
    BARE_LOOP,
    SHUFFLED_PIXELS,
    SIZES,
    STEELBEAM,
    Case,
    check_same_bytes,
    make_sample,
    run_case,
)
from tests.benchmarks.measure import Measurement
from tests.benchmarks.report import CaseResult, describe_machine, rates_of, to_json, to_markdown

RESULTS = Path(__file__).with_name("results.json")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the benchmark: prints tables, writes JSON."""
    arguments = _parse_arguments(argv)
    repeats = plan_timing(arguments)
    examples = {case.images: 0 for case in [*repeats, *plan_memory(arguments)]}
    examples = {images: make_sample(images) for images in sorted(examples)}
    watched = watch(plan_memory(arguments))
    timed = measure_in_turn(repeats)
    results = [
        CaseResult(case, examples[case.images], watched.get(case), tuple(timed.get(case, ())))
        for case in dict.fromkeys([*timed, *watched])
    ]
    rates = list(rates_of(results, arguments.small_images, arguments.images))
    settings = {name: value for name, value in vars(arguments).items() if name != "output"}
    content = to_json(describe_machine(), settings, results, rates)
    arguments.output.write_text(json.dumps(content, indent=2) + "\n")
    print(to_markdown(describe_machine(), results, rates), end="")


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--repeats", type=int, default=5, metavar="N", help="runs that are timed of each (default: %(default)s)")
    add("--images", type=int, default=3000, metavar="N", help="size of the large sample (default: %(default)s)")
    add("--small_images", type=int, default=300, metavar="N", help="size of the small one (default: %(default)s)")
    add(
        "--memory_images",
        type=int,
        default=12000,
        metavar="N",
        help="size of the sample that only the memory of steelbeam is measured on; 0 for none (default: %(default)s)",
    )
    add(
        "--shuffle_images",
        type=int,
        default=600,
        metavar="N",
        help="size of the sample for the graph that shuffles pixels; 0 for none (default: %(default)s)",
    )
    add("--output", type=Path, default=RESULTS, metavar="FILE", help="where to write the results as JSON")
    arguments = parser.parse_args(argv)
    if arguments.repeats < 1 or arguments.small_images < 1 or arguments.images <= arguments.small_images:
        parser.error("--repeats and --small_images must be 1 or more, and --images more than --small_images")
    return arguments


def plan_memory(arguments: argparse.Namespace) -> list[Case]:
    """The cases whose memory is watched; at each size and sample steelbeam is the first."""
    cases = []
    for size in SIZES:
        cases += [Case(name, size, arguments.images) for name in (STEELBEAM, BARE_LOOP)]
        if arguments.shuffle_images:
            cases += [Case(name, size, arguments.shuffle_images) for name in (STEELBEAM, SHUFFLED_PIXELS)]
    if arguments.memory_images:
        cases.append(Case(STEELBEAM, SIZES[0], arguments.memory_images))
    return list(dict.fromkeys(cases))


def plan_timing(arguments: argparse.Namespace) -> dict[Case, int]:
    """The cases that are timed, and how often; the graph that shuffles pixels, slow and large, once less."""
    repeats = {}
    for size in SIZES:
        for images in (arguments.small_images, arguments.images):
            repeats.update({Case(name, size, images): arguments.repeats for name in (STEELBEAM, BARE_LOOP)})
        if arguments.shuffle_images:
            fewer = max(arguments.repeats - 1, 1)
            repeats.setdefault(Case(STEELBEAM, size, arguments.shuffle_images), fewer)
            repeats[Case(SHUFFLED_PIXELS, size, arguments.shuffle_images)] = fewer
    return repeats


def watch(cases: Sequence[Case]) -> dict[Case, Measurement]:
    """Runs each case once with its memory watched, and checks that all write the same bytes."""
    runs = {}
    for case in cases:
        runs[case] = run_case(case, watch_memory=True, digest=True)
        check_same_bytes(case, runs[case], runs[case._replace(contender=STEELBEAM)])
        _tell(case, runs[case].measured)
    return {case: run.measured for case, run in runs.items()}


def measure_in_turn(repeats: dict[Case, int]) -> dict[Case, list[Measurement]]:
    """Runs all cases, then all again, so that what else the machine does falls on all of them."""
    timed: dict[Case, list[Measurement]] = {case: [] for case in repeats}
    for turn in range(max(repeats.values())):
        for case in (case for case, times in repeats.items() if turn < times):
            timed[case].append(run_case(case).measured)
            _tell(case, timed[case][-1])
    return timed


def _tell(case: Case, measured: Measurement) -> None:
    memory = f", {measured.peak_memory / 1e6:.0f} MB (watched)" if measured.peak_memory else ""
    height, width = case.size
    line = f"{case.contender}, {height} x {width}, {case.images} images: {measured.seconds:.2f} s{memory}"
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
