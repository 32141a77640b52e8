"""Chooses the samples of a report, and draws them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from maskmill.pipeline.report.class_counts import NO_DEFECT, NO_LABEL, names_of
from maskmill.pipeline.report.draw_example import draw_label, shown_classes
from maskmill.pipeline.report.statistics import SplitStatistics
from maskmill.transforms.text import printable

SAMPLES = 24
# Width of a sample in pixels: about twice that of its place, for high-density screens.
_WIDTH = 760


def draw_samples(
    splits: Sequence[SplitStatistics], classes: Mapping[str, Sequence[str]], numbers: Mapping[str, int], seed: int
) -> Iterator[dict[str, Any]]:
    """Draws the samples.

    Args:
        splits: statistics of the examples.
        classes: names of the classes that a split's labels distinguish, in their order.
        numbers: number of each of these classes, by its name.
        seed: of the choice.

    Yields:
        address of the picture, its size, the parts of its caption: name of the image, classes, place; and the view of a
        crop, None of a whole image.
    """
    for split, index in _choose(splits, seed):
        example = split.dataset[index]
        names = classes[split.name]
        picture = Image.fromarray(draw_label(example, [numbers[name] for name in names]))
        scale = min(1.0, _WIDTH / picture.width)
        picture = picture.resize((round(picture.width * scale), max(1, round(picture.height * scale))))
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=80)
        yield {
            "source": f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}",
            "width": picture.width,
            "height": picture.height,
            "image_id": printable(example.image_id),
            "names": shown_classes(example, names) or [NO_DEFECT if split.dataset.labelled else NO_LABEL],
            "place": f"{split.name} {index}",
            "view": example.view if split.dataset.of_crops else None,
        }


def _choose(splits: Sequence[SplitStatistics], seed: int) -> list[tuple[SplitStatistics, int]]:
    """Chooses split and index of the samples: from each class in turn, each example once."""
    random = np.random.default_rng(seed)
    names = names_of(split.members for split in splits)
    places: dict[str, list[list[int]]] = {}
    for name in names:
        pairs = [
            (number, split.positions[i]) for number, split in enumerate(splits) for i in split.members.get(name, ())
        ]
        places[name] = random.permutation(pairs).tolist()
    chosen: dict[tuple[int, int], None] = {}
    while len(chosen) < SAMPLES and any(places.values()):
        for name in names:
            if places[name] and len(chosen) < SAMPLES:
                number, index = places[name].pop()
                chosen.setdefault((number, index))
    return [(splits[number], index) for number, index in chosen]
