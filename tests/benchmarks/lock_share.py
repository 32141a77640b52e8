"""How much of an example's time the interpreter's lock is held.

    python -m tests.benchmarks.lock_share DATA

A second thread does nothing but count, for which it needs the lock. While examples are made beside it, it counts the
less the longer the lock is held by who makes them: the share of its rate that is lost, times the time, is how long. The
thread that makes examples gets the lock without delay, as the switch interval is short. What it takes to hand the lock
over counts as held.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from threadpoolctl import threadpool_limits

from tests.benchmarks.shard_plan import read_specs
from transforms.encode_example import EncodedExample
from transforms.example import ExampleFormat, ExampleSpec
from transforms.hdf5_file import ShardFile
from transforms.label import LabelFormat
from transforms.prepare_examples import prepare_examples

SIZES = ((256, 256), (256, 1600))
EXAMPLES, REPEATS = 100, 5
_SWITCH_SECONDS = 1e-5
_COUNT_SECONDS = 0.3


class Counter:
    """Counts in a thread of its own, as fast as it gets the interpreter's lock."""

    def __init__(self) -> None:
        self._count = 0
        self._stop = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._stop:
            self._count += 1

    def during(self, work: Callable[[], object]) -> tuple[float, float]:
        """Counts a second while work is done, and its seconds."""
        count, started = self._count, time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        return (self._count - count) / seconds, seconds

    def stop(self) -> None:
        """Ends the thread."""
        self._stop = True


def held(work: Callable[[], object]) -> float:
    """Share of the time that some work takes alone during which it holds the lock."""
    started = time.perf_counter()
    work()
    alone = time.perf_counter() - started
    counter = Counter()
    free, _ = counter.during(lambda: time.sleep(_COUNT_SECONDS))
    rate, seconds = counter.during(work)
    counter.stop()
    return (1 - rate / free) * seconds / alone


def measure(data: Path, size: tuple[int, int]) -> dict[str, float]:
    """The shares for making an example ready, and for adding it to its shard."""
    specs: list[ExampleSpec] = read_specs(str(data), 3)[:EXAMPLES]
    form = ExampleFormat(size, LabelFormat("bce", 2, *size))
    group = [(spec, None) for spec in specs]
    ready = [one for one in prepare_examples(group, form) if isinstance(one, EncodedExample)]
    prepare = median(held(lambda: prepare_examples(group, form)) for _ in range(REPEATS))
    with tempfile.TemporaryDirectory() as name, ShardFile(f"{name}/a.h5", form.label) as file:
        append = median(held(lambda: [file.append(one) for one in ready]) for _ in range(REPEATS))
    return {"prepare": prepare, "append": append}


def main() -> None:
    """Prints a JSON object."""
    threadpool_limits(1, user_api="blas")
    sys.setswitchinterval(_SWITCH_SECONDS)
    print(json.dumps({f"{size[0]} x {size[1]}": measure(Path(sys.argv[1]), size) for size in SIZES}))


if __name__ == "__main__":
    main()
