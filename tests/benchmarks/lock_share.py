"""How much of an example's time the interpreter's lock is held.

    python -m tests.benchmarks.lock_share DATA SECONDS

A program that does nothing but make examples, in one thread, is looked at some hundred times a second by py-spy: the
share of the looks in which the thread holds the lock is that of the time.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from maskmill.transforms.shards.encode_example import EncodedExample
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.sink.prepare_examples import group_for, in_groups, prepare_examples
from tests.benchmarks.shard_plan import first_specs, form_of_size

SIZES = ((256, 256), (256, 1600))
EXAMPLES, LOOKS_A_SECOND = 50, 250
# What is looked at begins with these functions.
PREPARE, APPEND = "prepare_all", "append_all"
# Each example is added to a shard several times, so that it is looked at about as often as it is made ready.
APPENDS = 20


def work(data: Path, seconds: int, size: tuple[int, int]) -> None:
    """Makes examples for as long as it is looked at, and more."""
    threadpool_limits(1, user_api="blas")
    form = form_of_size(size)
    unread = [(spec, None) for spec in first_specs(data, EXAMPLES)]

    def prepare_all() -> list[EncodedExample]:
        groups = in_groups(unread, group_for(form, EXAMPLES, workers=1, read=0))
        prepared = itertools.chain.from_iterable(prepare_examples(group, form) for group in groups)
        return [one for one in prepared if isinstance(one, EncodedExample)]

    def append_all(ready: list[EncodedExample]) -> None:
        with tempfile.TemporaryDirectory() as name, ShardFile(f"{name}/a.h5", form) as file:
            for one in ready:
                file.append(one, "a.jpg")

    end = time.monotonic() + seconds + 5
    while time.monotonic() < end:
        ready = prepare_all()
        for _ in range(APPENDS):
            append_all(ready)


def looks(data: Path, seconds: int, size: tuple[int, int], *flags: str) -> dict[str, int]:
    """Number of looks at which each of the two functions was at work; with `--gil`, and held the lock."""
    with tempfile.TemporaryDirectory() as name:
        record = [
            str(Path(sys.executable).with_name("py-spy")),
            "record",
            *flags,
            "--rate",
            str(LOOKS_A_SECOND),
            "--duration",
            str(seconds),
        ]
        program = [sys.executable, "-m", __spec__.name, str(data), str(seconds), *map(str, size)]
        command = [*record, "--format", "raw", "--output", f"{name}/raw", "--", *program]
        subprocess.run(command, check=True, capture_output=True)
        lines = [line.rsplit(" ", 1) for line in Path(name, "raw").read_text().splitlines()]
    return {function: sum(int(count) for stack, count in lines if function in stack) for function in (PREPARE, APPEND)}


def measure(data: Path, seconds: int, size: tuple[int, int]) -> dict[str, float]:
    """The shares for making an example ready, and for adding it to its shard."""
    every, with_lock = looks(data, seconds, size), looks(data, seconds, size, "--gil")
    return {
        "prepare": with_lock[PREPARE] / every[PREPARE],
        "append": with_lock[APPEND] / every[APPEND],
        "append_to_prepare": every[APPEND] / APPENDS / every[PREPARE],
    }


def main() -> None:
    """Prints a JSON object; with a size, is what is looked at."""
    data, seconds, *size = sys.argv[1:]
    if size:
        work(Path(data), int(seconds), (int(size[0]), int(size[1])))
    else:
        found = {f"{size[0]} x {size[1]}": measure(Path(data), int(seconds), size) for size in SIZES}
        print(json.dumps(found))


if __name__ == "__main__":
    main()
