"""Says what is wrong with the sections of a parameter file: the line, the key, the cause, what to do."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from maskmill.pipeline.job.yaml_file import UNREADABLE, Path, Problem, YamlTree, shown
from maskmill.transforms.text import letters_and_digits

# What a section was called before the project had its name.
_FORMER_NAMES = {"steelbeam": "maskmill"}

# Messages for pydantic's error types; its own are for people who write models.
_WRONG = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "int_type": "{value} is not a whole number",
    "float_type": "{value} is not a number",
    "string_type": "{value} is not a string",
    "bool_type": "{value} is neither true nor false",
    "tuple_type": "{value} is not a list",
    "dict_type": "{value} is not a mapping",
    "model_type": "{value} is not a mapping",
    "greater_than_equal": "{value} is below {ge:g}",
    "less_than_equal": "{value} is above {le:.10g}",
    "string_pattern_mismatch": "{value} is blank",
    "literal_error": "{value} is not supported",
    "value_error": "{error}",
}
# How alike two keys have to be spelt, from 0 to 1, for one to be taken for the other.
_ALIKE, _SECTIONS_ALIKE = 0.72, 0.8


def section_problems(error: ValidationError, tree: YamlTree, model: type[BaseModel]) -> list[Problem]:
    """Describes each problem that a model finds in a file, whatever the depth of its section.

    Args:
        error: of the validation of the file's sections.
        tree: the file; values that are unreadable there have a problem already.
        model: of the file. A field's description is the advice at the end of messages about it.
    """
    details = [detail for detail in error.errors(include_url=False) if detail["input"] is not UNREADABLE]
    # A key that is missing because it is misspelt is one problem, not two.
    meant = {nearest_key(detail["loc"], model) for detail in details if detail["type"] == "extra_forbidden"}
    wrong = [detail for detail in details if detail["type"] != "missing" or detail["loc"] not in meant]
    return list(_without_repeats(wrong, tree, model))


def _without_repeats(details: Iterable[ErrorDetails], tree: YamlTree, model: type[BaseModel]) -> Iterator[Problem]:
    """Leaves out what an alias or a merge key repeats: the same words about the same place in the file."""
    told: dict[tuple[Path, str], set[int]] = {}
    for detail in details:
        problem = _problem(detail, tree, model)
        before = told.setdefault((problem.path[1:], problem.text), set())
        places = _places(detail, tree)
        if before.isdisjoint(places):
            yield problem
        before |= places


def _places(detail: ErrorDetails, tree: YamlTree) -> set[int]:
    path = detail["loc"]
    if detail["type"] == "missing":
        return tree.beside(path)
    marks = tree.keys if detail["type"] == "extra_forbidden" else tree.values
    return {marks[path].index} if path in marks else set()


def _problem(detail: ErrorDetails, tree: YamlTree, model: type[BaseModel]) -> Problem:
    path = detail["loc"]
    wrong = _WRONG.get(detail["type"])
    what = wrong.format(value=shown(detail["input"]), **detail.get("ctx", {})) if wrong else detail["msg"]
    # `csv: ""` is checked as a list of one item, which has no line in the file.
    place = path[:-1] if isinstance(path[-1], int) and path not in tree.keys else path
    return Problem(tree.line(path), place, f"{what}; {_advice(detail, model)}")


def _advice(detail: ErrorDetails, model: type[BaseModel]) -> str:
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        if near := nearest_key(path, model):
            return f"did you mean {near[-1] if near[:-1] == path[:-1] else '.'.join(map(str, near))}?"
        return f"known keys: {', '.join(_siblings(path, model))}"
    fields = (_siblings(path[:end], model).get(str(path[end - 1])) for end in range(len(path), 0, -1))
    return next(str(field.description) for field in fields if field is not None)


def nearest_key(path: Path, model: type[BaseModel]) -> Path | None:
    """Finds the known key that an unknown one is meant to be: that of another section, or one that is spelt alike.

    Keys without an effect here, which have no description, are meant by none: to take one for another changes nothing.

    Args:
        path: of the unknown key.
        model: of the file.
    """
    name, siblings = str(path[-1]), _siblings(path, model)
    if len(path) == 1:
        near = [_FORMER_NAMES[name]] if name in _FORMER_NAMES else _alike(name, siblings, _SECTIONS_ALIKE)
        return (near[0],) if near else None
    for known, field in _keys_below(model):
        # A key of a section within another is only meant in that one: names there may be as common as `first`.
        if known[-1] == name and field.description and (len(known) <= 2 or known[0] == path[0]):
            return known
    return next(((*path[:-1], key) for key in _alike(name, siblings, _ALIKE) if siblings[key].description), None)


def _alike(name: str, known: Iterable[str], cutoff: float) -> list[str]:
    """Finds the known key that is spelt most like a name, whatever its case, hyphens and underscores."""
    plain = {letters_and_digits(key): key for key in known}
    return [plain[key] for key in get_close_matches(letters_and_digits(name), plain, n=1, cutoff=cutoff)]


def _keys_below(model: type[BaseModel], section: Path = ()) -> Iterator[tuple[Path, FieldInfo]]:
    """Yields every known key of a section, and of those within it."""
    for name, field in model.model_fields.items():
        yield (*section, name), field
        if below := _section_of(field.annotation):
            yield from _keys_below(below, (*section, name))


def _siblings(path: Path, model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Returns the known keys of the section that a path leads into; none where it leads into something else."""
    section: type[BaseModel] | None = model
    for key in path[:-1]:
        if section is not None and not isinstance(key, int):
            field = section.model_fields.get(key)
            section = _section_of(field.annotation) if field else None
    return section.model_fields if section else {}


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """Returns the model of a field's value, or of the items of its value; None if it has none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _section_of(one))), None)
