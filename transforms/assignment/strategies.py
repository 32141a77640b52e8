"""Registers the strategies that assign examples to splits and shards. Imports Beam only when one is looked up."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskmill.transforms.assignment.assign_examples import AssignExamples

# The name in a parameter file, and the module and class in this package.
_CLASSES = {
    "position": "assign_by_position.AssignByPosition",
    "hash": "assign_by_hash.AssignByHash",
    "stratified": "assign_stratified.AssignStratified",
}
STRATEGIES = tuple(_CLASSES)


def strategy(name: str) -> type[AssignExamples]:
    """Returns the class of a strategy.

    Raises:
        KeyError: no strategy has this name.
    """
    module, _, class_name = _CLASSES[name].partition(".")
    found: type[AssignExamples] = getattr(importlib.import_module(f"{__package__}.{module}"), class_name)
    return found
