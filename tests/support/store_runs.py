"""Runs of `maskmill create` with everything in an object store."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from maskmill.pipeline.cli import main
from tests.support.builders import params_of, write_dataset
from tests.support.stores import Store

ROWS = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdefgh", start=1)]
FLAGS = ("--num_output_files=2", "--quiet")


def put_dataset(store: Store, folder: Path, rows: list[str] = ROWS) -> str:
    """Puts a dataset and its parameter file into a store; gives the path of the latter."""
    store.put_folder(write_dataset(folder / "data", rows), "data")
    store.put("params.yaml", json.dumps(params_of(Path("/"), data_dir=store.path("data"))).encode())
    return store.path("params.yaml")


def create(store: Store, params: str, *flags: str, output: str = "out", files: int = 2) -> int:
    """Runs `create` in this process; gives the exit status."""
    arguments = ["--params", params, "--output_dir", store.path(output), f"--num_output_files={files}", "--quiet"]
    return main(["create", *arguments, *flags])


def requests_of_a_run(store: Store, params: str, *flags: str, files: int = 2) -> list[tuple[str, str]]:
    """Runs `create` where there is no dataset; gives the requests, see `FaultProxy.log`."""
    store.clear("out")
    store.proxy.plan()
    assert create(store, params, *flags, files=files) == 0
    return store.proxy.log


def shards_in(files: dict[str, bytes]) -> dict[str, bytes]:
    """The shards among the files of a dataset."""
    return {name: content for name, content in files.items() if name.endswith(".h5")}


def assert_whole(files: dict[str, bytes]) -> None:
    """Looks whether all is there that the manifest lists, and nothing else."""
    manifest = json.loads(files["manifest.json"])
    listed = {shard["file"]: shard["sha256"] for split in manifest["splits"].values() for shard in split["shards"]}
    listed |= {name: entry["sha256"] for name, entry in manifest["files"].items()}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"}
    assert found == listed
