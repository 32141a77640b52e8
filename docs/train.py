"""Trains a small network on a finished dataset for a few steps, to show the whole way from the CSV to a loss.

    python docs/train.py DATASET [--steps N]

The dataset may be made for any loss: bce, multilabel_bce or ssce. The network is only an example: two levels of
convolutions, and one upsampling.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from maskmill import Dataset, open_dataset
from maskmill.torch import BatchDataset, BatchLoader


class Network(nn.Module):
    """Maps images [n, colours, H, W] to logits [n, channels, H, W]."""

    def __init__(self, channels: int, colours: int = 1, width: int = 16) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(colours, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.up = nn.Sequential(nn.Conv2d(2 * width, width, 3, padding=1), nn.ReLU())
        self.head = nn.Conv2d(width + colours, channels, 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = nn.functional.interpolate(self.up(self.down(images)), images.shape[2:])
        return self.head(torch.cat([found, images], dim=1))


def count_channels(examples: Dataset) -> int:
    """Returns the number of logits of a pixel: one for each channel of the label, or with ssce for each class."""
    if len(examples.label_shape) == 3:  # bce: [1, H, W]; multilabel_bce: [channels, H, W]
        return examples.label_shape[0]
    params = json.loads(Path(examples.path, "data_params.json").read_text(encoding="utf-8"))
    return max(2, params[examples.split]["num_classes"])  # ssce: [H, W], 0 is the background


def loss_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Computes the loss that the labels are made for, which may be stored as uint8."""
    if labels.ndim == 3:  # ssce: [n, H, W]
        return nn.functional.cross_entropy(logits, labels.long())
    return nn.functional.binary_cross_entropy_with_logits(logits, labels.float())


def standardize(image, label, random, mean, std):
    """Gives each channel of all examples together the mean 0 and the standard deviation 1."""
    return ((image - mean) / std).astype(np.float32), label


def standardized(examples: Dataset):
    """Returns `standardize` with the numbers of a dataset; workers may be forked or spawned."""
    numbers = examples.statistics
    mean, std = (np.reshape(number, (-1, 1, 1)) for number in (numbers.mean, numbers.std))
    return functools.partial(standardize, mean=mean, std=std)


def main() -> None:
    """Trains and prints the loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", metavar="DATASET", help="folder of a dataset")
    parser.add_argument("--steps", type=int, default=40, metavar="N", help="default: %(default)s")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    examples = open_dataset(arguments.dataset, "train_input")
    loader = BatchLoader(
        BatchDataset(examples, batch_size=8, transform=standardized(examples)), num_workers=2, persistent_workers=True
    )
    network = Network(count_channels(examples), examples.image_shape[0])
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    print(f"{examples}: {loader.dataset.plan.steps} steps an epoch")

    batches = itertools.chain.from_iterable(loader for _ in itertools.count())
    for step, (images, labels) in enumerate(itertools.islice(batches, arguments.steps), start=1):
        loss = loss_of(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 1 or step % 10 == 0:
            print(f"step {step:4}: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
