"""Reads and checks a parameter file of the Cerebras Model Zoo, and reports everything that is wrong with it."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from maskmill.names import DATA_PARAMS, EVAL, FOLD_NAME, SPLIT_NAME, TEST, TRAIN, Loss, fold_name, is_split_name
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.classes import class_names
from maskmill.pipeline.job.other_files import other_bytes, other_document, other_text
from maskmill.pipeline.job.params import Params, with_splits
from maskmill.pipeline.job.plain_tree import plain_tree
from maskmill.pipeline.job.section_models import MaskmillParams, SplitParams
from maskmill.pipeline.job.section_problems import nearest_key, section_problems
from maskmill.pipeline.job.yaml_file import MAX_SHOWN, Problem, YamlTree, load_yaml, usage_error
from maskmill.transforms.files.errors import NoFileSystemError

MAX_BYTES = 2**20
# Name of parameters that are in no file, in messages.
PARAMS = "params"


class _ModelParams(BaseModel):
    """The part of the section `model` that matters here; the rest is for training."""

    model_config = ConfigDict(frozen=True, strict=True)

    loss: Loss = Field(description="give one of bce, multilabel_bce, ssce")


class _File(BaseModel):
    """The sections that are checked; others may hold anything."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: _ModelParams = Field(description="give a section with loss: one of bce, multilabel_bce, ssce")
    maskmill: MaskmillParams = Field(default=MaskmillParams(), description="give a section with keys, or remove it")


# Advice about the sections of the original's splits.
_SPLIT_ADVICE = {
    TRAIN: "give a section with the keys of the training data",
    EVAL: "give a section with the keys of the evaluation data",
}


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
    if what := other_bytes(data):
        raise UsageError(f"{source}: {what}")
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
    try:
        tree = load_yaml(text, source)
    except UsageError as error:
        if what := other_text(text):
            raise UsageError(f"{source}: {what}") from error
        raise
    return _check(tree, source)


def check_params(content: Mapping[str, Any]) -> Params:
    """Checks what a program gives in place of a parameter file.

    Args:
        content: of the file.

    Raises:
        UsageError: something is wrong with it; the message has a line for each problem.
    """
    return _check(plain_tree(content), PARAMS)


def _check(tree: YamlTree, source: str) -> Params:
    model = _file_model(tree.document)
    if other := other_document(tree.document, model.model_fields):
        path, what = other
        raise usage_error(source, [Problem(tree.line(path), path, what)])
    passed = _passed_on(tree.document, model)
    try:
        file = _check_sections(tree.document, model, passed)
    except ValidationError as error:
        raise usage_error(source, [*tree.problems, *section_problems(error, tree, model)]) from error
    if problems := [*tree.problems, *_made_sections(file, tree)]:
        raise usage_error(source, problems)
    params = Params(
        splits={name: getattr(file, name) for name in _split_names(tree.document)},
        loss=file.model.loss,
        maskmill=file.maskmill,
        document=tree.document,
        warnings=_warnings(passed, tree, source),
        source=source,
    )
    folds = file.maskmill.folds
    return params if folds is None else with_splits(params, map(fold_name, range(folds)))


def _made_sections(file: _File, tree: YamlTree) -> list[Problem]:
    """Finds sections of the file that `folds` makes itself."""
    names = [name for name in tree.document if FOLD_NAME.fullmatch(name)] if file.maskmill.folds else []
    what = f"maskmill.folds makes this section, with the keys of {TRAIN}; remove it"
    return [Problem(tree.line((name,)), (name,), what) for name in names]


def _passed_on(document: dict[str, Any], model: type[_File]) -> list[tuple[str, str]]:
    """Finds the unknown keys of the splits' sections that are not misspelt keys of ours: they may be for training."""
    return [
        (split, key)
        for split in _split_names(document)
        for key in _section(document, split)
        if key not in SplitParams.model_fields and nearest_key((split, key), model) is None
    ]


def _warnings(passed: Iterable[tuple[str, str]], tree: YamlTree, source: str) -> tuple[str, ...]:
    """Names the keys that are passed on, each place in the file once, on one line."""
    places = {tree.keys[path].index: path for path in reversed(list(passed))}
    lines = {path: f" (line {line})" if (line := tree.line(path)) else "" for path in places.values()}
    shown = [f"{'.'.join(path)}{lines[path]}" for _, path in sorted(places.items())]
    if not shown:
        return ()
    more = f" and {len(shown) - MAX_SHOWN} more" if len(shown) > MAX_SHOWN else ""
    keys = ", ".join(shown[:MAX_SHOWN]) + more
    return (f"{source}: unknown keys, which have no effect here and are copied to {DATA_PARAMS}: {keys}",)


def _check_sections(document: dict[str, Any], model: type[_File], passed: Iterable[tuple[str, str]]) -> _File:
    # Other sections are not checked, unless their names look misspelt.
    unused = {TRAIN, EVAL}.difference(model.model_fields)
    names = [
        name for name in document if name not in unused and (name in model.model_fields or nearest_key((name,), model))
    ]
    left_out = set(passed)
    sections = {
        name: {key: value for key, value in document[name].items() if (name, key) not in left_out}
        if isinstance(document[name], dict)
        else document[name]
        for name in names
    }
    # What is valid in one section depends on keys of others.
    ours, of_model = _section(document, "maskmill"), _section(document, "model")
    classes = class_names(ours.get("classes"), ours.get("class_column", ""))
    context = {"loss": of_model.get("loss"), "classes": classes, "resize": ours.get("resize")}
    return model.model_validate(sections, context=context)


def _file_model(document: dict[str, Any]) -> type[_File]:
    """Makes the model of a file with the splits that it names."""
    fields: dict[str, Any] = {
        name: (SplitParams, Field(description=_SPLIT_ADVICE.get(name, f"give a section with the keys of {name}")))
        for name in _split_names(document)
    }
    return create_model("File", __base__=_File, **fields)


def _split_names(document: dict[str, Any]) -> list[str]:
    """Returns the names of the sections that are checked: those of all splits, or that splits may have."""
    ours = _section(document, "maskmill")
    shares = ours.get("splits")
    if isinstance(shares, dict) and shares and all(map(SPLIT_NAME.fullmatch, shares)):
        return list(shares)
    if ours.get("csv", ()) is None:
        return [TEST if TEST in document else EVAL]
    if ours.get("folds") is not None:
        return [TRAIN]
    if ours.get("splits_file") is not None:
        return [TRAIN, *(name for name in document if is_split_name(name) and name != TRAIN)]
    return [TRAIN, EVAL]


def _section(document: dict[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name)
    return section if isinstance(section, dict) else {}
