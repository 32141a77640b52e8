"""Kills runs at random moments, and looks at what they leave: no manifest, or a dataset that is whole.

    python -m tests.support.torture [--kills N] [--seed S]

Runs of several commands take turns in one output folder, so that datasets are made, replaced and changed in part. Each
run is killed, with all its processes, by SIGKILL while it reads, writes or publishes; after every kill the folder is
looked at; some kills later the command may come to its end, and has to leave the bytes of a run that was never
disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from maskmill.pipeline.sample.write_sample import write_sample
from maskmill.pipeline.verify.verify_dataset import verify
from tests.support.builders import write_params
from tests.support.command import tree

PHASES = ("reading", "writing", "publishing")
KILLS_BEFORE_THE_END = 6
SECONDS_ALLOWED = 180.0


class Command(NamedTuple):
    """A command whose runs are killed: its parameter file, its flags, and the bytes that it has to leave."""

    params: Path
    flags: tuple[str, ...]
    expected: dict[str, bytes]

    def start(self, cwd: Path) -> subprocess.Popen[str]:
        """Starts a run, in a process group of its own, that writes to `out` in a folder."""
        command = [sys.executable, "-m", "maskmill", "create", "--params", str(self.params), "--output_dir", "out"]
        return subprocess.Popen(
            [*command, *self.flags, "--quiet"],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def make_commands(folder: Path) -> list[Command]:
    """Commands that differ in what their datasets have in common: nothing, one split, or all but the metadata."""
    write_sample(str(folder / "data"), images=240, seed=1)
    shapes = {"image_shape": [64, 400, 1]}
    variants: list[tuple[dict[str, object], tuple[str, ...]]] = [
        (shapes, ("--num_output_files=40",)),
        ({"image_shape": [32, 200, 1], "loss": "ssce"}, ("--num_output_files=30", "--workers=1")),
        ({**shapes, "eval_input": {"image_shape": [48, 48, 1]}}, ("--num_output_files=40",)),
        ({**shapes, "batch_size": 99}, ("--num_output_files=40",)),
        (
            {**shapes, "class_id": 1},
            ("--num_output_files=12", "--direct_running_mode=multi_processing", "--direct_num_workers=2"),
        ),
    ]
    return [
        make_command(folder, write_params(folder / f"{number}.yaml", folder / "data", **changes), flags)
        for number, (changes, flags) in enumerate(variants)
    ]


def make_command(folder: Path, params: Path, flags: tuple[str, ...]) -> Command:
    """A command, run once without disturbance."""
    alone = folder / f"alone {params.stem}"
    alone.mkdir()
    process = Command(params, flags, {}).start(alone)
    _, err = process.communicate(timeout=SECONDS_ALLOWED)
    assert process.returncode == 0, err
    return Command(params, flags, tree(alone / "out"))


class Torture:
    """Kills runs in one folder.

    Args:
        folder: whose folder `out` is written to.
        commands: that take turns.
        seed: of the moments.
    """

    def __init__(self, folder: Path, commands: list[Command], seed: int) -> None:
        self.folder = folder
        self.output = folder / "out"
        self.commands = commands
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.previous: Command | None = None

    def run(self, kills: int) -> None:
        """Kills so many runs, in all phases alike."""
        for command in self._turns():
            for _ in range(KILLS_BEFORE_THE_END):
                if self.kills.total() >= kills or not self._kill_once(command):
                    break
            self._finish(command)
            if self.kills.total() >= kills:
                return

    def _turns(self) -> Iterator[Command]:
        while True:
            yield from self.random.sample(self.commands, len(self.commands))

    def _kill_once(self, command: Command) -> bool:
        """Starts a run and kills it; says whether it was still alive."""
        wanted = min(PHASES, key=lambda phase: (self.kills[phase], self.random.random()))
        process = command.start(self.folder)
        self._wait_for(wanted, process)
        phase = self._phase()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _, err = process.communicate(timeout=SECONDS_ALLOWED)
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, err
        else:
            self.kills[phase] += 1
        self._check(command)
        return process.returncode == -signal.SIGKILL

    def _wait_for(self, phase: str, process: subprocess.Popen[str]) -> None:
        """Waits for a moment in a phase; what a phase takes is roughly known."""
        begun: Callable[[], object]
        begun, seconds = {
            "reading": (lambda: True, 3.0),
            "writing": (lambda: list(self.output.glob(".staging/*/*/*")), 0.6),
            "publishing": ((self.output / ".staging" / "publishing.json").exists, 0.1),
        }[phase]
        while process.poll() is None and not begun():
            time.sleep(0.0005)
        time.sleep(self.random.random() * seconds)

    def _phase(self) -> str:
        if (self.output / ".staging" / "publishing.json").exists():
            return "publishing"
        return "writing" if list(self.output.glob(".staging/*/*/*")) else "reading"

    def _check(self, command: Command) -> None:
        """Either no manifest, or a whole dataset: of this command, or the one that was there before."""
        if not (self.output / "manifest.json").exists():
            self.found["no manifest"] += 1
            return
        assert verify(str(self.output), quick=False).problems == ()
        found = {name: text for name, text in tree(self.output).items() if not name.startswith((".staging", ".lock"))}
        if found == command.expected:
            self.found["the new dataset"] += 1
        else:
            assert self.previous is not None
            assert found == self.previous.expected
            self.found["the dataset of before"] += 1

    def _finish(self, command: Command) -> None:
        """Lets the command come to its end."""
        process = command.start(self.folder)
        _, err = process.communicate(timeout=SECONDS_ALLOWED)
        assert process.returncode == 0, err
        assert tree(self.output) == command.expected
        self.found["finished"] += 1
        self.previous = command


def torture(folder: Path, kills: int, seed: int, lanes: int) -> list[Torture]:
    """Kills so many runs, in so many folders at the same time.

    Raises:
        AssertionError: a run has left what it must not leave.
    """
    commands = make_commands(folder)
    tortures = []
    for lane in range(lanes):
        (folder / f"lane {lane}").mkdir()
        tortures.append(Torture(folder / f"lane {lane}", commands, seed + lane))
    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(lambda one: one.run(-(-kills // lanes)), tortures))
    return tortures


def main() -> None:
    """The command of `make torture`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=240)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture ") as folder:
        lanes = torture(Path(folder), arguments.kills, arguments.seed, lanes=2)
    kills: Counter[str] = sum((lane.kills for lane in lanes), Counter())
    found: Counter[str] = sum((lane.found for lane in lanes), Counter())
    print(f"{kills.total()} kills: " + ", ".join(f"{kills[phase]} while {phase}" for phase in PHASES))
    print("found: " + ", ".join(f"{count} times {what}" for what, count in sorted(found.items())))
    print(f"{time.monotonic() - started:.0f} s, no fault")


if __name__ == "__main__":
    main()
