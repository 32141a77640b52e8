"""Makes the tree of a parameter file from the mapping that a program gives instead."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping
from typing import Any

import yaml

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.yaml_file import MAX_LEVELS, MAX_NODES, UNREADABLE, Path, Problem, YamlTree, shown

_ADVICE = "give a mapping, a list, a string, a number, True, False or None"


def plain_tree(content: Mapping[str, Any]) -> YamlTree:
    """Copies a mapping as plain data that JSON can hold, as `load_yaml` reads a file. Its lines are 0.

    Tuples become lists, paths strings, and the numbers of NumPy those of Python.

    Raises:
        UsageError: it is too large or too deep to be parameters.
    """
    walk = _Walk()
    walk.note(())
    return YamlTree(walk.copy(content, ()), walk.keys, walk.values, walk.problems)


class _Walk:
    def __init__(self) -> None:
        self.keys: dict[Path, yaml.Mark] = {}
        self.values: dict[Path, yaml.Mark] = {}
        self.problems: list[Problem] = []

    def note(self, path: Path) -> None:
        """Gives a key and its value a place of their own, before line 1."""
        self.keys[path] = self.values[path] = yaml.Mark("", len(self.keys), -1, 0, None, 0)
        if len(self.keys) > MAX_NODES:
            raise UsageError(f"params: there are more than {MAX_NODES:,} values; give parameters, not data")
        if len(path) > MAX_LEVELS:
            raise UsageError(f"params: mappings and lists are more than {MAX_LEVELS} levels deep; use fewer levels")

    def copy(self, value: object, path: Path) -> Any:
        """Copies a value."""
        if isinstance(value, Mapping):
            return self._copy_mapping(value, path)
        if isinstance(value, (list, tuple)):
            copied = []
            for index, item in enumerate(value):
                self.note((*path, index))
                copied.append(self.copy(item, (*path, index)))
            return copied
        return self._single_value(value, path)

    def _copy_mapping(self, mapping: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        copied = {}
        for key, value in mapping.items():
            if not isinstance(key, str):
                self._refuse((*path, str(key)), f"the key is not a string; put it in quotes: {shown(str(key))}")
                continue
            self.note((*path, key))
            copied[str.__str__(key)] = self.copy(value, (*path, key))
        return copied

    def _single_value(self, value: object, path: Path) -> Any:
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if any("\ud800" <= character <= "\udfff" for character in value):
                return self._refuse(path, f"{shown(value)} holds half a character; write the character itself")
            return str.__str__(value)  # without the class of an Enum
        if isinstance(value, numbers.Integral):
            if abs(int(value)) >= 2**63:
                return self._refuse(path, "the number does not fit in 64 bits; give a smaller one")
            return int(value)
        if isinstance(value, numbers.Real):
            number = float(value)
            return number if math.isfinite(number) else str(number)
        return self._refuse(path, f"a value of the type {type(value).__name__}; {_ADVICE}")

    def _refuse(self, path: Path, what: str) -> object:
        self.problems.append(Problem(0, path, what))
        return UNREADABLE
