"""Trains the network of train.py for a few steps with accelerate, which divides the examples among processes.

    python docs/train_accelerate.py DATASET
    torchrun --nproc_per_node=2 docs/train_accelerate.py DATASET

The second command trains in two processes.
"""

from __future__ import annotations

import itertools
import sys

import torch
from accelerate import Accelerator
from train import Network, count_channels, loss_of, standardized

from maskmill import open_dataset
from maskmill.torch import ExampleDataset


def main() -> None:
    """Trains and prints the loss."""
    torch.manual_seed(0)
    accelerator = Accelerator()
    examples = open_dataset(sys.argv[1], "train_input")
    network = Network(count_channels(examples), examples.image_shape[0])
    dataset = ExampleDataset(examples, transform=standardized(examples))
    loader, network, optimizer = accelerator.prepare(
        torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True, num_workers=2, persistent_workers=True),
        network,
        torch.optim.Adam(network.parameters(), lr=3e-3),
    )
    batches = itertools.chain.from_iterable(loader for _ in itertools.count())
    for step, (images, labels) in enumerate(itertools.islice(batches, 40), start=1):
        loss = loss_of(network(images), labels)
        optimizer.zero_grad()
        accelerator.backward(loss)
        optimizer.step()
        if step == 1 or step % 10 == 0:
            accelerator.print(f"step {step:4}: loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
