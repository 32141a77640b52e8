"""The parameters of a run: checked, frozen models, and the tree of data_params.json that follows from them."""

import copy
import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from pipeline.yaml_file import shown
from transforms.image import MAX_PIXELS as MAX_IMAGE_PIXELS
from transforms.rle import MAX_NUMBER

MAX_PIXELS = 2**28

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


def _tuple_of(least: int, most: float = math.inf) -> BeforeValidator:
    """Take a YAML list for a tuple, which strict models do not do by themselves."""

    def to_tuple(value: object) -> object:
        if not isinstance(value, list):
            return value
        # Not pydantic's min_length: it counts only the items that are good.
        if not least <= len(value) <= most:
            raise ValueError(f"{shown(value)} has length {len(value)}")
        return tuple(value)

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
Texts = Annotated[tuple[Text, ...], _tuple_of(1), BeforeValidator(_one_or_more)]


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

    normalize_data_method: Any = None
    shuffle: Any = None
    shuffle_seed: Any = None
    augment_data: Any = None
    batch_size: Any = None
    num_workers: Any = None
    drop_last: Any = None
    prefetch_factor: Any = None
    persistent_workers: Any = None
    use_fast_dataloader: Any = None
    duplicate_act_worker_data: Any = None
    convert_to_onehot: Any = None
    use_worker_cache: Any = None
    mixed_precision: Any = None
    use_bfloat16: Any = None
    loss: Any = None
    split: Any = None


class SteelbeamParams(BaseModel):
    """The section `steelbeam`, which the original does not have: where things are in `data_dir`.

    Attributes:
        csv: Names of the CSV files, in the order in which their rows count.
        images: Name of the image folder.
        image_column: Column of the image's file name.
        class_column: Column of the class.
        mask_column: Column of the runs.
        max_image_pixels: An image of more pixels is rejected.
        max_shard_bytes: About the size above which a split has more shards than were asked for.
        assignment: What decides an image's split and shard: its place in the CSV, or a hash of its ImageId.
        salt: Of the hash; another one gives another assignment.
        label_dtype: Type of the labels: that of the original, or uint8, which takes a quarter of a reader's memory.
    """

    model_config = _STRICT

    csv: Texts = Field(default=("train.csv",), description="give a file name or a list of file names")
    images: Text = Field(default="train_images", description="give the name of the image folder")
    image_column: Text = Field(default="ImageId", description="give the name of a column")
    class_column: Text = Field(default="ClassId", description="give the name of a column")
    mask_column: Text = Field(default="EncodedPixels", description="give the name of a column")
    max_image_pixels: int = Field(
        default=MAX_IMAGE_PIXELS, ge=1, le=MAX_NUMBER, description=f"give a whole number from 1 to {MAX_NUMBER}"
    )
    max_shard_bytes: Size | None = Field(default=None, description="give a number of bytes, 1 or more")
    assignment: Literal["position", "hash"] = Field(default="position", description="give position or hash")
    salt: str = Field(default="", description="give a text")
    label_dtype: Literal["original", "uint8"] = Field(default="original", description="give original or uint8")


@dataclass(frozen=True, kw_only=True)
class Params:
    """All that a parameter file says.

    Attributes:
        train_input: The training split.
        eval_input: The evaluation split.
        loss: `model.loss`; it decides the form of the labels.
        steelbeam: Our own section, or its defaults.
        document: The whole file as plain data that JSON can hold.
    """

    train_input: SplitParams
    eval_input: SplitParams
    loss: Loss
    steelbeam: SteelbeamParams
    document: dict[str, Any]

    @property
    def splits(self) -> dict[str, SplitParams]:
        """The splits by name, in the order of the output."""
        return {"train_input": self.train_input, "eval_input": self.eval_input}


def data_params(params: Params, input_args: dict[str, Any]) -> dict[str, Any]:
    """Make the tree of data_params.json, still without what was written (`<split>_hdf`).

    Args:
        params: The parameter file.
        input_args: The flags of the command.

    Returns:
        A tree of its own: the file as it is, the flags, and in each split what the original's script forces.
    """
    tree = copy.deepcopy(params.document)
    for split in params.splits:
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
