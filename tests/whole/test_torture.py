"""A run that is killed at any moment damages nothing, and the same command, or the next night, goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.month_of_nights import CUT, GROWTH, KILL_LAUNCHER, KILL_PHASES, TOO_CORRUPT, Month
from tests.support.torture import torture

KILLS = 12


@pytest.mark.slow
def test_runs_that_are_killed_leave_no_manifest_or_a_whole_dataset_and_end_in_the_same_bytes(tmp_path: Path) -> None:
    [lane] = torture(tmp_path, KILLS, seed=1, lanes=1)
    assert lane.kills.total() == KILLS
    assert lane.found["finished"] >= 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_night_is_worse_than_the_one_before_whatever_happens(tmp_path: Path) -> None:
    month = Month(tmp_path, seed=1)
    killed = next(event for event, phase in KILL_PHASES.items() if phase == "publishing")
    month.run([GROWTH, TOO_CORRUPT, CUT, killed, KILL_LAUNCHER])
    first, corrupt, cut, *_, last = month.nights
    assert (first.latest, corrupt.latest, cut.latest) == (first.day, first.day, first.day)
    assert (first.statuses, corrupt.statuses, cut.statuses, last.statuses) == ((0,), (3,), (5,), (0,))
    assert last.examples == first.examples + 3 * (len(month.nights) - 1)
