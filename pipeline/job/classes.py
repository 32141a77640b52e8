"""Resolves the classes that a parameter file names to their numbers."""

from collections.abc import Sequence
from typing import Any

from maskmill.pipeline.job.yaml_file import shown
from maskmill.transforms.annotations.columns import CLASSES


def class_names(classes: object, class_column: object) -> tuple[str, ...]:
    """Returns the names of the classes, from the keys `classes` and `class_column`, which may be wrong still."""
    if isinstance(classes, str):
        return (classes,)
    if isinstance(classes, list | tuple):
        return tuple(map(str, classes))
    return CLASSES if class_column is not None else CLASSES[:1]


def class_numbers(value: object, names: Sequence[str]) -> tuple[int, ...]:
    """Returns the numbers of the classes in `class_id`, from 1, in its order.

    Raises:
        ValueError: a class is unknown or named twice.
    """
    if value == "all":
        return tuple(range(1, len(names) + 1))
    given: list[Any] = value if isinstance(value, list) else [value]
    numbers = [names.index(one) + 1 if isinstance(one, str) and one in names else one for one in given]
    for one, number in zip(given, numbers, strict=True):
        if type(number) is not int or not 1 <= number <= len(names):
            raise ValueError(f"{shown(one)} is not a class; the classes are {', '.join(names)}")
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"{shown(value)} names {'a class twice' if numbers else 'no class'}")
    return tuple(numbers)
