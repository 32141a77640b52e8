"""How fast a dataset is read, by `maskmill` and in the original's way, in one process, with its files in memory.

python -m tests.benchmarks.read_rate DATASET REPEATS
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np

from maskmill import Dataset, open_dataset

MASKMILL, ORIGINAL, BYTES = "maskmill", "original's way", "bytes alone"
# The original's way takes a hundred times as long as the bytes alone.
EXAMPLES_OF_THE_ORIGINAL = 300


def read_examples(examples: Dataset, order: Sequence[int]) -> None:
    """By `maskmill`, one example after the other, as a data loader asks for them."""
    for position in order:
        examples[position]


def read_originals_way(path: Path, places: Sequence[tuple[str, str]]) -> None:
    """As Hdf5DataProcessor of the Model Zoo does: the file is opened for each example."""
    for name, group in places:
        with h5py.File(path / name, "r") as file:
            example = file[group]
            np.array(example["image"]), np.array(example["label"])


def read_bytes(paths: Sequence[Path], target: bytearray) -> None:
    """The files from beginning to end, into the same memory."""
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(target):
                pass


def seconds_of(function: Callable[..., None], *arguments: object) -> float:
    """Time of one call."""
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def _in_groups(path: Path) -> bool:
    """Whether a shard is in the original's layout."""
    with h5py.File(path) as file:
        return "example_0" in file


def main() -> None:
    """Prints a JSON object: examples a second of each way, in each of the turns, in a random order."""
    path, repeats = Path(sys.argv[1]), int(sys.argv[2])
    examples = open_dataset(path)
    order = np.random.default_rng(0).permutation(len(examples)).tolist()
    manifest = json.loads((path / "manifest.json").read_text())
    shards = manifest["splits"]["train_input"]["shards"]
    every = [(shard["file"], f"example_{number}") for shard in shards for number in range(shard["examples"])]
    some = [every[index] for index in order[:EXAMPLES_OF_THE_ORIGINAL]] if _in_groups(path / shards[0]["file"]) else []
    files, memory = [path / shard["file"] for shard in shards], bytearray(2**20)
    read_examples(examples, order)  # Opens the files, and has the system hold them in memory.
    rates: dict[str, list[float]] = {MASKMILL: [], ORIGINAL: [], BYTES: []}
    for _ in range(repeats):
        rates[MASKMILL].append(len(order) / seconds_of(read_examples, examples, order))
        if some:
            rates[ORIGINAL].append(len(some) / seconds_of(read_originals_way, path, some))
        rates[BYTES].append(len(order) / seconds_of(read_bytes, files, memory))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
