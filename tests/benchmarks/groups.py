"""What is measured: a group of figures each, beside its yardstick, as JSON can hold it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks import datasets
from tests.benchmarks.programs import (
    BARE_LOOP,
    DECODING_ALONE,
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
    time_phases,
)

Size = tuple[int, int]
Figures = list[dict[str, Any]]


class Scale(NamedTuple):
    """How much is measured.

    Attributes:
        before: a checkout of an earlier state, measured in turn with this one; None if there is none.
        repeats: timed runs of each program.
        few_repeats: of those that take long.
        real: examples of the real dataset, and of a part of it.
        steps: examples whose steps are timed.
        lock_seconds: for which a program is looked at.
        memory: examples at which memory is measured.
        tiled: examples of 5120 x 5120.
        rows: of the CSVs without images.
        kept: images of the datasets that are there already.
        shards: of all splits together, for `wide` examples.
        wide: examples.
        shuffled: examples that cross a shuffle as pixels.
        stored: examples whose bytes are counted, and that are read.
    """

    before: Path | None = None
    repeats: int = 5
    few_repeats: int = 3
    real: tuple[int, int] = (5150, 1482)
    steps: int = 400
    lock_seconds: int = 10
    memory: tuple[int, int] = (3000, 30000)
    tiled: int = 40
    rows: tuple[int, ...] = (20_000, 100_000)
    kept: tuple[int, ...] = (10_000, 50_000)
    shards: tuple[int, ...] = (20, 2000, 1)
    wide: int = 12_000
    shuffled: int = 300
    stored: int = 1500


SMALL, RAW, SQUARE, TILED = (256, 256), (256, 1600), (512, 512), (5120, 5120)
# Keys of a parameter file that change what an example is, or how it is stored.
DEFAULT = "default"
FORMS = {DEFAULT: "{}", "layout: arrays": "{layout: arrays}", "colour: rgb": "{colour: rgb}"}
CROPS = {
    "crops of 256 × 256, all": "{crops: {size: [256, 256], source: [256, 1600]}}",
    "crops of 256 × 256, all, in arrays": "{crops: {size: [256, 256], source: [256, 1600]}, layout: arrays}",
    "crops of 256 × 256, none empty": "{crops: {size: [256, 256], source: [256, 1600], empty: none}}",
}
# What a checkout of an earlier state is called beside `MASKMILL`.
BEFORE = "before"


def checkouts(scale: Scale) -> dict[str, Path]:
    """The checkouts whose maskmill is measured, by what they are called."""
    return {MASKMILL: datasets.ROOT} if scale.before is None else {MASKMILL: datasets.ROOT, BEFORE: scale.before}


def real(scale: Scale) -> Figures:
    """Whole programs on a dataset of the size of the real one, and on a part of it."""
    whole, part = (datasets.share(number) for number in scale.real)
    figures = []
    for data, size in ((whole, SMALL), (whole, RAW), (part, SMALL)):
        check_same_bytes(part, size, (MASKMILL, BARE_LOOP))
        cases = {name: Case(MASKMILL, data, size, checkout=path) for name, path in checkouts(scale).items()}
        cases |= {program: Case(program, data, size) for program in (ORIGINAL_WAY, BARE_LOOP, DECODING_ALONE)}
        seconds, medians = _in_turn(cases, scale.repeats)
        figures.append(
            {
                "size": size,
                "examples": datasets.number_of_examples(data),
                "medians": medians,
                "times": medians[ORIGINAL_WAY] / medians[MASKMILL],
                "share": medians[DECODING_ALONE] / medians[MASKMILL],
                "seconds": seconds,
            }
        )
    return figures


def _in_turn(cases: Mapping[Any, Case], repeats: int) -> tuple[dict[Any, list[float]], dict[Any, float]]:
    """Seconds of each run, and their median, by the cases' keys."""
    found = measure_in_turn(cases.values(), repeats)
    seconds = {key: [run.seconds for run in found[case]] for key, case in cases.items()}
    return seconds, {key: median(each) for key, each in seconds.items()}


def phases(scale: Scale) -> Figures:
    """Seconds of each phase of a run at the real size."""
    data = datasets.share(scale.real[0])
    figures = []
    for size in (SMALL, RAW):
        cases = {name: Case(MASKMILL, data, size, checkout=path) for name, path in checkouts(scale).items()}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
        for _ in range(scale.repeats):
            for name, case in cases.items():
                found[name].append(time_phases(case))
        medians = {
            name: {phase: median(turn[phase] for turn in turns) for phase in turns[0]} for name, turns in found.items()
        }
        figures.append({"size": size, "medians": medians, "seconds": found})
    return figures


def steps(scale: Scale) -> Figures:
    """Microseconds of a core for each step of an example."""
    arguments = [str(datasets.share(scale.real[0])), str(scale.steps), str(scale.repeats)]
    found = {name: _output_of("steps", *arguments, checkout=path) for name, path in checkouts(scale).items()}
    return [
        {"size": one["size"], "microseconds": {name: sizes[place]["microseconds"] for name, sizes in found.items()}}
        for place, one in enumerate(found[MASKMILL])
    ]


