"""What is measured: a group of figures each, beside its yardstick, as JSON can hold it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks import datasets
from tests.benchmarks.measure import Measurement
from tests.benchmarks.programs import (
    BARE_LOOP,
    MASKMILL,
    ORIGINAL_WAY,
    PLAN,
    SHUFFLED_PIXELS,
    Case,
    bytes_an_example,
    check_same_bytes,
    measure,
    measure_in_turn,
    run_case,
    tell,
)

Size = tuple[int, int]
Figures = list[dict[str, Any]]


class Scale(NamedTuple):
    """How much is measured.

    Attributes:
        repeats: timed runs of each program.
        steady: examples of the small and the large dataset between which a rate is taken.
        start: examples of a whole program.
        memory: examples at which memory is measured.
        tiled: examples of 5120 x 5120.
        rows: of the CSVs without images.
        kept: images of the datasets that are there already.
        shards: of all splits together, for `wide` examples.
        wide: examples.
        shuffled: examples that cross a shuffle as pixels.
    """

    repeats: int = 5
    steady: tuple[int, int] = (300, 6300)
    start: int = 1500
    memory: tuple[int, int] = (3000, 30000)
    tiled: int = 40
    rows: tuple[int, int] = (100_000, 1_000_000)
    kept: tuple[int, ...] = (12_000, 100_000)
    shards: tuple[int, ...] = (20, 2000, 1)
    wide: int = 12_000
    shuffled: int = 300


SMALL, RAW, SQUARE, TILED = (256, 256), (256, 1600), (512, 512), (5120, 5120)


def steady(scale: Scale) -> Figures:
    """Examples a second once a program has started: what more examples take in more time. Start and end cancel out."""
    figures = []
    for size in (SMALL, RAW, SQUARE):
        check_same_bytes(datasets.examples(scale.steady[0]), size, (MASKMILL, BARE_LOOP))
        each, seconds = _rates(scale, size, (MASKMILL, BARE_LOOP), None)
        # Of the two in the same turn, as what else the machine does changes from turn to turn.
        share = median(ours / bare for ours, bare in zip(each[MASKMILL], each[BARE_LOOP], strict=True))
        rates = {program: median(found) for program, found in each.items()}
        figures.append({"size": size, "rates": rates, "share": share, "seconds": seconds})
    return figures


def cores(scale: Scale) -> Figures:
    """The same rates with one core and with two."""
    figures = []
    for program in (MASKMILL, BARE_LOOP):
        found = {number: _rates(scale, SMALL, (program,), number) for number in (1, 2)}
        one, two = (median(each[program]) for each, _ in found.values())
        seconds = {number: runs for number, (_, runs) in found.items()}
        figures.append({"program": program, "rates": [one, two], "speedup": two / one, "seconds": seconds})
    return figures


def _rates(
    scale: Scale, size: Size, programs: Sequence[str], cores: int | None
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Examples a second of each turn, and the seconds of all runs."""
    few, many = scale.steady
    cases = {
        (program, number): Case(program, datasets.examples(number), size, cores=cores)
        for program in programs
        for number in scale.steady
    }
    found = measure_in_turn(cases.values(), scale.repeats)
    times = {key: [run.seconds for run in found[case]] for key, case in cases.items()}
    rates = {
        program: [
            (many - few) / (large - small)
            for small, large in zip(times[program, few], times[program, many], strict=True)
        ]
        for program in programs
    }
    return rates, {f"{program}, {number} examples": runs for (program, number), runs in times.items()}


def start(scale: Scale) -> Figures:
    """Whole programs, from the start of the interpreter to the end."""
    figures = []
    for size in (SMALL, RAW):
        programs = (MASKMILL, BARE_LOOP, ORIGINAL_WAY)
        cases = {program: Case(program, datasets.examples(scale.start), size) for program in programs}
        found = measure_in_turn(cases.values(), scale.repeats)
        runs = {program: [run.seconds for run in found[case]] for program, case in cases.items()}
        medians = {program: median(seconds) for program, seconds in runs.items()}
        over = medians[MASKMILL] - medians[BARE_LOOP]
        times = medians[ORIGINAL_WAY] / medians[MASKMILL]
        figures.append({"size": size, "medians": medians, "over": over, "times": times, "seconds": runs})
    return figures


