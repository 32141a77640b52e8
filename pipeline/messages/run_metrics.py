"""The file of metrics of one run, however it ends."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping

from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError
from maskmill.pipeline.messages.metrics_file import check_metrics_file, write_metrics
from maskmill.pipeline.messages.run_numbers import RunReport


class RunMetrics:
    """Measures a run, and writes its metrics where they are wanted.

    Args:
        path: of the file; None where none is wanted.
        dataset: the output folder, as given.

    Raises:
        UsageError: no file can be there.
    """

    def __init__(self, path: str | None, dataset: str) -> None:
        self._path = path
        self._dataset = dataset
        self._started = time.monotonic()
        if path is not None:
            check_metrics_file(path)

    @property
    def seconds(self) -> float:
        """How long the run has taken."""
        return time.monotonic() - self._started

    def write(self, report: RunReport) -> None:
        """Writes the metrics of a run that has come to its end.

        Raises:
            MaskmillError: they cannot be written.
        """
        if self._path is not None:
            try:
                write_metrics(self._path, self._dataset, ended=time.time(), seconds=self.seconds, report=report)
            except OSError as error:
                raise MaskmillError(f"the dataset is made, but its metrics cannot be written: {error}") from error

    def write_failure(self, rejected: Mapping[str, int] | None = None) -> None:
        """Writes the metrics of a run that has failed; where that fails too, the run's own error is what counts."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                write_metrics(self._path, self._dataset, ended=time.time(), seconds=self.seconds, rejected=rejected)

    @contextlib.contextmanager
    def of_a_failure(self) -> Iterator[None]:
        """Writes them where the body fails."""
        try:
            yield
        except BaseException as error:
            self.write_failure(error.codes if isinstance(error, TooManyRejectedError) else None)
            raise