def _output_of(program: str, *arguments: str, checkout: Path = datasets.ROOT) -> Any:
    """What a program of this folder prints."""
    command = [sys.executable, "-m", f"tests.benchmarks.{program}", *arguments]
    done = subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def cores(scale: Scale) -> Figures:
    """Whole programs at the real size with one core and with two."""
    data = datasets.share(scale.real[0])
    programs = (MASKMILL, BARE_LOOP, DECODING_ALONE)
    cases = {(program, number): Case(program, data, cores=number) for program in programs for number in (1, 2)}
    seconds, medians = _in_turn(cases, scale.few_repeats)
    return [
        {
            "program": program,
            "medians": [medians[program, 1], medians[program, 2]],
            "times": medians[program, 1] / medians[program, 2],
            "seconds": {number: seconds[program, number] for number in (1, 2)},
        }
        for program in programs
    ]


def memory(scale: Scale) -> Figures:
    """Peak of the memory of all processes of a program, in bytes, and how it grows with the rows."""
    few, many = (datasets.examples(number) for number in scale.memory)
    rows = scale.memory[1] - scale.memory[0]
    peaks = [_peak(Case(MASKMILL, data)) for data in (few, many)]
    text = (datasets.csv_bytes(many) - datasets.csv_bytes(few)) / rows
    growth = (peaks[1] - peaks[0]) / rows
    return [
        {"size": SMALL, "examples": scale.memory, "peaks": peaks, "growth": growth, "text": text},
        {"size": RAW, "examples": scale.memory[:1], "peaks": [_peak(Case(MASKMILL, few, RAW))]},
        {
            "size": TILED,
            "examples": [scale.tiled],
            "peaks": [_peak(Case(MASKMILL, datasets.examples(scale.tiled), TILED, shards=2))],
        },
    ]


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
        data = datasets.rows(number)
        case = Case(PLAN, data, shards=100)
        seconds, medians = _in_turn({number: case}, scale.few_repeats)
        sizes = {"rows": number, "bytes": datasets.csv_bytes(data)}
        figures.append({**sizes, "median": medians[number], "peak": _peak(case), "seconds": seconds[number]})
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
    seconds, medians = _in_turn(cases, scale.repeats)
    return [
        {"shards": number, "examples": scale.wide, "rate": scale.wide / medians[number], "seconds": seconds[number]}
        for number in scale.shards
    ]


def storage(scale: Scale) -> Figures:
    """Bytes of the shards, for an example."""
    data = datasets.examples(scale.stored)
    return [{"size": size, "bytes": bytes_an_example(Case(MASKMILL, data, size))} for size in (SMALL, RAW, SQUARE)]


def forms(scale: Scale) -> Figures:
    """What else an example may be, beside the default at the same size: written, stored and read."""
    data = datasets.share(scale.real[0])
    cases = {
        (name, size): Case(MASKMILL, data, size, keys=keys)
        for size in (SMALL, RAW)
        for name, keys in {**FORMS, **(CROPS if size == SMALL else {})}.items()
    }
    seconds, medians = _in_turn(cases, scale.few_repeats)
    figures = []
    for (name, size), case in cases.items():
        with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as folder:
            run_case(case, Path(folder) / "dataset")
            read = _output_of("read_rate", folder + "/dataset", str(scale.repeats))[MASKMILL]
            splits = json.loads((Path(folder) / "dataset" / "manifest.json").read_text())["splits"].values()
        images = datasets.number_of_examples(data)
        figures.append(
            {
                "form": name,
                "size": size,
                "rate": images / medians[name, size],
                "examples": sum(split["examples"] for split in splits) / images,
                "bytes": sum(split["bytes"] for split in splits) / images,
                "read": median(read),
                "seconds": seconds[name, size],
            }
        )
    return figures


def lock(scale: Scale) -> Figures:
    """How much of an example's time the interpreter's lock is held."""
    shares = _output_of("lock_share", str(datasets.examples(scale.shuffled)), str(scale.lock_seconds))
    return [{"size": size, **one} for size, one in shares.items()]


def reader(scale: Scale) -> Figures:
    """Examples a second that are read from a finished dataset."""
    figures = []
    for size in (SMALL, RAW):
        with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as name:
            rates = {}
            for checkout, path in checkouts(scale).items():
                dataset = Path(name) / checkout  # each reads its own, whose format the other may not know
                run_case(Case(MASKMILL, datasets.examples(scale.stored), size, checkout=path), dataset)
                rates[checkout] = _output_of("read_rate", str(dataset), str(scale.repeats), checkout=path)
        medians = {way: median(found) for way, found in rates[MASKMILL].items()}
        if BEFORE in rates:
            medians[BEFORE] = median(rates[BEFORE][MASKMILL])
        figures.append({"size": size, "medians": medians, "rates": rates})
    return figures


def layouts(scale: Scale) -> Figures:
    """What writing and reading a shard takes in each layout."""
    found = _output_of("layouts", str(datasets.share(scale.real[0])), str(scale.steps), str(scale.repeats))
    return list(found)


def _peak(case: Case) -> int:
    peak = measure(case, watch_memory=True).peak_memory
    assert peak is not None
    return peak


GROUPS: dict[str, Callable[[Scale], Figures]] = {
    "real": real,
    "phases": phases,
    "steps": steps,
    "cores": cores,
    "lock": lock,
    "memory": memory,
    "shuffle": shuffle,
    "rows": rows,
    "nothing": nothing,
    "shards": shards,
    "storage": storage,
    "reader": reader,
    "layouts": layouts,
    "forms": forms,
}
