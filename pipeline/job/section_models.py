"""Checks the sections of a parameter file that affect the dataset, and holds them as frozen models."""

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationInfo,
)

from maskmill.pipeline.job.other_files import DATA_PROCESSOR
from maskmill.pipeline.job.section_values import (
    MAX_FOLDS,
    MAX_OUTPUT_PIXELS,
    STRICT,
    ClassIds,
    ClassNames,
    CropSize,
    Empty,
    ImageShape,
    ListOrPath,
    MaxImageShape,
    NameOrNames,
    Negatives,
    Pattern,
    Shares,
    Size,
    Text,
    Texts,
    check_assignment,
    enough_channels,
    separator_word,
    whole_number,
)
from maskmill.pipeline.job.yaml_file import shown
from maskmill.transforms.assignment.strategies import STRATEGIES, strategy
from maskmill.transforms.examples.crops import EDGES, PAD
from maskmill.transforms.examples.image import MAX_PIXELS as MAX_IMAGE_PIXELS
from maskmill.transforms.examples.label import MAX_CLASSES
from maskmill.transforms.examples.mask_text import MAX_NUMBER

# Keys that came later than the rest. Datasets that do without them keep their fingerprints.
_LATER_KEYS = (
    *("exclude", "groups", "duplicates", "licence", "folds", "splits_file"),
    *("colour", "resize", "crops", "layout", "views"),
)
# Crops of an image, which are all in memory at a time.
MAX_CROPS = 2**14
# Keys that say which splits there are, in the order of the model.
_SPLIT_SOURCES = ("splits", "folds", "splits_file")
# Keys that say which group an image is in, in the order of the model.
_GROUP_SOURCES = ("group_column", "group_pattern", "groups")


def _check_stride(stride: tuple[int, int] | None, info: ValidationInfo) -> tuple[int, int] | None:
    size = info.data.get("size")  # missing if it is wrong itself
    if stride and size and any(step > length for step, length in zip(stride, size, strict=True)):
        raise ValueError(f"{shown(stride)} is above the size of a crop, so that pixels would be in none")
    return stride


