"""A month of nights: what a schedule runs each night, amid all that happens to it in a month and nobody watches.

    python -m tests.support.month_of_nights [--nights N] [--seed S]

Each night the input grows, and something happens: images change or are corrupt, the CSV is cut off, the run is killed,
the disk is full, two launchers run at once. Each night runs `configs/schedule/daily.sh`, with another date. After each
night, `latest.json` names a whole dataset, no worse than the one of the night before, and the folder takes no more
space than KEEP + 1 datasets. At the end, it names a dataset with the bytes of a run that found nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from maskmill.pipeline.dataset.latest import read_latest
from maskmill.pipeline.verify.verify_dataset import verify
from tests.support.builders import HEADER, grey_pixels, image_bytes, write_params
from tests.support.command import ROOT, manifest, tree

KEEP = 3
FIRST_DAY = datetime.date(2026, 11, 1)
IMAGES, NEW_IMAGES, CHANGED_IMAGES = 80, 3, 3
HEIGHT, WIDTH = 128, 200
ALLOWED, TOO_MANY = 2, 6
FLAGS = ("--num_output_files=8", f"--max_rejected={ALLOWED}", "--max_change=30%", "--quiet")
# Two processes that do the work, which the death of their launcher alone leaves.
PROCESSES = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
DISK_BYTES = 64 * 2**20
SECONDS_ALLOWED = 180.0
KILLED = 128 + signal.SIGKILL

CHANGE, CORRUPT, TOO_CORRUPT = "3 images change", "2 images are corrupt", "6 images are corrupt"
CUT, FULL, TWO, NOTHING, GROWTH = "the CSV is cut off", "the disk is full", "two launchers", "nothing is new", "growth"
KILL_LAUNCHER = "only the launcher is killed"
KILL_PHASES = {f"killed while {phase}": phase for phase in ("reading", "writing", "publishing", "verifying", "pruning")}
# What happens between the first and the last of 30 nights, in any order.
EVENTS = (
    *(CHANGE, TOO_CORRUPT) * 3,
    *(CORRUPT, CUT, FULL, TWO, KILL_LAUNCHER) * 2,
    NOTHING,
    *list(KILL_PHASES)[:3] * 2,
    *list(KILL_PHASES),
)


class Night(NamedTuple):
    """What a night was like.

    Attributes:
        day: name of its folder.
        event: what happened.
        statuses: exit status of each attempt.
        latest: the dataset that `latest.json` names afterwards; "" if there is none yet.
        examples: of that dataset.
        datasets: space that the folder takes afterwards, in datasets of the largest size so far.
    """

    day: str
    event: str
    statuses: tuple[int, ...]
    latest: str
    examples: int
    datasets: float


class Input:
    """A CSV of a row for each image, and the images; it grows, and is damaged and mended.

    Args:
        folder: of the CSV and the images.
        chance: chooses images.
    """

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self._folder = folder
        self._random = chance
        self._seeds: dict[str, int] = {}
        self._corrupt: list[str] = []
        self._next_seed = 0
        (folder / "train_images").mkdir(parents=True)
        self.grow(IMAGES)

    @property
    def examples(self) -> int:
        """Number of examples that a run makes of it."""
        return len(self._seeds) - len(self._corrupt)

    def grow(self, images: int) -> None:
        """Adds images with their rows."""
        for _ in range(images):
            self._draw(f"{len(self._seeds):05}.jpg")
        rows = [f"{name},3,{1 + index % 50} 20\n" for index, name in enumerate(self._seeds)]
        (self._folder / "train.csv").write_text(HEADER + "\n" + "".join(rows))

    def change(self, images: int) -> None:
        """Draws images anew."""
        for name in self._random.sample(sorted(self._seeds), images):
            self._draw(name)

    def corrupt(self, images: int) -> None:
        """Cuts off images; they are among the first rows."""
        self._corrupt = self._random.sample(sorted(self._seeds)[: IMAGES // 4], images)
        for name in self._corrupt:
            self._path(name).write_bytes(self._path(name).read_bytes()[:500])

    def cut_off(self) -> None:
        """Ends the CSV amid a row, as a copy does that is under way: a single bad row, which is allowed."""
        text = (self._folder / "train.csv").read_text()
        rows = self._random.randrange(IMAGES // 3, IMAGES // 2)
        (self._folder / "train.csv").write_text(text[: text.index(f"{rows:05}.jpg") + len("00000.jpg,")])

    def mend(self) -> None:
        """Undoes all damage."""
        for name in self._corrupt:
            self._path(name).write_bytes(_image(self._seeds[name]))
        self._corrupt = []
        self.grow(0)

    def _draw(self, name: str) -> None:
        self._seeds[name] = self._next_seed
        self._path(name).write_bytes(_image(self._next_seed))
        self._next_seed += 1

    def _path(self, name: str) -> Path:
        return self._folder / "train_images" / name


def _image(seed: int) -> bytes:
    return image_bytes(grey_pixels(seed, HEIGHT, WIDTH))


class Month:
    """Runs the nights, and checks what each leaves.

    Args:
        folder: for everything.
        seed: of all chance.

    Attributes:
        nights: that are over.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.nights: list[Night] = []
        self._folder = folder
        self._random = random.Random(seed)
        self._input = Input(folder / "data", self._random)
        self._params = write_params(
            folder / "params.yaml",
            folder / "data",
            image_shape=[HEIGHT, WIDTH, 1],
            train_test_split=0.75,
            maskmill={"assignment": "hash"},
        )
        self._disk = folder / "disk"
        self._days = self._disk / "days"
        self._days.mkdir(parents=True)
        self._largest = 0
        self._published: dict[str, bytes] = {}
        self._write_programs()

    def run(self, events: list[str], tell: Callable[[str], object] = lambda _: None) -> None:
        """Runs a night for each event, then one on which nothing happens, and compares its dataset with a fresh one."""
        tell(HEAD)
        for event in [*events, GROWTH]:
            self._night(event)
            tell(row_of(self.nights[-1]))
        self._check_last()

    def _night(self, event: str) -> None:
        day = str(FIRST_DAY + datetime.timedelta(days=len(self.nights)))
        self._input.mend()
        self._input.grow(0 if event == NOTHING else NEW_IMAGES)
        statuses = self._happen(event, day)
        self.nights.append(self._look(event, day, statuses))
        self._pass_a_day()

    def _happen(self, event: str, day: str) -> tuple[int, ...]:
        """Runs the night in which something happens; returns the exit statuses, which have to be the right ones."""
        if event in KILL_PHASES:
            return self._retry(day, self._killed(day, KILL_PHASES[event]))
        if event == KILL_LAUNCHER:
            return self._retry(day, self._killed(day, "writing", *PROCESSES, group=False))
        if event == FULL:
            with self._full_disk():
                status = self._wait(self._start(day))
            assert status == 1, self._said()
            return self._retry(day, status)
        if event == TWO:
            statuses = sorted(map(self._wait, [self._start(day), self._start(day)]))
            assert statuses in ([0, 0], [0, 1]), self._said()
            return tuple(statuses)
        if event == CHANGE:
            self._input.change(CHANGED_IMAGES)
        elif event == CORRUPT:
            self._input.corrupt(ALLOWED)
        elif event == TOO_CORRUPT:
            self._input.corrupt(TOO_MANY)
        elif event == CUT:
            self._input.cut_off()
        status = self._wait(self._start(day))
        assert status in {TOO_CORRUPT: (3,), CUT: (5,)}.get(event, (0,)), f"{event}: {status}\n{self._said()}"
        return (status,)

    def _retry(self, day: str, status: int) -> tuple[int, ...]:
        """Runs the same night again, as systemd does; on every other such night the machine stays off."""
        if status == 0 or self._random.random() < 0.5:
            return (status,)
        again = self._wait(self._start(day))
        assert again == 0, self._said()
        return status, again

    def _killed(self, day: str, phase: str, *flags: str, group: bool = True) -> int:
        """Kills a run at a moment of a phase: it with all its processes, or only the one that was started."""
        process = self._start(day, *flags)
        self._wait_for(phase, day, process)
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                for launcher in psutil.Process(process.pid).children():
                    launcher.kill()
        status = self._wait(process)
        assert status in (0, KILLED), self._said()
        return status

    def _wait_for(self, phase: str, day: str, process: subprocess.Popen[bytes]) -> None:
        staging = self._days / day / ".staging"
        begun: Callable[[], object]
        begun, seconds = {
            "reading": (lambda: self._command() == "create", 3.0),
            "writing": (lambda: list(staging.glob("*/*/*")), 0.2),
            "publishing": ((staging / "publishing.json").exists, 0.01),
            "verifying": (lambda: self._command() == "verify", 2.0),
            "pruning": (lambda: self._command() == "prune" and (self._days / day / "manifest.json").exists(), 2.0),
        }[phase]
        while process.poll() is None and not begun():
            time.sleep(0.0005)
        time.sleep(self._random.random() * seconds)

    def _command(self) -> str:
        """The command of maskmill that was started last."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / "command").read_text().strip()
        return ""

    def _start(self, day: str, *flags: str) -> subprocess.Popen[bytes]:
        """Starts what the schedule runs, in a process group of its own."""
        (self._folder / "command").unlink(missing_ok=True)
        environment = {**os.environ, "DAY": day, "KEEP": str(KEEP), "PYTHONPATH": str(ROOT)}
        environment["PATH"] = f"{self._folder / 'bin'}:{os.environ['PATH']}"
        with open(self._folder / "said", "ab") as said:
            return subprocess.Popen(
                [ROOT / "configs" / "schedule" / "daily.sh", self._params, "days", *FLAGS, *flags],
                cwd=self._disk,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """Waits until a run and all its processes have ended; returns the exit status as a shell gives it."""
        status = process.wait(SECONDS_ALLOWED)
        deadline = time.monotonic() + SECONDS_ALLOWED
        while any(_group_of(one) == process.pid for one in psutil.process_iter()):
            assert time.monotonic() < deadline, "a process outlives its run"
            time.sleep(0.05)
        return status if status >= 0 else 128 - status

    def _said(self) -> str:
        return (self._folder / "said").read_text()

    def _write_programs(self, limit: str = ":") -> None:
        """Programs that the schedule finds first: maskmill, which tells its command, and the date of the night."""
        programs = {
            "maskmill": f'echo "$1" >"{self._folder}/command"\n{limit}\nexec "{sys.executable}" -m maskmill "$@"\n',
            "date": 'echo "$DAY"\n',
        }
        (self._folder / "bin").mkdir(exist_ok=True)
        for name, text in programs.items():
            path = self._folder / "bin" / name
            path.write_text(f"#!/bin/sh\n{text}")
            path.chmod(0o755)

    @contextlib.contextmanager
    def _full_disk(self) -> Iterator[None]:
        """Leaves half a dataset of the disk free; where no file system can be mounted, a limit on files does it."""
        ballast = self._disk / "ballast"
        if os.path.ismount(self._disk):
            free = shutil.disk_usage(self._disk).free - self._largest // 2
            ballast.write_bytes(bytes(max(free, 0)))
        else:
            self._write_programs("ulimit -f 32")
        try:
            yield
        finally:
            ballast.unlink(missing_ok=True)
            self._write_programs()

    def _look(self, event: str, day: str, statuses: tuple[int, ...]) -> Night:
        """Looks at what a night has left."""
        said = self._said()
        # The workers of Beam tell the loss of their launcher with one.
        assert "Traceback" not in said or event == KILL_LAUNCHER, said
        assert "leaked" not in said, said
        (self._folder / "said").unlink()
        latest = read_latest(str(self._days)) or ""
        examples = self._check_latest(day, latest) if latest else 0
        disk = _space_of(self._days)
        assert disk <= (KEEP + 1) * self._largest or not latest, f"{day}: {disk / self._largest:.1f} datasets"
        return Night(day, event, statuses, latest, examples, disk / (self._largest or disk or 1))

    def _check_latest(self, day: str, latest: str) -> int:
        """Checks that the latest dataset is whole, and this night's or that of before; returns its examples."""
        dataset = self._days / latest
        assert verify(str(dataset), quick=False).problems == ()
        content = manifest(dataset)
        examples = sum(split["examples"] for split in content["splits"].values())
        if latest == day:
            assert examples == self._input.examples
            self._published = tree(dataset)
            self._largest = max(self._largest, _space_of(dataset))
        else:
            found = {name: text for name, text in tree(dataset).items() if not name.startswith((".staging/", ".lock"))}
            assert found == self._published
        return examples

    def _check_last(self) -> None:
        """Compares the last dataset with that of a run which finds nothing."""
        day = self.nights[-1].day
        assert self.nights[-1].latest == day
        assert [path.name for path in self._days.iterdir() if (path / ".staging").exists()] == []
        fresh = self._folder / "fresh"
        fresh.mkdir()
        command = [sys.executable, "-m", "maskmill", "create", "--params", self._params, "--output_dir", f"days/{day}"]
        subprocess.run([*command, *FLAGS], cwd=fresh, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
        assert tree(self._days / day) == tree(fresh / "days" / day)

    def _pass_a_day(self) -> None:
        """Makes everything in the folder of datasets a day older."""
        for path in (self._days, *self._days.rglob("*")):
            times = path.lstat()
            os.utime(path, (times.st_atime - 86400, times.st_mtime - 86400), follow_symlinks=False)


def _group_of(process: psutil.Process) -> int:
    """The process group of a process that is at work; 0 of one that has ended."""
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        if process.status() != psutil.STATUS_ZOMBIE:
            return os.getpgid(process.pid)
    return 0


def _space_of(folder: Path) -> int:
    """Space that a folder takes on the disk, in bytes."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


HEAD = "| day | what happens | exit status | latest | examples | datasets on disk |\n|---|---|---|---|---|---|"


def row_of(night: Night) -> str:
    """The line of a night in the table."""
    statuses = ", then ".join(map(str, night.statuses))
    cells = (night.day, night.event, statuses, night.latest, str(night.examples), f"{night.datasets:.1f}")
    return f"| {' | '.join(cells)} |"


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mounts a small file system in memory, where the system allows it."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "maskmill-test", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def main() -> None:
    """Runs a month, and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=2 + len(EVENTS))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    started = time.monotonic()
    events = random.Random(arguments.seed).sample(EVENTS, min(arguments.nights - 2, len(EVENTS)))
    events += [GROWTH] * (arguments.nights - 2 - len(events))
    with tempfile.TemporaryDirectory(prefix="month_of_nights ") as name, small_disk(Path(name) / "disk"):
        Month(Path(name), arguments.seed).run([GROWTH, *events], lambda line: print(line, flush=True))
    print(f"{time.monotonic() - started:.0f} s, no fault")


if __name__ == "__main__":
    main()
