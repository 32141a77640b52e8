"""Measurements to results: medians, rates, the JSON and the tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from statistics import median
from typing import Any, NamedTuple

from tests.benchmarks.contenders import BARE_LOOP, STEELBEAM, Case
from tests.benchmarks.measure import Measurement

_DISTRIBUTIONS = {"beam": "apache-beam", "h5py": "h5py", "pillow": "Pillow", "numpy": "numpy"}


class CaseResult(NamedTuple):
    """All that was measured of a case.

    Attributes:
        case: what was run.
        examples: that it makes.
        watched: the run whose memory was watched; None if there was none.
        timed: the runs that were timed.
    """

    case: Case
    examples: int
    watched: Measurement | None
    timed: tuple[Measurement, ...]

    @property
    def seconds(self) -> float | None:
        """Median of the timed runs; None if there was none."""
        return median(run.seconds for run in self.timed) if self.timed else None


class Rate(NamedTuple):
    """Examples a second once a program has started, at one size.

    Attributes:
        size: (height, width) of the examples, in pixels.
        steelbeam: examples a second of steelbeam; None where the samples are too small to tell.
        bare_loop: examples a second of the bare loop; None likewise.
    """

    size: tuple[int, int]
    steelbeam: float | None
    bare_loop: float | None

    @property
    def share(self) -> float | None:
        """Rate of steelbeam, as a share of that of the bare loop."""
        return self.steelbeam / self.bare_loop if self.steelbeam and self.bare_loop else None


def describe_machine() -> dict[str, Any]:
    """What the numbers depend on: cores and versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {name: version(distribution) for name, distribution in _DISTRIBUTIONS.items()}
    return {"cores": cores, "architecture": platform.machine(), "python": platform.python_version(), **versions}


def rate_once_started(small: CaseResult, large: CaseResult) -> float | None:
    """What more examples take in more time: start and end of the program cancel out. None if it cannot be told."""
    assert small.seconds is not None
    assert large.seconds is not None
    examples, seconds = large.examples - small.examples, large.seconds - small.seconds
    return examples / seconds if examples > 0 and seconds > 0 else None


def rates_of(results: Iterable[CaseResult], small_images: int, images: int) -> Iterator[Rate]:
    """The rates of steelbeam and of the bare loop at each size."""
    by_case = {result.case: result for result in results}
    for size in dict.fromkeys(case.size for case in by_case):
        steelbeam, bare_loop = (
            rate_once_started(by_case[Case(name, size, small_images)], by_case[Case(name, size, images)])
            for name in (STEELBEAM, BARE_LOOP)
        )
        yield Rate(size, steelbeam, bare_loop)


def to_json(
    machine: Mapping[str, Any], arguments: Mapping[str, Any], results: Iterable[CaseResult], rates: Iterable[Rate]
) -> dict[str, Any]:
    """Everything, as JSON can hold it: seconds, bytes, examples a second."""
    return {
        "machine": dict(machine),
        "arguments": dict(arguments),
        "rate_once_started": [{**rate._asdict(), "share": rate.share} for rate in rates],
        "cases": [
            {
                **result.case._asdict(),
                "examples": result.examples,
                "median_seconds": result.seconds,
                "examples_per_second": result.examples / result.seconds if result.seconds else None,
                "peak_memory": result.watched.peak_memory if result.watched else None,
                "watched": result.watched._asdict() if result.watched else None,
                "timed": [run._asdict() for run in result.timed],
            }
            for result in results
        ],
    }


def to_markdown(machine: Mapping[str, Any], results: Iterable[CaseResult], rates: Iterable[Rate]) -> str:
    """The tables, for the README."""
    versions = ", ".join(f"{name} {machine[name]}" for name in ("python", *_DISTRIBUTIONS))
    lines = [
        f"{machine['cores']} cores ({machine['architecture']}); {versions}.",
        "",
        "| once started | steelbeam | bare loop | steelbeam / bare loop |",
        "|---|---:|---:|---:|",
        *(_rate_line(rate) for rate in rates),
        "",
        "| whole program | size | images | examples | seconds | examples a second | peak memory |",
        "|---|---|---:|---:|---:|---:|---:|",
        *(_case_line(result) for result in sorted(results, key=_order)),
    ]
    return "\n".join(lines) + "\n"


def _order(result: CaseResult) -> tuple[Any, ...]:
    return result.case.size, result.case.images, result.case.contender != STEELBEAM, result.case.contender


def _rate_line(rate: Rate) -> str:
    cells = [_size(rate.size), _number(rate.steelbeam, " / s"), _number(rate.bare_loop, " / s")]
    return f"| {' | '.join(cells)} | {_number(rate.share and 100 * rate.share, ' %')} |"


def _case_line(result: CaseResult) -> str:
    seconds, watched = result.seconds, result.watched
    cells = [
        result.case.contender,
        _size(result.case.size),
        f"{result.case.images:,}",
        f"{result.examples:,}",
        f"{seconds:.1f}" if seconds else "–",
        _number(seconds and result.examples / seconds, ""),
        _number(watched.peak_memory and watched.peak_memory / 1e6 if watched else None, " MB"),
    ]
    return f"| {' | '.join(cells)} |"


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


def _number(number: float | None, unit: str) -> str:
    return f"{number:,.0f}{unit}" if number else "–"
