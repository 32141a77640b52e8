"""`make test ROOM=…`: the tests of one room, and what is left to `make test-slow`."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.command import ROOT


def dry_run(*arguments: str, status: int = 0) -> str:
    """What `make` would do, or why it does not."""
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("room", "folder", "workers"),
    [
        ("ROOM=transforms/shards", " tests/transforms/shards", False),
        ("ROOM=maskmill", " tests/maskmill", True),
        ("ROOM=whole/", " tests/whole", True),
        ("ROOM=", "", True),
    ],
)
def test_a_room_is_tested_by_itself(room: str, folder: str, workers: bool) -> None:
    command = dry_run("test", room).rstrip("\n").splitlines()[-1]
    assert command.endswith(f'and not slow"{folder}' if folder else 'and not slow" ')
    assert ("--numprocesses" in command) == workers


@pytest.mark.parametrize("room", ["shards", "transforms/none", "support"])
def test_a_room_that_is_not_there_is_told_with_those_that_are(room: str) -> None:
    said = dry_run("test", f"ROOM={room}", status=2)
    assert f"there are no tests in tests/{room}; the rooms are: maskmill pipeline " in said
    assert " transforms/shards " in said


def test_slow_tests_are_run_by_a_target_of_their_own_and_in_ci() -> None:
    assert "-m slow" in dry_run("test-slow")
    assert "\nmake test-slow\n" in (ROOT / ".ci" / "run").read_text()
