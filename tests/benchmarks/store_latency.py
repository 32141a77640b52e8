"""What a slow object store costs: `create` on a local folder, and on each store with 0 and 50 ms for every request.

    python -m tests.benchmarks.store_latency [--images N] [--repeats N]

The stores are emulators on this machine, which take their share of its cores; so the runs at 50 ms are also compared
with those at 0 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.datasets import examples
from tests.benchmarks.measure import run_measured
from tests.support.builders import params_of
from tests.support.stores import Store, amazon_s3, google_cloud_storage

DELAY_SECONDS = 0.05
_SHAPE = {"image_shape": [256, 256, 1]}


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=600, metavar="N", help="one an example (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs of each (default: %(default)s)")
    arguments = parser.parse_args()
    data = examples(arguments.images)
    with google_cloud_storage() as google, amazon_s3() as amazon, tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Callable[[], float]] = {"local": lambda: _run_locally(Path(folder), data)}
        for store in (google, amazon):
            store.put_folder(data, "data")
            for delay in (0.0, DELAY_SECONDS):
                name = f"{store.scheme}://, {delay * 1000:.0f} ms a request"
                ways[name] = lambda store=store, delay=delay: _run_in_store(store, delay)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(arguments.repeats):
            for name, run in ways.items():
                seconds[name].append(run())
    local = statistics.median(seconds["local"])
    print(f"| {arguments.images} images | seconds | times local |\n|---|---|---|")
    for name, each in seconds.items():
        print(f"| {name} | {statistics.median(each):.1f} | {statistics.median(each) / local:.2f} |")


def _run_locally(folder: Path, data: Path) -> float:
    (folder / "params.yaml").write_text(json.dumps(params_of(data, **_SHAPE)))
    return _create(str(folder / "params.yaml"), tempfile.mkdtemp(dir=folder))


def _run_in_store(store: Store, delay: float) -> float:
    os.environ.update(store.variables)
    store.clear("out")
    store.put("params.yaml", json.dumps(params_of(Path("/"), data_dir=store.path("data"), **_SHAPE)).encode())
    store.proxy.delay = delay
    try:
        return _create(store.path("params.yaml"), store.path("out"))
    finally:
        store.proxy.delay = 0.0


def _create(params: str, output: str) -> float:
    command = [sys.executable, "-m", "maskmill", "create", "--params", params, "--output_dir", output, "--quiet"]
    return run_measured(command, str(Path(__file__).parents[2])).seconds


if __name__ == "__main__":
    main()
