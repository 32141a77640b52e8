"""A reader of a dataset that is replaced meanwhile sees the one, the other, or none; never a mixture."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.builders import write_dataset
from tests.support.command import create

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]


def state_of(path: Path) -> tuple[int, int] | None:
    """Tells one manifest from another; None where there is none."""
    try:
        return path.stat().st_ino, path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def read(output: Path) -> str:
    """Reads a dataset as training would; gives its fingerprint, "" if there is none or another one came meanwhile."""
    path = output / "manifest.json"
    before = state_of(path)
    if before is None:
        return ""
    try:
        content = json.loads(path.read_text())
        shards = [shard for split in content["splits"].values() for shard in split["shards"]]
        found = [hashlib.sha256((output / shard["file"]).read_bytes()).hexdigest() for shard in shards]
    except FileNotFoundError:
        assert state_of(path) != before, "a file is missing of a dataset that is there"
        return ""
    if state_of(path) != before:
        return ""
    assert found == [shard["sha256"] for shard in shards], "a mixture"
    return str(content["fingerprint"])


def test_a_reader_never_sees_a_mixture(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    output = create(tmp_path, data, "--num_output_files=4")
    stop = threading.Event()

    def read_on() -> Counter[str]:
        reads: Counter[str] = Counter()
        while not stop.is_set():
            reads[read(output)] += 1
        return reads

    with ThreadPoolExecutor(1) as pool:
        reads = pool.submit(read_on)
        try:
            for number in range(5):
                create(tmp_path, data, "--num_output_files=4", loss=("ssce", "bce")[number % 2])
        finally:
            stop.set()
        seen = reads.result()
    assert seen[""] > 0
    assert len(seen) == 3
