"""The programs that are compared, what they are run on, and whether they write the same."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.datasets import CLASS_ID, ROOT
from tests.benchmarks.measure import Measurement, run_measured
from tests.benchmarks.phases import PHASES

MASKMILL, BARE_LOOP, ORIGINAL_WAY, DECODING_ALONE, SHUFFLED_PIXELS, PLAN = (
    "maskmill",
    "bare loop",
    "original's way",
    "decoding alone",
    "shuffled pixels",
    "maskmill plan",
)
_COMMANDS = {
    MASKMILL: ("pipeline", "create", "--quiet"),
    BARE_LOOP: ("tests.benchmarks.bare_loop",),
    ORIGINAL_WAY: ("tests.benchmarks.original_way",),
    DECODING_ALONE: ("tests.benchmarks.decoding_alone",),
    SHUFFLED_PIXELS: ("tests.benchmarks.shuffled_pixels",),
    PLAN: ("pipeline", "plan", "--json"),
}
_PARAMS = """\
train_input: &train_input
  data_processor: SeverstalBinaryClassDataProcessor
  data_dir: {data_dir}
  image_shape: [{height}, {width}, 1]
  train_test_split: {share}
  num_classes: 2
  class_id: {class_id}
  batch_size: 480
eval_input:
  <<: *train_input
model:
  loss: bce
maskmill: {keys}
"""


class Case(NamedTuple):
    """A program and what it is run on.

    Attributes:
        program: its name.
        data: folder of the dataset.
        size: (height, width) of the examples, in pixels.
        shards: of each split.
        share: of the examples that go to the first split.
        cores: that it may use; None is all.
        keys: of the section `maskmill`, in YAML.
        checkout: of the program.
    """

    program: str
    data: Path
    size: tuple[int, int] = (256, 256)
    shards: int = 10
    share: float = 0.85
    cores: int | None = None
    keys: str = "{}"
    checkout: Path = ROOT


def run_case(case: Case, output_dir: Path, *, watch_memory: bool = False) -> Measurement:
    """Runs a program, whose output stays."""
    command = [sys.executable, "-m", *_COMMANDS[case.program], *_arguments(case, output_dir)]
    if case.cores is not None:
        command = ["taskset", "--cpu-list", ",".join(map(str, range(case.cores))), *command]
    return run_measured(command, str(case.checkout), watch_memory=watch_memory)


def _arguments(case: Case, output_dir: Path) -> list[str]:
    """Those that all programs take; writes the parameter file."""
    params = output_dir.parent / "params.yaml"
    height, width = case.size
    values = {"height": height, "width": width, "class_id": CLASS_ID, "share": case.share, "keys": case.keys}
    params.write_text(_PARAMS.format(data_dir=json.dumps(str(case.data)), **values))
    return ["--params", str(params), "--output_dir", str(output_dir), "--num_output_files", str(case.shards)]


def time_phases(case: Case) -> dict[str, float]:
    """Runs maskmill, and removes its output; returns the seconds from the beginning of each phase to the next."""
    with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as name:
        noted = Path(name) / "phases.json"
        arguments = [str(noted), *_COMMANDS[MASKMILL][1:], *_arguments(case, Path(name) / "dataset")]
        started = time.monotonic()
        measured = run_measured([sys.executable, "-m", "tests.benchmarks.phases", *arguments], str(case.checkout))
        begun = json.loads(noted.read_text())
    tell(f"phases, {case.size[0]} x {case.size[1]}, {case.data.name}", measured)
    times = [started, *(begun[phase] for phase in PHASES[1:]), started + measured.seconds]
    return {phase: end - begin for phase, begin, end in zip(PHASES, times, times[1:], strict=False)}


def measure(case: Case, *, watch_memory: bool = False) -> Measurement:
    """Runs a program, and removes its output."""
    with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as name:
        measured = run_case(case, Path(name) / "dataset", watch_memory=watch_memory)
    tell(f"{case.program}, {case.size[0]} x {case.size[1]}, {case.data.name}", measured)
    return measured


def measure_in_turn(cases: Iterable[Case], repeats: int) -> dict[Case, list[Measurement]]:
    """Runs all cases, then all again, so that what else the machine does falls on all of them."""
    measured: dict[Case, list[Measurement]] = {case: [] for case in cases}
    for _ in range(repeats):
        for case, found in measured.items():
            found.append(measure(case))
    return measured


def tell(what: str, measured: Measurement) -> None:
    """Shows how far the benchmark is."""
    memory = f", {measured.peak_memory / 1e6:.0f} MB (watched)" if measured.peak_memory else ""
    print(f"{what}: {measured.seconds:.2f} s{memory}", file=sys.stderr, flush=True)


def check_same_bytes(data: Path, size: tuple[int, int], programs: Sequence[str]) -> None:
    """Checks that programs write the same shards, to the byte.

    Raises:
        SystemExit: they do not: the comparison would not be of the same work.
    """
    with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as name:
        found = {}
        for program in programs:
            output_dir = Path(name) / "dataset"
            run_case(Case(program, data, size), output_dir)
            found[program] = dict(_digests(output_dir))
            shutil.rmtree(output_dir)
    if not found[programs[0]] or any(one != found[programs[0]] for one in found.values()):
        raise SystemExit(f"{size}: the shards of {', '.join(programs)} differ")


def _digests(output_dir: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(output_dir.glob("*/*.h5")):
        yield path.relative_to(output_dir).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


def bytes_an_example(case: Case) -> float:
    """Size of the shards that maskmill writes, for an example."""
    with tempfile.TemporaryDirectory(prefix="maskmill-benchmark-") as name:
        run_case(case, Path(name) / "dataset")
        splits: dict[str, Any] = json.loads((Path(name) / "dataset" / "manifest.json").read_text())["splits"]
    return sum(split["bytes"] for split in splits.values()) / sum(split["examples"] for split in splits.values())
