"""Resolves the classes that a parameter file names to their numbers."""

import re
from collections.abc import Sequence
from typing import Any

from maskmill.pipeline.job.yaml_file import shown
from maskmill.transforms.annotations.columns import CLASSES

ALL = "all"
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_TRUTH = " (YAML reads yes, no, on and off as true and false: put a class of such a name in quotes)"


def class_names(classes: object, class_column: object) -> tuple[str, ...]:
    """Returns the names of the classes, from the keys `classes` and `class_column`, which may be wrong still."""
    if isinstance(classes, str):
        return (classes,)
    if isinstance(classes, list | tuple):
        return tuple(map(str, classes))
    return CLASSES if class_column is not None else CLASSES[:1]


def class_numbers(value: object, names: Sequence[str]) -> tuple[int, ...]:
    """Returns the numbers of the classes in `class_id`, from 1, in its order.

    A number in `class_id` is the class of that name; it is a position only if no class has a number for a name.

    Raises:
        ValueError: a class is unknown or named twice, or the value has two meanings.
    """
    if value == ALL:
        if ALL in names and len(names) > 1:
            raise ValueError(
                f"{ALL} is the name of a class, too: for this class alone write [{ALL}], for all list them"
            )
        return tuple(range(1, len(names) + 1))
    given: list[Any] = value if isinstance(value, list) else [value]
    numbers = tuple(_class_number(one, names) for one in given)
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"{shown(value)} names {'a class twice' if numbers else 'no class'}")
    return numbers


def _class_number(one: object, names: Sequence[str]) -> int:
    name = str(one) if type(one) in (int, float) else one
    if isinstance(name, str) and name in names:
        return names.index(name) + 1
    if type(one) is int and 1 <= one <= len(names) and not any(map(_NUMBER.fullmatch, names)):
        return one
    hint = _TRUTH if type(one) is bool else ""
    raise ValueError(f"{shown(one)} is not a class; the classes are {', '.join(names)}{hint}")
