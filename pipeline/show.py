"""`maskmill show`: draws one example as a PNG."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from maskmill.install_hint import pip_install
from maskmill.names import TRAIN
from maskmill.pipeline.arguments.parser import refuse_unknown
from maskmill.pipeline.errors import DamagedError, UsageError
from maskmill.pipeline.messages.output_file import check_output_file, make_folder_of

HELP = "draw an example"
_DESCRIPTION = """\
Draws one example as a PNG: the image, and the same image with the label drawn over it, a colour for each class; side by
side, or one above the other if the image is more than twice as wide as high. A legend below names the classes.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description = _DESCRIPTION
    parser.add_argument("directory", metavar="DIR", help="folder of the dataset")
    parser.add_argument("--split", default=TRAIN, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--index", type=int, default=0, metavar="I", help="index in the split; negative from the end")
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="where the PNG goes; its folder is made if it is missing (default: <split>-<index>.png)",
    )
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command."""
    refuse_unknown(rest, parsed.known_options)
    print(show(parsed.directory, parsed.split, parsed.index, parsed.output))


def show(directory: str, split: str, index: int, output: str | None) -> str:
    """Draws an example.

    Args:
        directory: a finished dataset.
        split: name of the split.
        index: of the example in its split; negative from the end.
        output: path of the PNG; None is `<split>-<index>.png`.

    Returns:
        a line that says what was drawn, and where it is.

    Raises:
        UsageError: there is no such example, no file can be at the path, or Pillow is missing.
        DamagedError: there is no such dataset or split, or it is not whole.
        OSError: the PNG cannot be written.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise UsageError(f"drawing an example needs Pillow: {pip_install('Pillow')}") from error
    from maskmill import DatasetError, open_dataset
    from maskmill.pipeline.report.class_counts import NO_DEFECT, NO_LABEL
    from maskmill.pipeline.report.draw_example import draw_side_by_side, number_classes, shown_classes
    from maskmill.pipeline.report.label_classes import read_label_classes

    if output:
        check_output_file(output, "example.png")
    try:
        examples = open_dataset(directory, split)
        if not -len(examples) <= index < len(examples):
            raise UsageError(f"{split} of {directory} has {len(examples)} examples; there is none with index {index}")
        example = examples[index]
        classes = read_label_classes(directory, split) or number_classes(example)
    except DatasetError as error:
        raise DamagedError(str(error)) from error
    except ImportError as error:
        raise UsageError(str(error)) from error
    path = output or f"{split}-{index % len(examples)}.png"
    make_folder_of(path)
    Image.fromarray(draw_side_by_side(example, classes)).save(path, "PNG")
    name = f", {example.image_id}" if example.image_id else ""
    if examples.of_crops and example.crop:
        name += f", crop at {example.crop[0]}, {example.crop[1]}"
    shown = " and ".join(shown_classes(example, list(classes))) or (NO_DEFECT if examples.labelled else NO_LABEL)
    return f"example {index % len(examples)} of {split}{name}, with {shown}, is drawn in {path}"
