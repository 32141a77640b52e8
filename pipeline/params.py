"""The parameter file of the Cerebras Model Zoo, read into checked, frozen models."""

import copy
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pipeline.errors import UsageError
from pipeline.yaml_file import UNREADABLE, Path, Problem, YamlTree, load_yaml, shown, usage_error

MAX_BYTES = 2**20
MAX_PIXELS = 2**28
SPLITS = ("train_input", "eval_input")

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


def _tuple_of(least: int, most: int) -> BeforeValidator:
    """Take a YAML list for a tuple, which strict models do not do by themselves."""

    def to_tuple(value: object) -> object:
        if isinstance(value, list) and not least <= len(value) <= most:
            raise ValueError(f"{shown(value)} has length {len(value)}")
        return tuple(value) if isinstance(value, list) else value

    return BeforeValidator(to_tuple)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _bounded(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if shape[0] * shape[1] > MAX_PIXELS:
        raise ValueError(f"{shape[0]} x {shape[1]} is above {MAX_PIXELS} pixels")
    return shape


def _enough_channels(num_classes: int, info: ValidationInfo) -> int:
    if num_classes < 2 and info.context and info.context["loss"] == "multilabel_bce":
        raise ValueError(f"{num_classes} is too few: the one-hot form of a binary mask has 2 channels")
    return num_classes


Loss = Literal["bce", "multilabel_bce", "ssce"]
Text = Annotated[str, Field(pattern=r"\S")]
Size = Annotated[int, Field(ge=1)]
ImageShape = Annotated[tuple[Size, Size, Size], _tuple_of(3, 3), AfterValidator(_bounded)]
MaxImageShape = Annotated[tuple[Size, ...], _tuple_of(2, 3)]
# Validators that stand before the type run from right to left.
Texts = Annotated[tuple[Text, ...], _tuple_of(1, MAX_BYTES), BeforeValidator(_one_or_more)]


class SplitParams(BaseModel):
    """One split: the section `train_input` or `eval_input`.

    A field's description is the advice that ends the messages about it.

    Attributes:
        data_processor: Name of the Model Zoo's class that the file is written for.
        data_dir: Folder of the dataset.
        image_shape: Height, width and channels of an example.
        max_image_shape: Height and width above which an image is tiled instead of resized.
        class_id: Class whose masks become labels.
        train_test_split: Share of the rows that goes to train_input.
        num_classes: Channels of a one-hot label.

    The other attributes are keys of the original that decide nothing here; they are passed on as they are.
    """

    model_config = _STRICT

    data_processor: Literal["SeverstalBinaryClassDataProcessor"] = Field(
        description="only SeverstalBinaryClassDataProcessor is supported"
    )
    data_dir: Text = Field(description="give the folder that holds the CSV file and the image folder")
    image_shape: ImageShape = Field(
        description=f"give [height, width, channels], each 1 or more, height x width {MAX_PIXELS} or less"
    )
    max_image_shape: MaxImageShape = Field(
        default=(256, 1600), description="give [height, width] or [height, width, channels], each 1 or more"
    )
    class_id: int = Field(ge=1, le=4, description="give a class from 1 to 4")
    train_test_split: float = Field(ge=0, le=1, allow_inf_nan=False, description="give a share between 0 and 1")
    num_classes: Annotated[Size, AfterValidator(_enough_channels)] = Field(
        description="give 1 or more, with multilabel_bce 2 or more"
    )

    normalize_data_method: Any | None = None
    shuffle: Any | None = None
    shuffle_seed: Any | None = None
    augment_data: Any | None = None
    batch_size: Any | None = None
    num_workers: Any | None = None
    drop_last: Any | None = None
    prefetch_factor: Any | None = None
    persistent_workers: Any | None = None
    use_fast_dataloader: Any | None = None
    duplicate_act_worker_data: Any | None = None
    convert_to_onehot: Any | None = None
    use_worker_cache: Any | None = None
    mixed_precision: Any | None = None
    use_bfloat16: Any | None = None
    loss: Any | None = None
    split: Any | None = None


class SteelbeamParams(BaseModel):
    """The section `steelbeam`, which the original does not have: where things are in `data_dir`.

    Attributes:
        csv: Names of the CSV files, in the order in which their rows count.
        images: Name of the image folder.
        image_column: Column of the image's file name.
        class_column: Column of the class.
        mask_column: Column of the runs.
    """

    model_config = _STRICT

    csv: Texts = Field(default=("train.csv",), description="give a file name or a list of file names")
    images: Text = Field(default="train_images", description="give the name of the image folder")
    image_column: Text = Field(default="ImageId", description="give the name of a column")
    class_column: Text = Field(default="ClassId", description="give the name of a column")
    mask_column: Text = Field(default="EncodedPixels", description="give the name of a column")


class _ModelParams(BaseModel):
    """What matters here of the section `model`; the rest is the training's."""

    model_config = ConfigDict(frozen=True, strict=True)

    loss: Loss = Field(description="give one of bce, multilabel_bce, ssce")


class _File(BaseModel):
    """The sections that are checked; others may hold anything."""

    model_config = _STRICT

    train_input: SplitParams = Field(description="give a section with the keys of the training data")
    eval_input: SplitParams = Field(description="give a section with the keys of the evaluation data")
    model: _ModelParams = Field(description="give a section with loss: one of bce, multilabel_bce, ssce")
    steelbeam: SteelbeamParams = Field(default=SteelbeamParams(), description="give a section with keys, or remove it")


# What is said of pydantic's error types; its own message is for those who write models.
_WRONG = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "int_type": "{value} is not a whole number",
    "float_type": "{value} is not a number",
    "string_type": "{value} is not a string",
    "tuple_type": "{value} is not a list",
    "model_type": "{value} is not a mapping",
    "greater_than_equal": "{value} is below {ge:g}",
    "less_than_equal": "{value} is above {le:g}",
    "string_pattern_mismatch": "{value} is blank",
    "literal_error": "{value} is not supported",
    "value_error": "{error}",
}
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "train_input": SplitParams,
    "eval_input": SplitParams,
    "model": _ModelParams,
    "steelbeam": SteelbeamParams,
}


