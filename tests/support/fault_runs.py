"""Runs of `maskmill create` of which one call fails, and what they may leave."""

from __future__ import annotations

import contextlib
import errno
import io
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from maskmill.pipeline.cli import main
from tests.support.builders import write_dataset, write_params
from tests.support.command import tree
from tests.support.faults import Fault, Faults, Log, numbers_of
from tests.support.faulty_file_system import FAULTS, faulty
from tests.support.local_faults import local_faults
from tests.support.shortcut import Shortcut

ROWS = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdefgh", start=1)]
FLAGS = ("--num_output_files=2", "--workers=1")
# What no run can do without; others it may try in vain, such as the removal of its lock file.
NEVER_WITHOUT = ("create", "fsync", "makedirs", "mkdir", "rename", "replace", "write")
JOURNAL = ".staging/publishing.json"

# What runs find: nothing, an older dataset, one of which the replacement was cut off, or just what they are to make.
STARTS = ("nothing", "older", "cut off", "whole")


class Result(NamedTuple):
    """A run: its exit status, and what it said."""

    status: int
    err: str


class Start(NamedTuple):
    """What runs find: where it is kept, its files, and the calls of a run that finds it."""

    kept: Path
    files: dict[str, bytes]
    log: Log


class Place:
    """Data, and an output folder that runs of one command write to.

    Args:
        folder: where everything is made.
        local: whether data and output are named as local folders, or as `faulty://`.

    Attributes:
        output: the output folder.
        faults: through which the calls go.
        whole: what the command leaves where nothing disturbs it.
    """

    def __init__(self, folder: Path, *, local: bool) -> None:
        self.output = folder / "out"
        self.local = local
        self.faults = Faults() if local else FAULTS
        self._data = write_dataset(folder / "data", ROWS)
        self._name = str if local else faulty
        self._params = write_params(folder / "params.yaml", self._data, data_dir=self._name(self._data))
        self._older = write_params(
            folder / "older.yaml", self._data, data_dir=self._name(self._data), image_shape=[8, 12, 1]
        )
        self._shortcut = Shortcut(lambda: self._create(self._params, *FLAGS))
        self.whole = tree(self.output)
        self._folder = folder
        self._starts: dict[str, Start] = {}
        self._repaired: set[tuple[tuple[str, bytes], ...]] = set()

    def _create(self, params: Path, *flags: str) -> Result:
        arguments = ["create", "--params", str(params), "--output_dir", self._name(self.output), *flags, "--quiet"]
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            status = main(arguments)
        return Result(status, err.getvalue())

    def run(self, fault: Fault | None = None, *, beam: bool = False) -> Result:
        """Runs the command, by the shortcut or by Beam; counts its calls."""
        self.faults.plan(fault)
        with contextlib.ExitStack() as stack:
            if self.local:
                stack.enter_context(local_faults(self.faults, self.output, self._data))
            if not beam:
                stack.enter_context(self._shortcut.taken())
            stack.callback(self.faults.rest)
            return self._create(self._params, *FLAGS)

    def prepare(self, start: str) -> None:
        """Makes what the runs are to find, one of `STARTS`."""
        if start not in self._starts:
            kept = self._folder / f"start {start}"
            self._make(start)
            if self.output.exists():
                self.output.rename(kept)
            self._starts[start] = Start(kept, tree(kept), ())
            self._start = self._starts[start]
            self._starts[start] = self._start._replace(log=self._log())
        self._start = self._starts[start]
        self.restore()

    def _make(self, start: str) -> None:
        shutil.rmtree(self.output, ignore_errors=True)
        if start == "older":
            assert self._create(self._older, "--num_output_files=3") == Result(0, "")
        elif start == "whole":
            assert self.run() == Result(0, "")
        elif start == "cut off":
            self.prepare("older")
            # The journal is the first that is moved into place; one shard is, and the next is not.
            move = "replace" if self.local else "rename"
            assert self.run(Fault(move, self.publishing[move][2], errno.EIO)).status == 1

    def _log(self) -> Log:
        self.restore()
        assert self.run() == Result(0, "")
        assert tree(self.output) == self.whole
        return tuple(self.faults.log)

    def restore(self) -> None:
        """Puts back what the runs are to find."""
        shutil.rmtree(self.output, ignore_errors=True)
        if self._start.kept.exists():
            shutil.copytree(self._start.kept, self.output)

    @property
    def before(self) -> dict[str, bytes]:
        """What the runs find."""
        return self._start.files

    @property
    def log(self) -> Log:
        """The calls of an undisturbed run."""
        return self._start.log

    @property
    def calls(self) -> dict[str, list[int]]:
        """Numbers of those calls by operation."""
        return numbers_of(self.log)

    @property
    def publishing(self) -> dict[str, list[int]]:
        """Numbers of those among them that come when the publishing has begun."""
        return numbers_of(self.log, since=f"{JOURNAL}.")

    def check(self, fault: Fault, *, beam: bool = False) -> None:
        """Has a call of a run fail, and looks at what the run says and leaves; then runs the command undisturbed.

        Raises:
            AssertionError: a success with something missing, a failure that is not explained, or a damaged dataset.
        """
        self.restore()
        result = self.run(fault, beam=beam)
        found = tree(self.output)
        assert self.faults.hit
        assert "Traceback" not in result.err
        self._check_dataset(found)
        if result.status == 0:
            assert fault.operation not in NEVER_WITHOUT
            # A lock file that cannot be taken away is no lock.
            assert {name: text for name, text in found.items() if name != ".lock"} == self.whole
        else:
            self._check_failure(fault, result, found)
        self._check_repair(found)

    def _check_dataset(self, found: dict[str, bytes]) -> None:
        """Looks at the dataset: whole, that of before or the new one, or without a manifest while it is published."""
        assert not [name for name in shown(found) if name.endswith(".attempt")]
        if "manifest.json" in found:
            assert shown(found) in (shown(self.before), self.whole)
        elif "manifest.json" in self.before or any(name.endswith(".h5") for name in shown(found)):
            assert JOURNAL in found

    def _check_failure(self, fault: Fault, result: Result, found: dict[str, bytes]) -> None:
        # 2 is for what is wrong with the input, which is found before any work.
        assert result.status == 1 or (result.status == 2 and found == self.before)
        assert fault.words in result.err
        if "nothing was published" in result.err:
            assert shown(found) == shown(self.before)
        if "is no dataset until" in result.err:
            assert "manifest.json" not in found

    def _check_repair(self, found: dict[str, bytes]) -> None:
        """Runs the command again, once for all faults that leave the same."""
        state = tuple(sorted(without_names(found).items()))
        if state not in self._repaired:
            assert self.run() == Result(0, "")
            assert tree(self.output) == self.whole
            self._repaired.add(state)


def shown(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a dataset, without those of runs."""
    return {name: text for name, text in files.items() if not name.startswith((".staging/", ".lock"))}


def without_names(files: dict[str, bytes]) -> dict[str, bytes]:
    """What runs leave, the same for those that leave the same: without the names that are of one attempt only."""
    names = {name: re.sub(r"[0-9a-f]{32}|maskmill-[^/]*", "", name) for name in files}
    return {names[name]: b"" if name == ".lock" else text for name, text in files.items()}
