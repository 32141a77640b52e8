"""What the layout of a shard costs: time of a core, and bytes, for the same examples in each.

python -m tests.benchmarks.layouts DATA EXAMPLES REPEATS
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from maskmill.catalog import Shard
from maskmill.folder import LocalFolder
from maskmill.names import LAYOUTS
from maskmill.shard_reader import ShardReader
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import prepare_examples
from tests.benchmarks.shard_plan import first_specs, form_of_size

SIZES = ((256, 256), (256, 1600))
WRITE, OPEN, READ, BYTES = (
    "µs to write an example",
    "µs an example to open a shard",
    "µs to read an example",
    "bytes an example",
)


def time_layout(specs: list[ExampleSpec], form: ExampleFormat, folder: Path) -> dict[str, float]:
    """Writes a shard of examples and reads it in a random order; the files stay in the system's cache."""
    prepared = prepare_examples([(spec, None) for spec in specs], form)
    examples = [one for of_image in prepared if not isinstance(of_image, RejectedExample) for one in of_image]
    path, count = folder / "a.h5", len(examples)
    times = [time.thread_time()]
    with ShardFile(str(path), form, count) as file:
        for spec, example in zip(specs, examples, strict=True):
            file.append(example, spec.image_id)
    times.append(time.thread_time())
    reader = ShardReader(LocalFolder(str(folder)), Shard(path.name, count, None, layout=form.layout))
    times.append(time.thread_time())
    image, label = np.empty(form.image_shape, np.uint8), np.empty(form.label.shape, form.label.dtype)
    for index in np.random.default_rng(0).permutation(count).tolist():
        reader.read_into(image, index, "image")
        reader.read_into(label, index, "label")
    times.append(time.thread_time())
    reader.close()
    found = dict(zip((WRITE, OPEN, READ), (np.diff(times) / count * 1e6).tolist(), strict=True))
    return {**found, BYTES: path.stat().st_size / count}


def main() -> None:
    """Prints a JSON list: for each size, the median of each figure, by layout."""
    data, examples, repeats = sys.argv[1:]
    specs, figures = first_specs(Path(data), int(examples)), []
    for size in SIZES:
        forms = {layout: form_of_size(size)._replace(layout=layout) for layout in LAYOUTS}
        turns: dict[str, list[dict[str, float]]] = {layout: [] for layout in LAYOUTS}
        # Once more than is counted.
        for _ in range(1 + int(repeats)):
            for layout, form in forms.items():
                with tempfile.TemporaryDirectory() as name:
                    turns[layout].append(time_layout(specs, form, Path(name)))
        medians = {
            layout: {figure: median(turn[figure] for turn in found[1:]) for figure in found[0]}
            for layout, found in turns.items()
        }
        figures.append({"size": size, "layouts": medians})
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