class Params(BaseModel):
    """A parameter file.

    Attributes:
        train_input: The training split.
        eval_input: The evaluation split.
        loss: `model.loss`; it decides the form of the labels.
        steelbeam: Our own section, or its defaults.
        document: The whole file as plain data that JSON can hold.
    """

    model_config = ConfigDict(frozen=True)

    train_input: SplitParams
    eval_input: SplitParams
    loss: Loss
    steelbeam: SteelbeamParams
    document: dict[str, Any]

    @property
    def splits(self) -> dict[str, SplitParams]:
        """The splits by name, in the order of the output."""
        return {"train_input": self.train_input, "eval_input": self.eval_input}


def parse_params(text: str, source: str) -> Params:
    """Check the text of a parameter file.

    Args:
        text: The file's content, YAML.
        source: The file's name, for messages.

    Returns:
        The parameters.

    Raises:
        UsageError: Something is wrong with the file; the message has a line for each thing that is.
    """
    tree = load_yaml(text, source)
    file, problems = _checked(tree)
    if file is None or tree.problems:
        raise usage_error(source, [*tree.problems, *problems])
    return Params(
        train_input=file.train_input,
        eval_input=file.eval_input,
        loss=file.model.loss,
        steelbeam=file.steelbeam,
        document=tree.document,
    )


def read_params(path: str) -> Params:
    """Read a parameter file from any file system that Beam knows.

    Args:
        path: Path or URL of the file.

    Returns:
        The parameters.

    Raises:
        UsageError: The file cannot be read, or something is wrong with it.
    """
    # Beam takes seconds to import; who only parses text need not wait for it.
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            data: bytes = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: no such file system, or a path that none can have
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise UsageError(f"{path}: cannot be read: {reason}; give the path of a parameter file") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: the file is over 1 MiB; give a parameter file, not data")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: the file is not UTF-8; save it as UTF-8") from error
    return parse_params(text, path)


def data_params(params: Params, input_args: dict[str, Any]) -> dict[str, Any]:
    """Make the tree of data_params.json, still without what was written (`<split>_hdf`).

    Args:
        params: The parameter file.
        input_args: The flags of the command.

    Returns:
        A tree of its own: the file as it is, the flags, and in each split what the original's script forces.
    """
    tree = copy.deepcopy(params.document)
    for split in SPLITS:
        tree[split].update(
            augment_data=False,
            mixed_precision=False,
            normalize_data_method=None,
            use_worker_cache=False,
            loss=params.loss,
            convert_to_onehot=params.loss == "multilabel_bce",
            use_bfloat16=tree["model"].get("use_bfloat16", False),
        )
    return {**tree, "input_args": copy.deepcopy(input_args)}


def _checked(tree: YamlTree) -> tuple[_File | None, list[Problem]]:
    """Check the sections, and tell what is wrong in them."""
    # A section of another name is nobody's business here, unless the name is a slip of the pen.
    sections = {name: value for name, value in tree.document.items() if name in _SECTIONS or _nearest((name,))}
    model = sections.get("model")
    context = {"loss": model.get("loss") if isinstance(model, dict) else None}
    try:
        return _File.model_validate(sections, context=context), []
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if detail["input"] is not UNREADABLE]
    # A key that is missing because it is misspelt is one problem, not two.
    meant = {_nearest(detail["loc"]) for detail in details if detail["type"] == "extra_forbidden"}
    found = [detail for detail in details if detail["type"] != "missing" or detail["loc"] not in meant]
    return None, [_problem(detail, tree) for detail in found]


def _problem(detail: ErrorDetails, tree: YamlTree) -> Problem:
    path = detail["loc"]
    wrong = _WRONG.get(detail["type"])
    what = wrong.format(value=shown(detail["input"]), **detail.get("ctx", {})) if wrong else detail["msg"]
    # `csv: ""` is checked as a list of one, of which the file knows nothing.
    place = path[:-1] if isinstance(path[-1], int) and path not in tree.lines else path
    return Problem(tree.line(path), place, f"{what}; {_advice(detail)}")


def _advice(detail: ErrorDetails) -> str:
    path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        near = _nearest(path)
        return f"did you mean {near[-1]}?" if near else f"known keys: {', '.join(_siblings(path))}"
    field = str(path[:2][-1])
    return str(_siblings(path[:2])[field].description)


def _nearest(path: Path) -> Path | None:
    """Find the known key beside this one that is spelt like it; for a section only one that is very like it."""
    cutoff = 0.6 if len(path) > 1 else 0.8
    near = get_close_matches(str(path[-1]).lower(), _siblings(path), n=1, cutoff=cutoff)
    return (*path[:-1], near[0]) if near else None


def _siblings(path: Path) -> dict[str, FieldInfo]:
    """Get the known keys of the section that a path leads into, or the sections."""
    return (_SECTIONS[str(path[0])] if len(path) > 1 else _File).model_fields