def memory(scale: Scale) -> Figures:
    """Peak of the memory of all processes of a program, in bytes."""
    figures: Figures = []
    for size in (SMALL, RAW):
        peaks = [_peak(Case(MASKMILL, datasets.examples(number), size)) for number in scale.memory]
        bare = _peak(Case(BARE_LOOP, datasets.examples(scale.memory[0]), size))
        figures.append({"size": size, "examples": scale.memory, "peaks": peaks, "bare loop": bare})
    tiled = _peak(Case(MASKMILL, datasets.examples(scale.tiled), TILED, shards=2))
    return [*figures, {"size": TILED, "examples": [scale.tiled], "peaks": [tiled]}]


def shuffle(scale: Scale) -> Figures:
    """Why pixels do not cross a shuffle."""
    figures = []
    for size in (SMALL, RAW):
        data = datasets.examples(scale.shuffled)
        found = {
            program: measure(Case(program, data, size), watch_memory=True) for program in (MASKMILL, SHUFFLED_PIXELS)
        }
        values = {program: {"seconds": run.seconds, "peak": run.peak_memory} for program, run in found.items()}
        figures.append({"size": size, "examples": scale.shuffled, **values})
    return figures


def rows(scale: Scale) -> Figures:
    """`maskmill plan` over a CSV, without an image."""
    figures = []
    for number in scale.rows:
        case = Case(PLAN, datasets.rows(number), shards=100)
        seconds = [run.seconds for run in measure_in_turn([case], scale.repeats)[case]]
        figures.append({"rows": number, "median": median(seconds), "peak": _peak(case), "seconds": seconds})
    return figures


def nothing(scale: Scale) -> Figures:
    """`maskmill create` where nothing has changed."""
    figures = []
    for images in scale.kept:
        case = Case(MASKMILL, datasets.examples(images), (16, 16))
        with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as name:
            runs = [run_case(case, Path(name) / "dataset") for _ in range(1 + scale.repeats)]
        for run in runs:
            tell(f"nothing to do, {images} images", run)
        seconds = [run.seconds for run in runs[1:]]
        figures.append({"images": images, "median": median(seconds), "seconds": seconds})
    return figures


def shards(scale: Scale) -> Figures:
    """The same examples in fewer and more shards of one size, half of them in each split."""
    data = datasets.examples(scale.wide)
    cases = {
        number: Case(MASKMILL, data, shards=max(number // 2, 1), share=0.5 if number > 1 else 1.0)
        for number in scale.shards
    }
    found: dict[Case, list[Measurement]] = measure_in_turn(cases.values(), scale.repeats)
    figures = []
    for number, case in cases.items():
        seconds = [run.seconds for run in found[case]]
        figures.append({"shards": number, "rate": scale.wide / median(seconds), "seconds": seconds})
    return figures


def storage(scale: Scale) -> Figures:
    """Bytes of the shards, for an example."""
    data = datasets.examples(scale.start)
    return [{"size": size, "bytes": bytes_an_example(Case(MASKMILL, data, size))} for size in (SMALL, RAW, SQUARE)]


def lock(scale: Scale) -> Figures:
    """How much of an example's time the interpreter's lock is held."""
    command = [sys.executable, "-m", "tests.benchmarks.lock_share", str(datasets.examples(scale.steady[0]))]
    done = subprocess.run(command, cwd=datasets.ROOT, check=True, capture_output=True, text=True)
    return [{"size": size, **shares} for size, shares in json.loads(done.stdout).items()]


def reader(scale: Scale) -> Figures:
    """Examples a second that are read from a finished dataset."""
    figures = []
    for size in (SMALL, RAW):
        with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as name:
            dataset = Path(name) / "dataset"
            run_case(Case(MASKMILL, datasets.examples(scale.start), size), dataset)
            command = [sys.executable, "-m", "tests.benchmarks.read_rate", str(dataset), str(scale.repeats)]
            done = subprocess.run(command, cwd=datasets.ROOT, check=True, capture_output=True, text=True)
        rates = json.loads(done.stdout)
        medians = {way: median(found) for way, found in rates.items()}
        figures.append({"size": size, "medians": medians, "rates": rates})
    return figures


def _peak(case: Case) -> int:
    peak = measure(case, watch_memory=True).peak_memory
    assert peak is not None
    return peak


GROUPS: dict[str, Callable[[Scale], Figures]] = {
    "steady": steady,
    "start": start,
    "cores": cores,
    "lock": lock,
    "memory": memory,
    "shuffle": shuffle,
    "rows": rows,
    "nothing": nothing,
    "shards": shards,
    "storage": storage,
    "reader": reader,
}
