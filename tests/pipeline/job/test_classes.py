"""Classes by name and by number."""

from __future__ import annotations

import re

import pytest

from maskmill.pipeline.job.classes import class_names, class_numbers

CLOUDS = ("Fish", "Flower", "Gravel", "Sugar")


@pytest.mark.parametrize(
    ("classes", "class_column", "names"),
    [
        (None, "ClassId", ("1", "2", "3", "4")),
        (None, None, ("1",)),
        (["Fish", "Flower"], "ClassId", ("Fish", "Flower")),
        (("Fish",), None, ("Fish",)),
        ("ship", None, ("ship",)),
        ([1, 2], "ClassId", ("1", "2")),
        (3, "ClassId", ("1", "2", "3", "4")),
    ],
)
def test_names_of_the_classes(classes: object, class_column: object, names: tuple[str, ...]) -> None:
    assert class_names(classes, class_column) == names


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("all", (1, 2, 3, 4)),
        (3, (3,)),
        ("Gravel", (3,)),
        (["Sugar", 1], (4, 1)),
        ([2, 4, 3], (2, 4, 3)),
    ],
)
def test_numbers_of_the_classes_in_their_order(value: object, numbers: tuple[int, ...]) -> None:
    assert class_numbers(value, CLOUDS) == numbers


@pytest.mark.parametrize(
    ("value", "names", "numbers"),
    [
        # A number is the class of that name.
        (3, ("0", "1", "2", "3", "4"), (4,)),
        ("3", ("0", "1", "2", "3", "4"), (4,)),
        (0, ("0", "1"), (1,)),
        ([0, 3], ("0", "1", "2", "3", "4"), (1, 4)),
        (10, ("10", "20"), (1,)),
        (-1, ("-1", "1"), (1,)),
        (1.0, ("1.0", "2.0"), (1,)),
        (2, ("none", "2"), (2,)),
        ("all", ("0", "1"), (1, 2)),
        # It is a position where no class has a number for a name.
        (2, ("scratch2", "2nd"), (2,)),
        # A class may be called all.
        (["all"], ("all", "some"), (1,)),
        (["all", 2], ("all", "some"), (1, 2)),
        ("all", ("all",), (1,)),
    ],
)
def test_a_number_is_a_name_before_it_is_a_position(value: object, names: tuple[str, ...], numbers: object) -> None:
    assert class_numbers(value, names) == numbers


@pytest.mark.parametrize(
    ("value", "names", "words"),
    [
        (5, ("0", "1", "2", "3", "4"), "5 is not a class; the classes are 0, 1, 2, 3, 4"),
        (1, ("none", "2"), "1 is not a class; the classes are none, 2"),
        (1, ("01", "02"), "1 is not a class; the classes are 01, 02"),
        (1, ("1.0", "2.0"), "1 is not a class; the classes are 1.0, 2.0"),
        (1, ("0", "-1"), "1 is not a class"),
        (
            True,
            ("no", "yes"),
            "true is not a class; the classes are no, yes (YAML reads yes, no, on and off as true and",
        ),
        ([3, "3"], ("2", "3"), '[3, "3"] names a class twice'),
        (
            "all",
            ("all", "some"),
            "all is the name of a class, too: for this class alone write [all], for all list them",
        ),
    ],
)
def test_a_number_with_two_meanings_has_none(value: object, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        class_numbers(value, names)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0 is not a class; the classes are Fish, Flower, Gravel, Sugar"),
        (5, "5 is not a class"),
        ("fish", '"fish" is not a class'),
        (True, "true is not a class"),
        (1.0, "1.0 is not a class"),
        (None, "null is not a class"),
        ([1, [2]], "[2] is not a class"),
        ([], "[] names no class"),
        ([1, "Fish"], '[1, "Fish"] names a class twice'),
    ],
)
def test_others_are_refused(value: object, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        class_numbers(value, CLOUDS)
