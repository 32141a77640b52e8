"""Draws an image with the masks of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from PIL import Image

from maskmill import Example
from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError, UsageError
from maskmill.pipeline.job.crop_format import crop_format
from maskmill.pipeline.job.find_inputs import SplitInput, csv_files, find_inputs, row_format
from maskmill.pipeline.job.params import Params
from maskmill.pipeline.job.params_file import read_params
from maskmill.pipeline.messages.output_file import check_output_file, make_folder_of
from maskmill.pipeline.messages.quantities import count
from maskmill.pipeline.preview.find_rows import FoundRows, find_rows
from maskmill.pipeline.preview.image_crops import ImageCrops
from maskmill.pipeline.report.class_counts import class_title
from maskmill.pipeline.report.draw_example import draw_side_by_side
from maskmill.transforms.examples.crops import all_crops
from maskmill.transforms.examples.image import decode_planes, is_image_name
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.make_crops import check_source
from maskmill.transforms.examples.make_example import make_mask
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.files.file_names import is_litter
from maskmill.transforms.files.find_files import exists, list_folder
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.rejected import DataError

_HINT = "if a mask does not lie on its defect, it was written in another convention: set maskmill.runs"


def draw_rows(params_file: str, image_id: str | None, output: str) -> str:
    """Draws an image with the masks of its rows.

    Args:
        params_file: path of the parameter file.
        image_id: the image, as the rows name it; None is the first one with a mask, or without labels the first by
            name.
        output: path of the PNG.

    Returns:
        lines that say what was drawn.

    Raises:
        UsageError: parameter file, input or `output` are wrong, or there is no such image.
        TooManyRejectedError: the image, or its mask, is bad.
        OSError: input cannot be read, or the PNG cannot be written.
    """
    check_output_file(output, "preview.png")
    params = read_params(params_file)
    inputs = find_inputs(params)
    find = _find if params.labelled else _find_image
    rows, source = find(params, inputs.values(), image_id)
    path = _path_of(rows.image_id, source)
    try:
        rgb = params.maskmill.colour == "rgb"
        planes = decode_planes(read_bytes(path), params.maskmill.max_image_pixels, rgb=rgb)
        label = _label(rows, params, *planes.shape[1:]) if params.labelled else None
        crops = _crops(rows, params, inputs, source, (planes.shape[1], planes.shape[2]))
    except FileNotFoundError as error:
        mend = "correct the row, or add the image" if params.labelled else "give the name of a file in maskmill.images"
        raise UsageError(f"{path}: there is no such image; {mend}") from error
    except DataError as error:
        raise TooManyRejectedError(f"{path}: {error.message} ({error.code.value})") from error
    try:
        make_folder_of(output)
        classes = {class_title(name): number for number, name in enumerate(row_format(params).classes, 1)}
        example = Example(planes, label, rows.image_id)
        picture = draw_side_by_side(example, classes, mark=crops.draw if crops else _leave)
        Image.fromarray(picture).save(output, "PNG")
    except OSError as error:
        raise MaskmillError(f"{output}: the picture cannot be written: {error.strerror or error}") from error
    about_crops = [crops.describe()] if crops else []
    if label is None:
        height, width = planes.shape[1:]
        about = f"{rows.image_id}: {height} x {width} pixels, without a label (csv: null)"
        lines = [about, *about_crops, f"drawn in {output}"]
    else:
        lines = list(_describe(rows, label, row_format(params).classes, about_crops, output))
    return "".join(f"{line}\n" for line in lines)


def _find(params: Params, inputs: Iterable[SplitInput], image_id: str | None) -> tuple[FoundRows, SplitInput]:
    """Finds the rows of the image in the input of the first split that has any."""
    form = row_format(params)
    first_bad = ""
    for source in {one.images: one for one in inputs}.values():
        files = csv_files([tuple(source.csv)], source.csv, form, rows_needed=True)
        name = image_id or ""
        rows = find_rows(files, name)
        if name and not rows.listed and form.image_suffix:
            rows = find_rows(files, name + form.image_suffix)
        if rows.listed:
            return rows, source
        first_bad = first_bad or rows.first_bad
    problem = f"no row is of the image {image_id}" if image_id else "no row has a mask"
    raise UsageError("\n".join([problem, *([f"the first bad row: {first_bad}"] if first_bad else [])]))


def _find_image(_: Params, inputs: Iterable[SplitInput], image_id: str | None) -> tuple[FoundRows, SplitInput]:
    """Finds an image of a set without labels."""
    for source in inputs:
        if image_id is not None:
            return FoundRows(image_id), source
        listed = (info.name for folder in source.images for info in list_folder(folder))
        if first := min((name for name in listed if is_image_name(name) and not is_litter(name)), default=None):
            return FoundRows(first), source
    raise UsageError("there is no image; correct maskmill.images")


def _path_of(image_id: str, source: SplitInput) -> str:
    """Returns the path of an image, in the first folder if it is in none."""
    paths = [join(folder, image_id) for folder in source.images]
    return next(filter(exists, paths), paths[0])


def _label(rows: FoundRows, params: Params, height: int, width: int) -> np.ndarray:
    """Draws the masks at the size of the image: int32 [height, width], the number of the class, 0 for none."""
    classes = tuple(range(1, len(row_format(params).classes) + 1))
    label = LabelFormat("ssce", len(classes) + 1, height, width, classes)
    form = ExampleFormat((height, width), label, by_rows=params.maskmill.runs.order == "rows")
    return label.label(make_mask(rows.masks, (height, width), form))


def _crops(
    rows: FoundRows,
    params: Params,
    inputs: Mapping[str, SplitInput],
    source: SplitInput,
    stored_size: tuple[int, int],
) -> ImageCrops | None:
    """Finds the crops of the image, as the first split has them whose input it is in; None if images are not cut."""
    form = crop_format(params.document)
    if form is None:
        return None
    check_source(stored_size, form)
    split = next(split for name, split in params.splits.items() if inputs[name].images == source.images)
    of_split = [row for row in rows.masks if row.class_id in split.class_id]
    crops = all_crops(of_split, form, by_rows=params.maskmill.runs.order == "rows")
    return ImageCrops(rows.image_id, crops, form, labelled=params.labelled)


def _leave(picture: np.ndarray) -> np.ndarray:
    return picture


def _describe(
    rows: FoundRows, label: np.ndarray, classes: tuple[str, ...], of_crops: list[str], output: str
) -> Iterator[str]:
    height, width = label.shape
    masks = [row for row in rows.masks if row.runs != EMPTY_RUNS]
    drawn = f"{count(len(masks), 'row')} with a mask" if masks else "no row with a mask"
    yield f"{rows.image_id}: {height} x {width} pixels, {drawn}"
    for class_id in sorted({row.class_id for row in masks}):
        pixels = int(np.count_nonzero(label == class_id))
        yield f"  class {classes[class_id - 1]}: {count(pixels, 'pixel')}, {pixels / label.size:.2%} of the image"
    yield from of_crops
    if rows.bad:
        yield f"{count(rows.bad, 'row')} of the CSV cannot be read; the first: {rows.first_bad}"
    yield f"drawn in {output}; {_HINT}"
