"""Prints figures of the code: how long files and functions are, how full folders, and who imports whom.

    python -m tests.figures

The figures show where the code is odd. None of them is a limit, and nothing here judges.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("maskmill", "transforms", "pipeline")


class Module(NamedTuple):
    """A file of Python.

    Attributes:
        path: from the root of the checkout.
        name: by which it is imported.
        lines: in it.
        tree: its syntax tree.
    """

    path: Path
    name: str
    lines: int
    tree: ast.Module


def read_modules() -> dict[str, Module]:
    """The modules by name, each once: the links of `maskmill/` to the other two folders are not followed."""
    linked = {path for path in (ROOT / "maskmill").iterdir() if path.is_symlink()}
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    modules = [_read(path) for path in paths if linked.isdisjoint(path.parents)]
    return {module.name: module for module in modules}


def _read(path: Path) -> Module:
    text, relative = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    parts = parts if parts[0] == "maskmill" else ("maskmill", *parts)
    return Module(relative, ".".join(parts).removesuffix(".__init__"), len(text.splitlines()), ast.parse(text))


def lengths_of_functions(modules: Iterable[Module]) -> list[int]:
    """Lines of each function, from `def` to its last."""
    return [
        node.end_lineno - node.lineno + 1
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]


def imports_of(module: Module, modules: Mapping[str, Module]) -> set[str]:
    """Names of the modules of this project that a module imports, wherever in its text."""
    named: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name`: the name may be a module, too.
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return (named & modules.keys()) - {module.name}


def longest_chain(imports: Mapping[str, set[str]]) -> int:
    """Number of modules in the longest chain in which each imports the next."""
    lengths: dict[str, int] = {}

    def length_from(name: str, seen: frozenset[str]) -> int:
        if name not in lengths:
            following = (length_from(one, seen | {name}) for one in imports[name] - seen)
            lengths[name] = 1 + max(following, default=0)
        return lengths[name]

    return max(length_from(name, frozenset({name})) for name in imports)


def with_a_test(modules: Iterable[Module]) -> list[Module]:
    """The modules beside which there is a test file: `tests/<its folder>/test_<its name>.py`."""
    return [one for one in modules if (ROOT / "tests" / one.path.parent / f"test_{one.path.name}").exists()]


def files_by_folder(modules: Iterable[Module]) -> Counter[str]:
    """Number of the modules in each folder, without `__init__.py`."""
    return Counter(str(module.path.parent) for module in modules if module.path.name != "__init__.py")


def figures() -> list[tuple[str, str]]:
    """The rows of the table: what is counted, and the figure."""
    by_name = read_modules()
    modules = list(by_name.values())
    lines = [module.lines for module in modules]
    functions = lengths_of_functions(modules)
    imports = {module.name: imports_of(module, by_name) for module in modules}
    counts = [len(names) for names in imports.values()]
    [(folder, most)] = files_by_folder(modules).most_common(1)
    named = [module for module in modules if not module.path.name.startswith("__")]
    return [
        ("files", f"{len(modules)}"),
        ("lines a file, median / largest", f"{median(lines):.0f} / {max(lines)}"),
        ("function, lines, median / 90th percentile", f"{median(functions):.0f} / {percentile(functions, 0.9)}"),
        ("files in the fullest folder", f"{most} ({folder})"),
        ("longest chain of imports", f"{longest_chain(imports)}"),
        ("imports of a file from its own project, mean / most", f"{mean(counts):.1f} / {max(counts)}"),
        ("test files that match a module", f"{len(with_a_test(named))} of {len(named)}"),
    ]


def percentile(values: Sequence[int], share: float) -> int:
    """The value below or at which a share of all values are."""
    return sorted(values)[round(share * (len(values) - 1))]


def main() -> None:
    """Prints the table."""
    rows = figures()
    width = max(len(what) for what, _ in rows)
    for what, figure in rows:
        print(f"{what:{width}}  {figure}")


if __name__ == "__main__":
    main()
