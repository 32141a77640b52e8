"""Registers the strategies that assign examples to splits and shards. Imports Beam only when one is looked up."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskmill.transforms.assignment.assign_examples import AssignExamples

# By the place in the CSV; and by name, which takes its part where there is no CSV.
BY_POSITION, BY_NAME = "position", "name"
# The name of a strategy, and the module and class in this package.
_CLASSES = {
    BY_POSITION: "assign_by_position.AssignByPosition",
    "hash": "assign_by_hash.AssignByHash",
    "stratified": "assign_stratified.AssignStratified",
    BY_NAME: "assign_by_name.AssignByName",
}
# Those that a parameter file names.
STRATEGIES = tuple(name for name in _CLASSES if name != BY_NAME)


def strategy(name: str) -> type[AssignExamples]:
    """Returns the class of a strategy.

    Raises:
        KeyError: no strategy has this name.
    """
    module, _, class_name = _CLASSES[name].partition(".")
    found: type[AssignExamples] = getattr(importlib.import_module(f"{__package__}.{module}"), class_name)
    return found
