"""The programs that are compared, what they are run on, and whether they write the same bytes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.measure import Measurement, run_measured

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / ".data"
CLASS_ID = 3
NUM_OUTPUT_FILES = 10
SIZES = ((256, 256), (256, 1600))

STEELBEAM = "steelbeam"
BARE_LOOP = "bare loop"
SHUFFLED_PIXELS = "shuffled pixels"
_COMMANDS = {
    STEELBEAM: ("pipeline", "create", "--quiet"),
    BARE_LOOP: ("tests.benchmarks.bare_loop",),
    SHUFFLED_PIXELS: ("tests.benchmarks.shuffled_pixels",),
}
_PARAMS = """\
train_input: &train_input
  data_processor: SeverstalBinaryClassDataProcessor
  data_dir: {data_dir}
  image_shape: [{height}, {width}, 1]
  train_test_split: 0.85
  num_classes: 2
  class_id: {class_id}
  batch_size: 480
eval_input:
  <<: *train_input
model:
  loss: bce
"""


class Case(NamedTuple):
    """A contender and what it is run on.

    Attributes:
        contender: its name.
        size: (height, width) of the examples, in pixels.
        images: in the sample.
    """

    contender: str
    size: tuple[int, int]
    images: int


class Run(NamedTuple):
    """What came of a run: what it took, and sha256 of each shard by its name in the dataset, if asked for."""

    measured: Measurement
    shards: dict[str, str]


def sample_folder(images: int) -> Path:
    """Where a sample of so many images stands."""
    return DATA / f"{images}_images"


def make_sample(images: int) -> int:
    """Writes a sample, unless it is there.

    Returns:
        the number of examples that are made of it.
    """
    folder = sample_folder(images)
    # In a process of its own: the system begins to count the memory of a program with that of who starts it, so this
    # one stays small.
    command = [sys.executable, "-m", "pipeline", "sample", str(folder), "--images", str(images), "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)
    return int(json.loads((folder / "sample.json").read_text())["rows_by_class"][str(CLASS_ID)])


def run_case(case: Case, *, watch_memory: bool = False, digest: bool = False) -> Run:
    """Runs a contender; its output is removed.

    Args:
        case: what to run.
        watch_memory: see `run_measured`.
        digest: asks for the sha256 of the shards.
    """
    with tempfile.TemporaryDirectory(prefix="steelbeam-benchmark-") as name:
        params, output_dir = Path(name, "params.yaml"), Path(name, "dataset")
        height, width = case.size
        data_dir = json.dumps(str(sample_folder(case.images)))
        params.write_text(_PARAMS.format(data_dir=data_dir, height=height, width=width, class_id=CLASS_ID))
        command = [sys.executable, "-m", *_COMMANDS[case.contender], "--params", str(params)]
        command += ["--output_dir", str(output_dir), "--num_output_files", str(NUM_OUTPUT_FILES)]
        measured = run_measured(command, str(ROOT), watch_memory=watch_memory)
        return Run(measured, dict(_digests(output_dir)) if digest else {})


def _digests(output_dir: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(output_dir.glob("*/*.h5")):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
        yield path.relative_to(output_dir).as_posix(), digest.hexdigest()


def check_same_bytes(case: Case, run: Run, expected: Run) -> None:
    """Checks that a contender wrote the same shards as steelbeam did.

    Raises:
        SystemExit: it did not: the comparison would not be of the same work.
    """
    names = sorted({*run.shards, *expected.shards})
    different = [name for name in names if run.shards.get(name) != expected.shards.get(name)]
    if different or not names:
        raise SystemExit(f"{case}: {len(different)} of {len(names)} shards differ from steelbeam's: {different[:3]}")
