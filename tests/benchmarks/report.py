"""Results to tables, and tables into documents."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks import phases, read_rate
from tests.benchmarks.groups import BEFORE
from tests.benchmarks.programs import BARE_LOOP, DECODING_ALONE, MASKMILL, ORIGINAL_WAY, SHUFFLED_PIXELS

# In a document, a table stands between a mark with its name, and one that ends it.
_MARKED = re.compile(r"(<!-- benchmark: (\w+) -->\n).*?(<!-- /benchmark -->)", re.DOTALL)
NOT_MEASURED = "*Not measured yet.*"
_DISTRIBUTIONS = {"Beam": "apache-beam", "h5py": "h5py", "Pillow": "Pillow", "NumPy": "numpy"}
_PHASES = {
    phases.START: "start: imports and the graph",
    phases.ROWS: "rows, until the first shard begins",
    phases.SHARDS: "shards",
    phases.PUBLISH: "publishing, and the end",
}

Figures = Sequence[Mapping[str, Any]]


def describe_machine() -> dict[str, Any]:
    """What the numbers depend on: cores and versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {name: version(distribution) for name, distribution in _DISTRIBUTIONS.items()}
    return {"cores": cores, "architecture": platform.machine(), "Python": platform.python_version(), **versions}


def describe_checkout(path: Path) -> str:
    """The commit of a checkout."""
    command = ["git", "-C", str(path), "describe", "--always", "--dirty"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def marks_of(text: str) -> list[str]:
    """The names of the tables that a document shows."""
    return [found[2] for found in _MARKED.finditer(text)]


def replace_tables(text: str, tables: Mapping[str, str]) -> str:
    """Returns a document with other tables between its marks.

    Raises:
        KeyError: it has a mark of a table that there is not.
    """
    return _MARKED.sub(lambda found: f"{found[1]}{tables[found[2]]}\n{found[3]}", text)


def make_tables(results: Mapping[str, Any]) -> dict[str, str]:
    """Makes the table of each group, and those of several, by name; of a group without results it says so."""
    known = {name: results[name]["figures"] for name in _TABLES if name in results}
    tables = {name: table(known[name]) if name in known else NOT_MEASURED for name, table in _TABLES.items()}
    cores = max((results[name]["machine"]["cores"] for name in known), default=0)
    return {"summary": _summary(known, cores), "machine": _machine(results), **tables}


def _machine(results: Mapping[str, Any]) -> str:
    measured = [results[name] for name in _TABLES if name in results]
    if not measured:
        return NOT_MEASURED
    machine = dict(measured[-1]["machine"])
    heading = f"{machine.pop('cores')} cores ({machine.pop('architecture')}); "
    heading += ", ".join(f"{name} {value}" for name, value in machine.items()) + "."
    commits = sorted({one["before"] for one in measured if BEFORE in one})
    return f"{heading} *Before* is commit {' or '.join(commits)}." if commits else heading


def _summary(known: Mapping[str, Figures], cores: int) -> str:
    lines = [
        [
            _examples_of(one),
            f"{one['medians'][MASKMILL]:.1f} s",
            f"{one['times']:.1f} times as fast as *original's way*; {one['share']:.0%} of the rate of *decoding alone*",
        ]
        for one in known.get("real", ())
    ]
    for one in known.get("memory", ())[:1]:
        few, many = one["examples"]
        peaks = [_megabytes(peak) for peak in one["peaks"]]
        lines.append([f"memory, {many:,} examples of {_size(one['size'])}", peaks[1], f"{peaks[0]} for {few:,}"])
    for one in known.get("reader", ())[:1]:
        ours, originals = one["medians"][read_rate.MASKMILL], one["medians"][read_rate.ORIGINAL]
        compared = f"{ours / originals:.1f} times as many as if a file is opened for each"
        lines.append([f"reading examples of {_size(one['size'])}", _rate(ours), compared])
    if not lines:
        return NOT_MEASURED
    return _table(["", f"{MASKMILL}, {cores} cores", "in comparison"], lines, last="---")


def _table(head: Sequence[str], lines: Sequence[Sequence[str]], last: str = "---:") -> str:
    cells = [f"| {' | '.join(line)} |" for line in (head, *lines)]
    return "\n".join([cells[0], f"|---{'|---:' * (len(head) - 2)}|{last}|", *cells[1:]])


def _real(figures: Figures) -> str:
    programs = [
        one for one in (MASKMILL, BEFORE, ORIGINAL_WAY, BARE_LOOP, DECODING_ALONE) if one in figures[0]["medians"]
    ]
    lines = [
        [
            _examples_of(one),
            *(f"{one['medians'][program]:.1f} s" for program in programs),
            f"{one['times']:.1f}",
            f"{one['share']:.0%}",
        ]
        for one in figures
    ]
    return _table(["start to end", *programs, "times the original's way", "of decoding alone"], lines)


def _phases(figures: Figures) -> str:
    columns = _columns(figures, "medians")
    lines = [[label, *(f"{one[phase]:.2f} s" for one in columns.values())] for phase, label in _PHASES.items()]
    return _table(["a run at the real size", *columns], lines)


def _steps(figures: Figures) -> str:
    columns = _columns(figures, "microseconds")
    lines = [[step, *(f"{one[step]:,.0f}" for one in columns.values())] for step in next(iter(columns.values()))]
    total = ["in all", *(f"{sum(one.values()):,.0f}" for one in columns.values())]
    return _table(["µs of a core for an example", *columns], [*lines, total])


def _columns(figures: Figures, key: str) -> dict[str, Mapping[str, float]]:
    """What was found of this checkout and of the one before, by size."""
    return {
        _size(one["size"]) + (", before" if name == BEFORE else ""): one[key][name]
        for one in figures
        for name in (BEFORE, MASKMILL)
        if name in one[key]
    }


def _cores(figures: Figures) -> str:
    lines = [[one["program"], *(f"{each:.1f} s" for each in one["medians"]), f"{one['times']:.2f}"] for one in figures]
    return _table(["real size, 256 × 256", "1 core", "2 cores", "times"], lines)


def _lock(figures: Figures) -> str:
    lines = [[one["size"].replace("x", "×"), f"{one['prepare']:.0%}", f"{one['append']:.0%}"] for one in figures]
    return _table(["time under the interpreter's lock", "making an example ready", "adding it to its shard"], lines)


def _memory(figures: Figures) -> str:
    lines = [
        [_size(one["size"]), f"{examples:,}", _megabytes(peak)]
        for one in figures
        for examples, peak in zip(one["examples"], one["peaks"], strict=True)
    ]
    small = figures[0]
    growth = f"{(small['growth'] - small['text']) / 1000:.1f} kB"
    lines.append(
        [f"{_size(small['size'])}, growth a row, beyond the {small['text'] / 1000:.1f} kB of its text", "", growth]
    )
    return _table(["peak of the memory of all processes", "examples", MASKMILL], lines)


def _shuffle(figures: Figures) -> str:
    programs = (MASKMILL, SHUFFLED_PIXELS)
    lines = [[_size(one["size"]), *(_time_and_peak(one[program]) for program in programs)] for one in figures]
    return _table([f"{figures[0]['examples']} examples", *programs], lines)


def _time_and_peak(run: Mapping[str, float]) -> str:
    return f"{run['seconds']:.1f} s, {_megabytes(run['peak'])}"


def _rows(figures: Figures) -> str:
    lines = [
        [f"{one['rows']:,}", _megabytes(one["bytes"]), f"{one['median']:.1f} s", _megabytes(one["peak"])]
        for one in figures
    ]
    return _table(["`maskmill plan`: rows", "of the CSV", "seconds", "peak memory"], lines)


def _nothing(figures: Figures) -> str:
    lines = [[f"{one['images']:,}", f"{one['median']:.1f} s"] for one in figures]
    return _table(["nothing to do: images", "seconds"], lines)


def _shards(figures: Figures) -> str:
    lines = [[f"{one['shards']:,}", _rate(one["rate"]), f"{one['rate'] / figures[0]['rate']:.0%}"] for one in figures]
    return _table([f"{figures[0]['examples']:,} examples: shards", "examples a second", "of the first"], lines)


def _storage(figures: Figures) -> str:
    lines = [[_size(one["size"]), f"{one['bytes'] / 1024:.1f} KiB"] for one in figures]
    return _table(["bytes of the shards", "an example"], lines)


def _reader(figures: Figures) -> str:
    before = [BEFORE] if BEFORE in figures[0]["medians"] else []
    lines = []
    for one in figures:
        rates = one["medians"]
        ours, originals, alone = (rates[way] for way in (read_rate.MASKMILL, read_rate.ORIGINAL, read_rate.BYTES))
        shown = [_rate(rates[name]) for name in (read_rate.MASKMILL, *before, read_rate.ORIGINAL)]
        lines.append([_size(one["size"]), *shown, f"{ours / originals:.1f}", f"{ours / alone:.0%}"])
    head = [
        "examples read a second",
        "`open_dataset`",
        *before,
        "a file opened for each",
        "times",
        "of the bytes alone",
    ]
    return _table(head, lines)


def _layouts(figures: Figures) -> str:
    columns = {
        f"{_size(one['size'])}, `{layout}`": found for one in figures for layout, found in one["layouts"].items()
    }
    lines = [[figure, *(f"{one[figure]:,.0f}" for one in columns.values())] for figure in next(iter(columns.values()))]
    return _table(["layout of a shard", *columns], lines)


def _forms(figures: Figures) -> str:
    lines = [
        [
            f"{_size(one['size'])}, {one['form']}",
            f"{one['examples']:.1f}",
            _rate(one["rate"]),
            f"{one['bytes'] / 1024:.1f} KiB",
            _rate(one["read"]),
        ]
        for one in figures
    ]
    head = ["forms of an example", "examples an image", "images written", "bytes an image", "examples read"]
    return _table(head, lines)


_TABLES = {
    "real": _real,
    "phases": _phases,
    "steps": _steps,
    "cores": _cores,
    "lock": _lock,
    "memory": _memory,
    "shuffle": _shuffle,
    "rows": _rows,
    "nothing": _nothing,
    "shards": _shards,
    "storage": _storage,
    "reader": _reader,
    "layouts": _layouts,
    "forms": _forms,
}


def _examples_of(one: Mapping[str, Any]) -> str:
    return f"{one['examples']:,} examples, {_size(one['size'])}"


def _size(size: Sequence[int]) -> str:
    return f"{size[0]} × {size[1]}"


def _rate(rate: float) -> str:
    return f"{rate:,.0f} / s"


def _megabytes(number: float) -> str:
    return f"{number / 1e6:,.0f} MB"
