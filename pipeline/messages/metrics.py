"""Writes the metrics of a run, however it ends, as text for Prometheus (textfile collector of node_exporter)."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError
from maskmill.pipeline.messages.output_file import check_output_file, make_folder_of
from maskmill.pipeline.messages.result import Result
from maskmill.transforms.files.paths import absolute
from maskmill.transforms.files.read_write import read_bytes_if_there, write_whole

_PREFIX = "maskmill_"
_LAST_SUCCESS = "last_success_timestamp_seconds"
_VALUE_OF_LAST_SUCCESS = re.compile(rf"^{_PREFIX}{_LAST_SUCCESS}(?:{{.*}})? (\S+)$", re.MULTILINE)


class _Gauge(NamedTuple):
    """A metric: its name, its description, and its values with their labels."""

    name: str
    meaning: str
    values: Iterable[tuple[Mapping[str, str], float]]


class RunMetrics:
    """Measures a run, and writes its metrics if a file is asked for.

    Args:
        path: path of the file; None writes nothing.
        dataset: label of every metric; see `series_of`.

    Raises:
        UsageError: no file can be at that path.
    """

    def __init__(self, path: str | None, dataset: str) -> None:
        self._path = path
        self._dataset = dataset
        self._started = time.monotonic()
        if path is not None:
            check_output_file(path, "maskmill.prom")

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started

    def write(self, result: Result) -> None:
        """Writes the metrics of a run that has succeeded.

        Raises:
            MaskmillError: the file cannot be written.
        """
        if self._path is not None:
            try:
                write_metrics(self._path, self._dataset, ended=time.time(), seconds=result.seconds, result=result)
            except OSError as error:
                raise MaskmillError(f"the dataset is made, but its metrics cannot be written: {error}") from error

    def write_failure(self, rejected: Mapping[str, int] | None = None) -> None:
        """Writes the metrics of a run that has failed; if that fails, too, only the run's own error is reported."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                write_metrics(self._path, self._dataset, ended=time.time(), seconds=self.seconds, rejected=rejected)

    @contextlib.contextmanager
    def of_a_failure(self) -> Iterator[None]:
        """Writes the metrics if the body fails."""
        try:
            yield
        except BaseException as error:
            self.write_failure(error.codes if isinstance(error, TooManyRejectedError) else None)
            raise


def write_metrics(
    path: str,
    dataset: str,
    *,
    ended: float,
    seconds: float,
    result: Result | None = None,
    rejected: Mapping[str, int] | None = None,
) -> None:
    """Writes the file in one step. If the run has failed, the time of the last success stays in it.

    Args:
        path: local path of the file; its folder is made if it is missing.
        dataset: a label of every metric; see `series_of`.
        ended: end of the run, in seconds since the epoch.
        seconds: duration of the run.
        result: of a run that has succeeded; None if it has failed.
        rejected: rejected rows and images of a run that has failed, by code, if they are known.

    Raises:
        OSError: the file cannot be written, or the one before it cannot be read.
    """
    gauges = [
        _Gauge("last_run_success", "1 where the last run has succeeded, else 0", [({}, int(result is not None))]),
        _Gauge("last_run_timestamp_seconds", "when the last run has ended", [({}, ended)]),
        _Gauge("last_run_duration_seconds", "how long the last run took", [({}, seconds)]),
    ]
    succeeded = ended if result is not None else _last_success(path)
    if succeeded is not None:
        gauges.append(_Gauge(_LAST_SUCCESS, "when the last run that succeeded has ended", [({}, succeeded)]))
    if result is not None:
        gauges += _of_result(result)
    codes = result.rejected if result else rejected or {}
    gauges.append(
        _Gauge("rejected", "rows and images that were rejected", [({"code": code}, n) for code, n in codes.items()])
    )
    make_folder_of(path)
    write_whole(os.path.abspath(path), "".join(_lines(gauges, dataset)).encode())


def series_of(output_dir: str, reuse: str | None) -> str:
    """Returns the label `dataset` of a run's metrics, which has to be the same every day, or each day is a new series.

    Args:
        output_dir: the output folder, as given.
        reuse: dataset or folder of datasets, as given; None without it.

    Returns:
        the folder of datasets, if the output folder lies directly in it, else the output folder.
    """
    if reuse and absolute(output_dir).rpartition("/")[0] == absolute(reuse):
        return reuse
    return output_dir


def _last_success(path: str) -> float | None:
    """Returns the time of the last success in the file, whichever day's dataset it was about."""
    text = read_bytes_if_there(os.path.abspath(path)) or b""
    found = _VALUE_OF_LAST_SUCCESS.search(text.decode(errors="replace"))
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _of_result(result: Result) -> Iterator[_Gauge]:
    yield _Gauge("rows", "rows that were read", [({}, result.rows.read)])
    yield _Gauge("examples", "examples of the dataset", _by_split(result.examples))
    yield _Gauge("dataset_bytes", "size of the shards", _by_split(result.bytes))
    shards = [
        ({"split": split, "state": state}, count)
        for split, states in result.shards.items()
        for state, count in states.items()
    ]
    yield _Gauge("shards", "shards of the dataset, and how the last run has come by them", shards)


def _by_split(counts: Mapping[str, int]) -> list[tuple[Mapping[str, str], float]]:
    return [({"split": split}, count) for split, count in counts.items()]


def _lines(gauges: Iterable[_Gauge], dataset: str) -> Iterator[str]:
    for name, meaning, values in gauges:
        yield f"# HELP {_PREFIX}{name} {meaning}\n# TYPE {_PREFIX}{name} gauge\n"
        for labels, value in values:
            shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in {"dataset": dataset, **labels}.items())
            yield f"{_PREFIX}{name}{{{shown}}} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
