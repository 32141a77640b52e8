"""Reads and checks a parameter file of the Cerebras Model Zoo, and reports everything that is wrong with it."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from maskmill.names import EVAL, TRAIN, Loss
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.classes import class_names
from maskmill.pipeline.job.params import Params
from maskmill.pipeline.job.section_models import SPLIT_NAME, MaskmillParams, SplitParams
from maskmill.pipeline.job.yaml_file import UNREADABLE, Path, Problem, YamlTree, load_yaml, shown, usage_error
from maskmill.transforms.files.errors import NoFileSystemError

MAX_BYTES = 2**20


class _ModelParams(BaseModel):
    """The part of the section `model` that matters here; the rest is for training."""

    model_config = ConfigDict(frozen=True, strict=True)

    loss: Loss = Field(description="give one of bce, multilabel_bce, ssce")


class _File(BaseModel):
    """The sections that are checked; others may hold anything."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: _ModelParams = Field(description="give a section with loss: one of bce, multilabel_bce, ssce")
    maskmill: MaskmillParams = Field(default=MaskmillParams(), description="give a section with keys, or remove it")


# What a section was called before the project had its name.
_FORMER_NAMES = {"steelbeam": "maskmill"}

# Advice about the sections of the original's splits.
_SPLIT_ADVICE = {
    TRAIN: "give a section with the keys of the training data",
    EVAL: "give a section with the keys of the evaluation data",
}

# Messages for pydantic's error types; its own are for people who write models.
_WRONG = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "int_type": "{value} is not a whole number",
    "float_type": "{value} is not a number",
    "string_type": "{value} is not a string",
    "tuple_type": "{value} is not a list",
    "model_type": "{value} is not a mapping",
    "greater_than_equal": "{value} is below {ge:g}",
    "less_than_equal": "{value} is above {le:.10g}",
    "string_pattern_mismatch": "{value} is blank",
    "literal_error": "{value} is not supported",
    "value_error": "{error}",
}
_SECTIONS: Mapping[str, type[BaseModel]] = {"model": _ModelParams, "maskmill": MaskmillParams}


def read_params(path: str) -> Params:
    """Reads a parameter file from any file system that Beam knows.

    Args:
        path: path or URL of the file.

    Raises:
        UsageError: the file cannot be read, or something is wrong with it.
    """
    # Beam takes a second to import; parsing text does not need it.
    from maskmill.transforms.files.read_write import open_read

    try:
        with open_read(path) as file:
            data = file.read(MAX_BYTES + 1)
    except NoFileSystemError as error:
        raise UsageError(str(error)) from error
    except (OSError, ValueError) as error:  # ValueError: a path that no file system can have
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise UsageError(f"{path}: cannot be read: {reason}; give the path of a parameter file") from error
    return parse_params(_decode(data, path), path)


def _decode(data: bytes, source: str) -> str:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{source}: the file is over 1 MiB; give a parameter file, not data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{source}:{line}: the file is not UTF-8; save it as UTF-8") from error


def parse_params(text: str, source: str) -> Params:
    """Checks the text of a parameter file.

    Args:
        text: content of the file, YAML.
        source: name of the file, for messages.

    Raises:
        UsageError: something is wrong with the file; the message has a line for each problem.
    """
    tree = load_yaml(text, source)
    model = _file_model(tree.document)
    try:
        file = _check_sections(tree.document, model)
    except ValidationError as error:
        raise usage_error(source, [*tree.problems, *_problems(error, tree, model)]) from error
    if tree.problems:
        raise usage_error(source, tree.problems)
    return Params(
        splits={name: getattr(file, name) for name in _split_names(tree.document)},
        loss=file.model.loss,
        maskmill=file.maskmill,
        document=tree.document,
    )


def _check_sections(document: dict[str, Any], model: type[_File]) -> _File:
    # Other sections are not checked, unless their names look misspelt.
    unused = {TRAIN, EVAL}.difference(model.model_fields)
    sections = {name: value for name, value in document.items() if name not in unused and _nearest((name,), model)}
    # What is valid in one section depends on keys of others.
    ours, of_model = _section(document, "maskmill"), _section(document, "model")
    names = class_names(ours.get("classes"), ours.get("class_column", ""))
    return model.model_validate(sections, context={"loss": of_model.get("loss"), "classes": names})


def _file_model(document: dict[str, Any]) -> type[_File]:
    """Makes the model of a file with the splits that it names."""
    fields: dict[str, Any] = {
        name: (SplitParams, Field(description=_SPLIT_ADVICE.get(name, f"give a section with the keys of {name}")))
        for name in _split_names(document)
    }
    return create_model("File", __base__=_File, **fields)


def _split_names(document: dict[str, Any]) -> list[str]:
    shares = _section(document, "maskmill").get("splits")
    if isinstance(shares, dict) and shares and all(map(SPLIT_NAME.fullmatch, shares)):
        return list(shares)
    return [TRAIN, EVAL]


def _section(document: dict[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name)
    return section if isinstance(section, dict) else {}


def _problems(error: ValidationError, tree: YamlTree, model: type[_File]) -> list[Problem]:
    details = [detail for detail in error.errors(include_url=False) if detail["input"] is not UNREADABLE]
    # A key that is missing because it is misspelt is one problem, not two.
    meant = {_nearest(detail["loc"], model) for detail in details if detail["type"] == "extra_forbidden"}
    wrong = [detail for detail in details if detail["type"] != "missing" or detail["loc"] not in meant]
    return [_problem(detail, tree, model) for detail in wrong]


def _problem(detail: ErrorDetails, tree: YamlTree, model: type[_File]) -> Problem:
    path = detail["loc"]
    wrong = _WRONG.get(detail["type"])
    what = wrong.format(value=shown(detail["input"]), **detail.get("ctx", {})) if wrong else detail["msg"]
    # `csv: ""` is checked as a list of one item, which has no line in the file.
    place = path[:-1] if isinstance(path[-1], int) and path not in tree.lines else path
    return Problem(tree.line(path), place, f"{what}; {_advice(detail, model)}")


def _advice(detail: ErrorDetails, model: type[_File]) -> str:
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        near = _nearest(path, model)
        return f"did you mean {near[-1]}?" if near else f"known keys: {', '.join(_siblings(path, model))}"
    field = str(path[:2][-1])
    return str(_siblings(path[:2], model)[field].description)


def _nearest(path: Path, model: type[_File]) -> Path | None:
    """Finds the known key beside this one that is spelt like it; sections have to be very similar."""
    if len(path) == 1 and path[0] in _FORMER_NAMES:
        return (_FORMER_NAMES[str(path[0])],)
    cutoff = 0.6 if len(path) > 1 else 0.8
    near = get_close_matches(str(path[-1]).lower(), _siblings(path, model), n=1, cutoff=cutoff)
    return (*path[:-1], near[0]) if near else None


def _siblings(path: Path, model: type[_File]) -> dict[str, FieldInfo]:
    """Returns the known keys of the section that a path leads into, or the sections."""
    return (_SECTIONS.get(str(path[0]), SplitParams) if len(path) > 1 else model).model_fields