def _check_source(source: tuple[int, int], info: ValidationInfo) -> tuple[int, int]:
    if not {"size", "stride", "edge"} <= info.data.keys():
        return source  # one of them is wrong itself
    size, edge = info.data["size"], info.data["edge"]
    if edge != PAD and any(length < of_crop for length, of_crop in zip(source, size, strict=True)):
        raise ValueError(f"{shown(source)} is smaller than a crop of {shown(size)}; set edge: {PAD}, or a smaller size")
    steps = info.data["stride"] or size
    most = math.prod(-(-length // step) for length, step in zip(source, steps, strict=True))
    if most > MAX_CROPS:
        raise ValueError(f"{shown(source)} gives some {most} crops an image, more than the {MAX_CROPS} supported")
    return source


def _without_labels(info: ValidationInfo) -> bool:
    """Returns whether `csv` is null."""
    return info.data.get("csv", ()) is None


def _check_any_negatives(value: str | float, info: ValidationInfo) -> str | float:
    if _without_labels(info) and value in ("none", 0):
        raise ValueError("with csv: null every image is without a defect, and there would be no example")
    return value


def _check_ranks_classes(assignment: str, info: ValidationInfo) -> str:
    if _without_labels(info) and assignment == "stratified":
        raise ValueError("with csv: null there are no classes to stratify by")
    return assignment


def _check_groups(value: str | None, info: ValidationInfo) -> str | None:
    if value is None:
        return None
    if info.field_name == "group_column" and _without_labels(info):
        raise ValueError("with csv: null there are no rows; use group_pattern or groups")
    _check_keeps_together("groups", info)
    if other := _group_source(info):
        raise ValueError(f"there is a {other}, too; keep one of them")
    if info.field_name == "group_column" and info.data.get("negatives", "none") not in ("as_listed", "none"):
        raise ValueError("images without a row have none, and negatives asks for them; use group_pattern or groups")
    return value


def _check_keeps_together(what: str, info: ValidationInfo) -> None:
    """Raises if the assignment cannot keep something together. Asking it imports Beam: only done where it matters."""
    assignment = info.data.get("assignment")  # missing if it is wrong itself
    if assignment and not strategy(assignment).keeps_groups:
        keeping = " or ".join(name for name in STRATEGIES if strategy(name).keeps_groups)
        raise ValueError(f"assignment: {assignment} does not keep {what} together: set assignment: {keeping}")


def _group_source(info: ValidationInfo) -> str:
    """Returns the key, among those before the checked one, that says which group an image is in; "" if none does."""
    return next((name for name in _GROUP_SOURCES if info.data.get(name) is not None), "")


def _check_duplicates(value: str, info: ValidationInfo) -> str:
    if value != "together":
        return value
    _check_keeps_together("equal images", info)
    if source := _group_source(info):
        raise ValueError(f"{source} decides what stays together; remove it, or set duplicates: drop")
    return value


def _check_alone(value: object, info: ValidationInfo) -> object:
    if value is not None and _without_labels(info):
        raise ValueError("with csv: null all images go to one split, or to those of splits; remove the key")
    if value is not None and (other := next((name for name in _SPLIT_SOURCES if info.data.get(name) is not None), "")):
        raise ValueError(f"there is a {other}, too; keep one of them")
    return value


def _check_splits_file(value: str | None, info: ValidationInfo) -> str | None:
    _check_alone(value, info)
    if value is not None and info.data.get("group_column") is not None:
        raise ValueError("only rows know the groups of group_column, too late; use groups or group_pattern, or neither")
    return value


class SplitParams(BaseModel):
    """Checks the section of a split, such as `train_input`.

    A field's description is the advice at the end of messages about it.

    Attributes:
        data_processor: Class of the Model Zoo that the file is written for.
        data_dir: Folder of the input; a relative path begins in the working folder, as in the original.
        image_shape: Height, width and channels of an example, in pixels. The channels have no effect: see colour.
        max_image_shape: Height and width above which an image is tiled instead of resized; with resize: pad or crop,
            images are never tiled.
        class_id: Classes whose masks become labels, in the order in which labels count them.
        train_test_split: Share of the examples that goes to train_input.
        num_classes: Number of label channels with multilabel_bce, counting the background.

    The other attributes are keys of the original that have no effect here and are passed on unchanged.
    """

    model_config = STRICT

    data_processor: Literal["SeverstalBinaryClassDataProcessor"] = Field(
        description=f"only {DATA_PROCESSOR} is supported"
    )
    data_dir: Text = Field(description="give the folder that holds the CSV file and the image folder")
    image_shape: ImageShape = Field(
        description=f"give [height, width, channels], channels 1 or 3, height x width {MAX_OUTPUT_PIXELS} or less"
    )
    max_image_shape: MaxImageShape = Field(
        default=(256, 1600), description="give [height, width] or [height, width, channels], channels 1 or 3"
    )
    class_id: ClassIds = Field(description="give the number or name of a class, a list of these, or all")
    train_test_split: float = Field(ge=0, le=1, allow_inf_nan=False, description="give a share between 0 and 1")
    num_classes: Annotated[Size, AfterValidator(enough_channels)] = Field(
        description="give 1 or more; with multilabel_bce and ssce, the number of classes plus 1, or more"
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
    micro_batch_size: Any = None
    shuffle_buffer: Any = None
    overfit: Any = None
    overfit_num_batches: Any = None
    overfit_indices: Any = None
    disable_sharding: Any = None


class RunsParams(BaseModel):
    """Checks the section `maskmill.runs`.

    Attributes:
        encoding: What the numbers of a mask are: pairs of start and length; the same, but each start except the first
            counts from the end of the run before (relative); or numbers of pixels that are 0 and 1 in turn, beginning
            with 0 (counts).
        order: Pixels are numbered down each column, then from left to right, or along each row, then downwards.
        first: Number of the first pixel. With counts it does not matter.
        separator: What separates the numbers; commas may have blanks beside them.
        unsorted: What happens to a mask with a run that starts before the run before it, as only masks of another
            convention usually do. With accept, it is read as the original does.
    """

    model_config = STRICT

    encoding: Literal["pairs", "relative", "counts"] = Field(
        default="pairs", description="give pairs, relative or counts"
    )
    order: Literal["columns", "rows"] = Field(default="columns", description="give columns or rows")
    first: Annotated[Literal[0, 1], BeforeValidator(whole_number)] = Field(default=1, description="give 0 or 1")
    separator: Literal["blank", "comma"] = Field(default="blank", description="give blank or comma")
    unsorted: Literal["reject", "accept"] = Field(default="reject", description="give reject or accept")


class CropsParams(BaseModel):
    """Checks the section `maskmill.crops`.

    Attributes:
        size: Height and width of a crop, in pixels of the image.
        stride: Pixels from a crop to the next, down and across; null is the size, so that crops do not overlap.
        edge: What happens where crops do not end at the image's edge: the last one is moved back so that it does
            (shift), is left out (drop), or is continued with zeros (pad).
        empty: Which crops without a defect become examples: all, none, or a share, chosen by hash.
        source: Height and width of the images; one of another size is rejected.
    """

    model_config = STRICT

    size: CropSize = Field(description="give [height, width] in pixels")
    stride: Annotated[CropSize | None, AfterValidator(_check_stride)] = Field(
        default=None, description="give [down, across] in pixels, at most the size"
    )
    edge: Literal["shift", "drop", "pad"] = Field(default="shift", description=f"give {', '.join(EDGES[:-1])} or {PAD}")
    empty: Empty = Field(default="all", description="give all, none, or a share between 0 and 1")
    source: Annotated[CropSize, AfterValidator(_check_source)] = Field(
        description="give [height, width] of the images, in pixels"
    )


class MaskmillParams(BaseModel):
    """Checks the section `maskmill`, which the original does not have.

    Attributes:
        csv: Names of the CSV files; their rows count in this order. With null there are no labels: all images of the
            image folder become examples, in the order of their names, for prediction.
        images: Image folder, or a list of them; a name may be in only one of them.
        image_column: Column with the file name of the image.
        image_suffix: Appended to that name to make the file name, such as `.png`.
        class_column: Column with the class; null if rows have no class, because there is only one.
        mask_column: Column with the runs.
        runs: Convention in which the runs are written.
        separator: What separates the columns.
        classes: Names of the classes, as in the rows; null is 1 to 4, or one class if rows have no class.
        negatives: Which images without a defect become examples: those with a row that says -1, none, all in the image
            folder, or a share of all, sampled by hash.
        exclude: Images that become no examples: a list of ImageIds, or the path of a text file with one a line; a
            relative path begins in the working folder.
        max_image_pixels: An image with more pixels is rejected.
        max_shard_bytes: If shards would be larger than about this size, a split gets more shards than requested.
        assignment: What decides the split and shard of an image: its place in the CSV, a hash of its ImageId, or a hash
            among the images with the same rarest class.
        salt: Changes the hash; another salt gives another assignment.
        group_column: Column with the group of an image; a group stays in one split.
        group_pattern: Finds the group in the ImageId, as the first bracket of the pattern, or else its whole match.
        groups: Path of a CSV file with the columns ImageId and group; a relative path begins in the working folder.
        duplicates: What happens to images whose files are equal: nothing, all of them go to one split (together), or
            only the first by ImageId becomes an example (drop).
        splits: Sections to make, each with its share of the examples, in order; null is train_input and eval_input,
            with their train_test_split.
        folds: Number of equal splits fold_0, fold_1 … in place of train_input and eval_input, for cross-validation; all
            have the parameters of train_input.
        splits_file: Path of a CSV file with the columns ImageId and split (or fold); a relative path begins in the
            working folder.
        views: Whether shards record the size of each image file, and which part of it the example shows, as
            `maskmill.submission` needs. Without labels they always do.
        label_dtype: Labels have the dtype of the original, or uint8, which takes a quarter of the memory of a reader.
        layout: A shard has a group for each example, as in the original, or two arrays with a row for each, for readers
            of rows (arrays).
        colour: Images have one channel of grey, or three of red, green and blue.
        resize: An image is stretched to image_shape whatever its aspect; or keeps its aspect and is padded with 0
            (pad), or cropped around its middle (crop).
        crops: Crops that each image is cut into; each crop becomes an example. Null is whole images.
        licence: Licence of the dataset, which croissant.json repeats: its SPDX name, such as CC-BY-4.0, or its URL.
    """

    model_config = STRICT

    csv: Texts | None = Field(
        default=("train.csv",),
        description="give a file name, a list of file names, or null",
    )
    images: NameOrNames = Field(
        default="train_images", description="give the name of the image folder, or a list of names"
    )
    image_column: Text = Field(default="ImageId", description="give the name of a column")
    image_suffix: str = Field(default="", description="give a text")
    class_column: Text | None = Field(default="ClassId", description="give the name of a column, or null")
    mask_column: Text = Field(default="EncodedPixels", description="give the name of a column")
    runs: RunsParams = Field(default=RunsParams(), description="give a section with keys, or remove it")
    separator: Annotated[str, BeforeValidator(separator_word)] = Field(
        default="comma", description="give comma, semicolon, tab or pipe, or the character in quotes"
    )
    classes: ClassNames | None = Field(default=None, description=f"give a list of at most {MAX_CLASSES} names")
    negatives: Annotated[Negatives, AfterValidator(_check_any_negatives)] = Field(
        default="as_listed", description="give as_listed, none, all, or a share between 0 and 1"
    )
    exclude: ListOrPath | None = Field(
        default=None, description="give a list of file names, or the path of a text file"
    )
    max_image_pixels: int = Field(
        default=MAX_IMAGE_PIXELS, ge=1, le=MAX_NUMBER, description=f"give a whole number from 1 to {MAX_NUMBER}"
    )
    max_shard_bytes: Size | None = Field(default=None, description="give a number of bytes, 1 or more")
    assignment: Annotated[str, BeforeValidator(check_assignment), AfterValidator(_check_ranks_classes)] = Field(
        default="position", description=f"give {', '.join(STRATEGIES[:-1])} or {STRATEGIES[-1]}"
    )
    salt: str = Field(default="", description="give a text")
    group_column: Annotated[Text | None, AfterValidator(_check_groups)] = Field(
        default=None, description="give the name of a column"
    )
    group_pattern: Annotated[Pattern | None, AfterValidator(_check_groups)] = Field(
        default=None, description="give a regular expression"
    )
    groups: Annotated[Text | None, AfterValidator(_check_groups)] = Field(
        default=None, description="give the path of a CSV file"
    )
    duplicates: Annotated[Literal["keep", "together", "drop"], AfterValidator(_check_duplicates)] = Field(
        default="keep", description="give keep, together or drop"
    )
    splits: Shares | None = Field(
        default=None,
        description="give names of sections that end in _input, each with a share above 0; together at most 1",
    )
    folds: Annotated[int | None, Field(ge=2, le=MAX_FOLDS), AfterValidator(_check_alone)] = Field(
        default=None, description=f"give a whole number from 2 to {MAX_FOLDS}"
    )
    splits_file: Annotated[Text | None, AfterValidator(_check_splits_file)] = Field(
        default=None, description="give the path of a CSV file"
    )
    views: bool = Field(default=False, description="give true or false")
    label_dtype: Literal["original", "uint8"] = Field(default="original", description="give original or uint8")
    layout: Literal["groups", "arrays"] = Field(default="groups", description="give groups or arrays")
    colour: Literal["grey", "rgb"] = Field(default="grey", description="give grey or rgb")
    resize: Literal["stretch", "pad", "crop"] = Field(default="stretch", description="give stretch, pad or crop")
    crops: CropsParams | None = Field(default=None, description="give a section with keys, or null")
    licence: Text | None = Field(default=None, description="give a name such as CC-BY-4.0, or a URL")

    @property
    def csv_files(self) -> tuple[str, ...]:
        """Names of the CSV files; none if there are no labels."""
        return self.csv or ()

    @property
    def image_folders(self) -> tuple[str, ...]:
        """Names of the image folders."""
        return (self.images,) if isinstance(self.images, str) else self.images

    def settings(self) -> dict[str, Any]:
        """Returns the keys and values that decide a dataset, without later keys that have their defaults."""
        later = {name for name in _LATER_KEYS if getattr(self, name) == type(self).model_fields[name].default}
        return self.model_dump(exclude=later)
