"""Trains the same network on squeezed images and on crops of the sample dataset, and draws both losses.

    python docs/train_on_crops.py [--images N] [--steps N] [--output FILE]

Makes the datasets in a temporary folder. The loss that is drawn is that of the images held out, at the size of their
files: 1 minus the soft Dice coefficient, the mean over the images with a defect. Both networks see as many pixels a
step, and begin with the same weights.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from train import Network, loss_of, standardize, standardized

import maskmill
from maskmill import Dataset, open_dataset
from maskmill.torch import BatchDataset, BatchLoader

# Examples of 256 x 256: whole images that are squeezed, crops, and all crops of the images held out.
KINDS = {
    "squeezed": {"views": True},
    "crops": {"crops": {"size": [256, 256], "source": [256, 1600], "empty": 0.2}},
    "all_crops": {"crops": {"size": [256, 256], "source": [256, 1600]}},
}
EVERY, BATCH = 20, 8
_COLOURS = {"squeezed": "#d55e00", "crops": "#0072b2"}
_WIDTH, _HEIGHT, _LEFT, _TOP = 480, 220, 48, 12


def make_datasets(images: int) -> None:
    """Makes the sample and the datasets in the working folder; an image is in the same split of each."""
    command = ["sample", "data", "--images", str(images), "--quiet"]
    subprocess.run([sys.executable, "-m", "maskmill", *command], check=True)  # noqa: S603
    section = {
        "data_processor": "SeverstalBinaryClassDataProcessor",
        "data_dir": "data",
        "image_shape": [256, 256, 1],
        "train_test_split": 0.8,
        "num_classes": 2,
        "class_id": 3,
    }
    params = {"train_input": section, "eval_input": section, "model": {"loss": "bce"}}
    for kind, keys in KINDS.items():
        maskmill.create({**params, "maskmill": {"assignment": "hash", **keys}}, kind, num_output_files=4)


def dice_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Computes 1 minus the soft Dice coefficient of each example (Milletari et al., "V-Net", 2016); [n]."""
    both, either = (scores * labels).sum((1, 2, 3)), (scores + labels).sum((1, 2, 3))
    return 1 - (2 * both + 1) / (either + 1)


def predict(network: Network, examples: Dataset, mean: float, std: float) -> Iterator[np.ndarray]:
    """Yields the scores of all examples in index order, in batches."""
    for batch in examples.batches(BATCH):
        images, _ = standardize(batch.images, None, None, mean, std)
        with torch.no_grad():
            yield network(torch.from_numpy(images)).sigmoid().numpy()


def evaluate(network: Network, examples: Dataset, labels: Mapping[str, np.ndarray], mean: float, std: float) -> float:
    """Returns the mean loss of images at the size of their files, given their labels by ImageId."""
    stitched = maskmill.stitch(examples, predict(network, examples, mean, std))
    pairs = ((scores, labels[name]) for name, scores in stitched if name in labels)
    losses = [dice_loss(*(torch.from_numpy(one)[None] for one in pair)) for pair in pairs]
    return float(torch.cat(losses).mean())


def train(examples: Dataset, held_out: Dataset, labels: Mapping[str, np.ndarray], steps: int) -> list[float]:
    """Trains a network; returns the loss of the images held out, before the first step and after every 20th."""
    torch.manual_seed(0)
    network, numbers = Network(1), examples.statistics
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    loader = BatchLoader(BatchDataset(examples, BATCH, transform=standardized(examples), drop_last=True))
    losses = [evaluate(network, held_out, labels, numbers.mean, numbers.std)]
    batches = itertools.chain.from_iterable(loader for _ in itertools.count())
    for step, (images, wanted) in enumerate(itertools.islice(batches, steps), start=1):
        logits = network(images)
        loss = loss_of(logits, wanted) + dice_loss(logits.sigmoid(), wanted).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0:
            losses.append(evaluate(network, held_out, labels, numbers.mean, numbers.std))
    return losses


def draw(curves: Mapping[str, Sequence[float]]) -> str:
    """Draws the curves as SVG; steps to the right, the loss from 0 to 1 upwards."""
    most = (max(map(len, curves.values())) - 1) * EVERY
    parts = [_text(_LEFT, _TOP + _HEIGHT + 36, "steps"), _text(0, _TOP + 4, "loss")]
    for number in range(5):
        share = number / 4
        bottom, left = _TOP + _HEIGHT * (1 - share), _LEFT + _WIDTH * share
        parts.append(f'<path d="M{_LEFT} {bottom:g} h{_WIDTH}" stroke="#e0e0e0"/>')
        parts.append(_text(_LEFT - 30, bottom + 4, f"{share:g}") if number < 4 else "")
        parts.append(_text(left - 8, _TOP + _HEIGHT + 18, f"{most * share:g}"))
    for name, losses in curves.items():
        places = [
            f"{_LEFT + _WIDTH * number * EVERY / most:.1f} {_TOP + _HEIGHT * (1 - loss):.1f}"
            for number, loss in enumerate(losses)
        ]
        colour = _COLOURS[name]
        parts.append(f'<path d="M{" L".join(places)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(_LEFT + _WIDTH + 8, _TOP + _HEIGHT * (1 - losses[-1]) + 4, name, colour))
    size = f"{_LEFT + _WIDTH + 84} {_TOP + _HEIGHT + 44}"
    width, height = size.split()
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{width}" height="{height}">'
    back = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([start, back, *filter(None, parts), "</svg>", ""])


def _text(left: float, bottom: float, text: str, colour: str = "#333333") -> str:
    return f'<text x="{left:g}" y="{bottom:g}" font-family="sans-serif" font-size="12" fill="{colour}">{text}</text>'


def main() -> None:
    """Makes the datasets, trains, prints the losses, and draws them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=240, metavar="N", help="of the sample; default: %(default)s")
    parser.add_argument("--steps", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--output", default="train_on_crops.svg", metavar="FILE", help="default: %(default)s")
    arguments = parser.parse_args()
    output = Path(arguments.output).absolute()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_datasets(arguments.images)
        whole = open_dataset("all_crops", "eval_input")
        wanted = (batch.labels for batch in whole.batches(BATCH))
        labels = {name: label for name, label in maskmill.stitch(whole, wanted) if label.any()}
        curves = {}
        for kind, held_out in (("squeezed", open_dataset("squeezed", "eval_input")), ("crops", whole)):
            curves[kind] = train(open_dataset(kind), held_out, labels, arguments.steps)
            for number, loss in enumerate(curves[kind]):
                print(f"{kind}: step {number * EVERY:4}: loss {loss:.3f}")
        os.chdir("/")
    output.write_text(draw(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
