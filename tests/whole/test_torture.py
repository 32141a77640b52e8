"""A run that is killed at any moment damages nothing, and the same command goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.torture import torture

KILLS = 12


@pytest.mark.slow
def test_runs_that_are_killed_leave_no_manifest_or_a_whole_dataset_and_end_in_the_same_bytes(tmp_path: Path) -> None:
    [lane] = torture(tmp_path, KILLS, seed=1, lanes=1)
    assert lane.kills.total() == KILLS
    assert lane.found["finished"] >= 2
