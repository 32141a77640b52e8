"""One example, drawn into a PNG."""

from __future__ import annotations

from PIL import Image

from maskmill import DatasetError, open_dataset
from maskmill.pipeline.errors import DamagedError, UsageError
from maskmill.pipeline.report.draw_example import draw_side_by_side


def show(directory: str, split: str, index: int, output: str | None) -> str:
    """Draws an example.

    Args:
        directory: of a finished dataset.
        split: name of the split.
        index: position of the example, from the end where it is negative.
        output: path of the PNG; None is `<split>-<index>.png`.

    Returns:
        what was drawn, and where it is.

    Raises:
        UsageError: there is no such example.
        DamagedError: there is no such dataset or split, or it is not whole.
        OSError: the PNG cannot be written.
    """
    try:
        examples = open_dataset(directory, split)
        if not -len(examples) <= index < len(examples):
            raise UsageError(f"{split} of {directory} has {len(examples)} examples; there is none with index {index}")
        example = examples[index]
    except DatasetError as error:
        raise DamagedError(str(error)) from error
    except ImportError as error:
        raise UsageError(f"{directory}: {error}; pip install 'maskmill[read]'") from error
    path = output or f"{split}-{index % len(examples)}.png"
    Image.fromarray(draw_side_by_side(example)).save(path, "PNG")
    name = f", {example.image_id}" if example.image_id else ""
    return f"example {index % len(examples)} of {split}{name}, is drawn in {path}"
