"""Results to tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from tests.benchmarks import read_rate
from tests.benchmarks.programs import BARE_LOOP, MASKMILL, ORIGINAL_WAY, SHUFFLED_PIXELS

BEGIN, END = "<!-- benchmark -->", "<!-- /benchmark -->"
_DISTRIBUTIONS = {"Beam": "apache-beam", "h5py": "h5py", "Pillow": "Pillow", "NumPy": "numpy"}


def describe_machine() -> dict[str, Any]:
    """What the numbers depend on: cores and versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {name: version(distribution) for name, distribution in _DISTRIBUTIONS.items()}
    return {"cores": cores, "architecture": platform.machine(), "Python": platform.python_version(), **versions}


def replace_tables(text: str, tables: str) -> str:
    """A document with other tables between the two marks.

    Raises:
        ValueError: it has no such marks.
    """
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:begin]}\n{tables}{text[end:]}"


def to_markdown(results: Mapping[str, Any]) -> str:
    """The tables of those groups that were measured."""
    tables = [table(results[name]["figures"]) for name, table in _TABLES.items() if name in results]
    machines = [results[name]["machine"] for name in results]
    machine = dict(machines[-1])
    heading = f"{machine.pop('cores')} cores ({machine.pop('architecture')}); "
    heading += ", ".join(f"{name} {value}" for name, value in machine.items()) + "."
    return "\n\n".join([heading, *tables]) + "\n"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    cells = [f"| {' | '.join(line)} |" for line in (head, *lines)]
    return "\n".join([cells[0], f"|---{'|---:' * (len(head) - 1)}|", *cells[1:]])


def _steady(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        [_size(one["size"]), _rate(one["rates"][MASKMILL]), _rate(one["rates"][BARE_LOOP]), f"{one['share']:.0%}"]
        for one in figures
    ]
    return _table(["examples a second, once started", MASKMILL, BARE_LOOP, "share"], lines)


def _start(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        [
            _size(one["size"]),
            *(f"{one['medians'][program]:.1f} s" for program in (MASKMILL, BARE_LOOP, ORIGINAL_WAY)),
            f"{one['over']:+.1f} s",
            f"{one['times']:.1f} times",
        ]
        for one in figures
    ]
    head = ["1,500 examples, start to end", MASKMILL, BARE_LOOP, ORIGINAL_WAY, "over the loop", "as fast as that way"]
    return _table(head, lines)


def _cores(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [[one["program"], *map(_rate, one["rates"]), f"{one['speedup']:.2f}"] for one in figures]
    return _table(["examples a second, 256 × 256", "1 core", "2 cores", "times"], lines)


def _lock(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [[one["size"].replace("x", "×"), f"{one['prepare']:.0%}", f"{one['append']:.0%}"] for one in figures]
    return _table(["time under the interpreter's lock", "making an example ready", "adding it to its shard"], lines)


def _memory(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        [_size(one["size"]), f"{examples:,}", _megabytes(peak)]
        for one in figures
        for examples, peak in zip(one["examples"], one["peaks"], strict=True)
    ]
    return _table(["peak of the memory of all processes", "examples", MASKMILL], lines)


def _shuffle(figures: Sequence[Mapping[str, Any]]) -> str:
    programs = (MASKMILL, SHUFFLED_PIXELS)
    lines = [[_size(one["size"]), *(_time_and_peak(one[program]) for program in programs)] for one in figures]
    return _table([f"{figures[0]['examples']} examples", *programs], lines)


def _time_and_peak(run: Mapping[str, float]) -> str:
    return f"{run['seconds']:.1f} s, {_megabytes(run['peak'])}"


def _rows(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [[f"{one['rows']:,}", f"{one['median']:.1f} s", _megabytes(one["peak"])] for one in figures]
    return _table(["`maskmill plan`: rows", "seconds", "peak memory"], lines)


def _nothing(figures: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ["nothing to do: images", "seconds"], [[f"{one['images']:,}", f"{one['median']:.1f} s"] for one in figures]
    )


def _shards(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [[f"{one['shards']:,}", _rate(one["rate"]), f"{one['rate'] / figures[0]['rate']:.0%}"] for one in figures]
    return _table(["12,000 examples: shards", "examples a second", "of the first"], lines)


def _storage(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [[_size(one["size"]), f"{one['bytes'] / 1024:.1f} KiB"] for one in figures]
    return _table(["bytes of the shards", "an example"], lines)


def _reader(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for one in figures:
        ours, originals, alone = (
            one["medians"][way] for way in (read_rate.MASKMILL, read_rate.ORIGINAL, read_rate.BYTES)
        )
        lines.append(
            [_size(one["size"]), _rate(ours), _rate(originals), f"{ours / originals:.1f}", f"{ours / alone:.0%}"]
        )
    head = [
        "examples read a second",
        "`open_dataset`",
        "a file opened for each",
        "times",
        "of the rate of the bytes alone",
    ]
    return _table(head, lines)


_TABLES = {
    "steady": _steady,
    "start": _start,
    "cores": _cores,
    "lock": _lock,
    "memory": _memory,
    "shuffle": _shuffle,
    "rows": _rows,
    "nothing": _nothing,
    "shards": _shards,
    "storage": _storage,
    "reader": _reader,
}


def _size(size: Sequence[int]) -> str:
    return f"{size[0]} × {size[1]}"


def _rate(rate: float) -> str:
    return f"{rate:,.0f} / s"


def _megabytes(number: float) -> str:
    return f"{number / 1e6:,.0f} MB"
