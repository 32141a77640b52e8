"""Checks single values in the sections of a parameter file: the types of the fields in `section_models`."""

import math
import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
)

from maskmill.names import SPLIT_NAME
from maskmill.pipeline.job.classes import class_numbers
from maskmill.pipeline.job.yaml_file import shown
from maskmill.transforms.annotations.columns import SEPARATORS
from maskmill.transforms.annotations.parse_row import is_file_name
from maskmill.transforms.assignment.strategies import STRATEGIES
from maskmill.transforms.examples.label import MAX_CLASSES

MAX_OUTPUT_PIXELS = 2**28
# Numbers of channels that `image_shape` may name; `colour` decides how many an example has.
CHANNELS = (1, 3)
MAX_FOLDS = 100

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


def _tuple_of(least: int, most: float = math.inf) -> BeforeValidator:
    """Converts a YAML list to a tuple, which strict models do not do."""

    def to_tuple(value: object) -> object:
        if not isinstance(value, list):
            return value
        # Not pydantic's min_length: it counts only the valid items.
        if not least <= len(value) <= most:
            raise ValueError(f"{shown(value)} has length {len(value)}")
        return tuple(value)

    return BeforeValidator(to_tuple)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _bounded(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if shape[0] * shape[1] > MAX_OUTPUT_PIXELS:
        raise ValueError(f"{shape[0]} x {shape[1]} is above {MAX_OUTPUT_PIXELS} pixels")
    return shape


def _few_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) < 3 or shape[2] in CHANNELS:
        return shape
    question = f"; did you mean {[*shape[1:], shape[0]]}?" if shape[0] in CHANNELS else ""
    raise ValueError(f"{shown(shape)} has {shape[2]} channels{question}")


def _not_tiled(shape: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
    way, (height, width, _) = _context(info).get("resize"), info.data.get("image_shape", (0, 0, 1))
    if way in ("pad", "crop") and (shape[0] < height or shape[1] < width):
        raise ValueError(
            f"{shown(list(shape))} tiles examples of {height} x {width}, which maskmill.resize: {way} does not; remove "
            "this key, or set resize: stretch"
        )
    return shape


def _context(info: ValidationInfo) -> dict[str, Any]:
    """Returns what the model needs from other sections: the `loss`, the names of the `classes`, and `resize`."""
    return info.context or {}


def enough_channels(num_classes: int, info: ValidationInfo) -> int:
    needed = len(info.data.get("class_id", (1,))) + 1
    loss = _context(info)["loss"]
    # The original takes any number if there is one class and the loss does not make a channel for each.
    if num_classes < needed and (loss == "multilabel_bce" or (loss == "ssce" and needed > 2)):
        raise ValueError(f"{num_classes} is too few: with the background there are {needed} classes")
    return num_classes


def _names(value: object) -> object:
    """Reads whole numbers as names, as a CSV that numbers its classes has them."""
    if not isinstance(value, list):
        return value
    for one in value:
        if one is None or type(one) in (bool, float):
            raise ValueError(
                f"{shown(one)} is no name, as YAML reads it: put names such as no, on, null or 1.0 in quotes"
            )
    return [str(one) if type(one) is int else one for one in value]


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names) or len(names) > MAX_CLASSES:
        raise ValueError(f"{len(names)} classes are {'too many' if len(names) > MAX_CLASSES else 'not all different'}")
    return names


def whole_number(value: object) -> object:
    if type(value) is bool:  # equal to 0 or 1
        raise ValueError(f"{shown(value)} is not supported")
    return value


def separator_word(value: object) -> object:
    """Returns the word for a separator, which may be given as the character itself."""
    if isinstance(value, str):
        marks = {**{mark: word for word, mark in SEPARATORS.items()}, "\\t": "tab"}
        if (word := marks.get(value, value.strip().lower())) in SEPARATORS:
            return word
    raise ValueError(f"{shown(value)} is not supported")


def _check_negatives(value: object) -> object:
    if value in ("as_listed", "none", "all") or (type(value) in (int, float) and 0 <= float(str(value)) <= 1):
        return value
    raise ValueError(f"{shown(value)} is not supported")


def _check_empty(value: object) -> object:
    if value in ("none", "all") or (type(value) in (int, float) and 0 <= float(str(value)) <= 1):
        return value
    raise ValueError(f"{shown(value)} is not supported")


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{shown(pattern)} is no regular expression: {error}") from error
    return pattern


def check_assignment(value: object) -> object:
    if value in STRATEGIES:
        return value
    raise ValueError(f"{shown(value)} is not supported")


def _check_image_id(image_id: str) -> str:
    if not is_file_name(image_id):
        raise ValueError(f"{shown(image_id)} is no file name")
    return image_id


def _list_or_path(value: object) -> object:
    """Checks a list of ImageIds item by item, so that a message names the line of a wrong one; or else a path."""
    if value is None:
        return None
    return (_IMAGE_IDS if isinstance(value, list) else _PATH).validate_python(value)


def _name_or_names(value: object) -> object:
    """Checks names item by item, as `_list_or_path` does. One name stays a text: it means what it always has."""
    if not isinstance(value, list):
        return _PATH.validate_python(value)
    names = _TEXTS.validate_python(value)
    return names[0] if len(names) == 1 else names


def _check_shares(shares: dict[str, float]) -> dict[str, float]:
    wrong = [name for name, share in shares.items() if not 0 < share <= 1 or not SPLIT_NAME.fullmatch(name)]
    if not shares or wrong or sum(map(Fraction, map(str, shares.values()))) > 1:
        raise ValueError(f"{shown(shares)} is not supported")
    return shares


Text = Annotated[str, Field(pattern=r"\S")]
Size = Annotated[int, Field(ge=1)]
ImageShape = Annotated[
    tuple[Size, Size, Size], _tuple_of(3, 3), AfterValidator(_few_channels), AfterValidator(_bounded)
]
MaxImageShape = Annotated[tuple[Size, ...], _tuple_of(2, 3), AfterValidator(_few_channels), AfterValidator(_not_tiled)]
CropSize = Annotated[tuple[Size, Size], _tuple_of(2, 2)]
Empty = Annotated[str | float, BeforeValidator(_check_empty)]
# Validators that stand before the type run from right to left.
ClassIds = Annotated[
    tuple[int, ...], BeforeValidator(lambda value, info: class_numbers(value, _context(info)["classes"]))
]
Texts = Annotated[tuple[Text, ...], _tuple_of(1), BeforeValidator(_one_or_more)]
ClassNames = Annotated[Texts, BeforeValidator(_names), AfterValidator(_different)]
Negatives = Annotated[str | float, BeforeValidator(_check_negatives)]
Pattern = Annotated[Text, AfterValidator(_check_pattern)]
Shares = Annotated[dict[str, float], AfterValidator(_check_shares)]
ImageIds = Annotated[tuple[Annotated[str, AfterValidator(_check_image_id)], ...], _tuple_of(0)]
NameOrNames = Annotated[tuple[str, ...] | str, PlainValidator(_name_or_names)]
ListOrPath = Annotated[tuple[str, ...] | str, PlainValidator(_list_or_path)]

_IMAGE_IDS, _PATH, _TEXTS = (TypeAdapter[Any](one, config=ConfigDict(strict=True)) for one in (ImageIds, Text, Texts))
