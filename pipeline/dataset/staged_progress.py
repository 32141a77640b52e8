"""Progress of a run whose work is done elsewhere, as far as the staging folder shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from maskmill.transforms.shards.staging import count_staged


class StagedProgress:
    """Counts the finished shards of a run, from a thread of its own.

    Args:
        staging: folder in which the run stages its shards.
        splits: names of the splits.
        expected: number of shards; None if it is not known, because some may be kept and never staged.
    """

    def __init__(self, staging: str, splits: Sequence[str], expected: int | None) -> None:
        self._staging = staging
        self._splits = splits
        self._done = 0
        self.expected = expected

    @property
    def done(self) -> int:
        """Finished shards. Each look lists the staging folder; if that fails, the last number stands."""
        with contextlib.suppress(OSError):
            # Publishing moves the shards out of the folder.
            self._done = max(self._done, count_staged(self._staging, self._splits))
        return self._done
