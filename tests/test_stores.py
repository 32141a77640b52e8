"""`steelbeam` with everything in an object store: the same bytes, and no success with something missing."""

from __future__ import annotations

import hashlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.builders import HEADER, params_of, write_dataset
from tests.command import run_steelbeam, tree
from tests.fault_proxy import KINDS, HttpFault
from tests.stores import Store
from transforms.find_files import list_folder
from transforms.read_annotations import BLOCK_BYTES

pytestmark = pytest.mark.stores

ROWS = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdefgh", start=1)]
FLAGS = ("--num_output_files=2", "--quiet")


def put_dataset(store: Store, folder: Path, rows: list[str] = ROWS) -> str:
    """Puts a dataset and its parameter file into a store; gives the path of the latter."""
    store.put_folder(write_dataset(folder / "data", rows), "data")
    store.put("params.yaml", json.dumps(params_of(Path("/"), data_dir=store.path("data"))).encode())
    return store.path("params.yaml")


def create(store: Store, params: str, *flags: str, output: str = "out") -> int:
    """Runs `create` in this process; gives the exit status."""
    return main(["create", "--params", params, "--output_dir", store.path(output), *FLAGS, *flags])


def create_locally(tmp_path: Path, data_dir: str) -> dict[str, bytes]:
    """Shards of the same data, made in a local folder."""
    (tmp_path / "params.yaml").write_text(json.dumps(params_of(Path("/"), data_dir=data_dir)))
    assert (
        main(["create", "--params", str(tmp_path / "params.yaml"), "--output_dir", str(tmp_path / "out"), *FLAGS]) == 0
    )
    return shards_in(tree(tmp_path / "out"))


def shards_in(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name.endswith(".h5")}


def assert_whole(files: dict[str, bytes]) -> None:
    """Looks whether all is there that the manifest lists, and nothing else."""
    manifest = json.loads(files["manifest.json"])
    listed = {shard["file"]: shard["sha256"] for split in manifest["splits"].values() for shard in split["shards"]}
    listed |= {name: entry["sha256"] for name, entry in manifest["files"].items()}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"}
    assert found == listed


def test_a_store_holds_the_bytes_of_a_local_run(store: Store, tmp_path: Path) -> None:
    assert create(store, put_dataset(store, tmp_path)) == 0
    assert_whole(store.tree("out"))
    assert shards_in(store.tree("out")) == create_locally(tmp_path, str(tmp_path / "data"))
    assert main(["verify", store.path("out"), "--quiet"]) == 0


def test_worker_processes_know_the_options_of_the_store_and_lose_nothing(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    store.proxy.plan(HttpFault("^POST" if store.scheme == "gs" else "^PUT", "lost", times=3))
    flags = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    run_steelbeam("create", "--params", params, "--output_dir", store.path("out"), *FLAGS, *flags)
    assert store.proxy.hits == 3
    assert_whole(store.tree("out"))


@pytest.mark.parametrize("name", ["a folder", "[1]#?*", "ü", "100%25"])
def test_names_are_names_and_no_patterns(store: Store, tmp_path: Path, name: str) -> None:
    rows = [f"{name}{letter}.jpg,3,1 2" for letter in "abcd"]
    store.put_folder(write_dataset(tmp_path / "data", rows), f"in {name}")
    store.put("params.yaml", json.dumps(params_of(Path("/"), data_dir=store.path(f"in {name}"))).encode())
    for _ in range(2):
        assert create(store, store.path("params.yaml"), f"--name={name}", output=f"out {name}") == 0
        assert_whole(store.tree(f"out {name}"))
    changed = [row.replace("1 2", "3 2") for row in rows]
    store.put_folder(write_dataset(tmp_path / "data", changed), f"in {name}")
    assert create(store, store.path("params.yaml"), f"--name={name}", output=f"out {name}") == 0
    assert_whole(store.tree(f"out {name}"))
    assert main(["verify", store.path(f"out {name}"), "--quiet"]) == 0


def test_unchanged_input_is_seen_without_reading_an_image(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params) == 0
    store.proxy.plan(None)
    assert create(store, params) == 0
    assert not [path for method, path in store.proxy.log if method == "GET" and ".jpg" in path]


def test_shards_of_an_older_dataset_are_removed(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params, "--num_output_files=4") == 0
    assert create(store, params) == 0
    assert_whole(store.tree("out"))


def test_what_is_finished_is_taken_up_after_too_much_was_rejected(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path, [*ROWS, "a.jpg,9,1 1"])
    assert create(store, params) == 3
    assert "manifest.json" not in store.names("out")
    store.put_folder(write_dataset(tmp_path / "data", ROWS), "data")
    store.proxy.plan(None)
    assert create(store, params) == 0
    assert_whole(store.tree("out"))


def test_a_missing_image_and_a_missing_folder_are_told(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = put_dataset(store, tmp_path)
    store.delete("data/train_images/a.jpg")
    assert create(store, params) == 3
    assert "IMAGE_MISSING" in capsys.readouterr().err
    store.put("params.yaml", json.dumps(params_of(Path("/"), data_dir=store.path("none"))).encode())
    assert create(store, params) == 2
    assert f"there is no folder {store.path('none')}" in capsys.readouterr().err


def test_an_empty_image_is_rejected(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = put_dataset(store, tmp_path)
    store.put("data/train_images/a.jpg", b"")
    assert create(store, params) == 3
    assert "IMAGE_" in capsys.readouterr().err


def test_an_image_takes_one_request_and_a_shard_a_few(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path, [f"{index:03}.jpg,3,1 2" for index in range(40)])
    few = len(requests_of_a_run(store, params))
    paths = [path for method, path in store.proxy.log if method == "GET" and ".jpg" in path]
    assert len(paths) == len(set(paths)) == 40
    assert few < 40 + 100
    many = len(requests_of_a_run(store, params, "--num_output_files=20"))
    # A shard: its record is looked for, both are written, the shard is copied; S3 asks for its size before that.
    assert many - few <= 5 * (2 * 20 - 2 * 2)
    store.proxy.plan(None)
    assert create(store, params, "--num_output_files=20") == 0
    assert len(store.proxy.log) < 40


def test_a_block_of_a_csv_is_read_by_one_request(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    padding = [f"a.jpg,1,1 2,{'x' * 1000}" for _ in range(3 * BLOCK_BYTES // 1020)]
    lines = [f"{HEADER},note", *(f"{row}," for row in ROWS), *padding]
    store.put("data/train.csv", "".join(f"{line}\n" for line in lines).encode())
    paths = [path for method, path in requests_of_a_run(store, params) if method == "GET" and "train.csv" in path]
    reads = [path for path in paths if "prefix=" not in path]
    assert len(reads) == 1 + 3  # the header, and three blocks


def test_a_folder_is_listed_by_the_thousand(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: store.put(f"data/{index:05}.jpg", b""), range(1100)))
    store.proxy.plan(None)
    assert len(list(list_folder(store.path("data")))) == 1100
    # The emulator of Google's store gives all at once.
    assert len(store.proxy.log) == {"gs": 1, "s3": 2}[store.scheme]


def test_an_image_whose_content_has_changed_is_found_by_its_checksum(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params, "--checksum") == 0
    before = store.tree("out")
    store.put("data/train_images/a.jpg", store.get("data/train_images/b.jpg"))
    store.proxy.plan(None)
    assert create(store, params, "--checksum") == 0
    changed = {name for name, content in store.tree("out").items() if before[name] != content and ".h5" in name}
    assert len(changed) == 1
    assert_whole(store.tree("out"))


def test_a_folder_of_days_in_a_store(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    for day in (1, 2, 3):
        assert create(store, params, f"--reuse={store.path('days')}", output=f"days/{day}") == 0
        assert_whole(store.tree(f"days/{day}"))
    assert json.loads(store.get("days/latest.json"))["dataset"] == "3"
    [*_, last] = store.get("days/3/history.jsonl").splitlines()
    assert [split["reused"] for split in json.loads(last)["shards"].values()] == [2, 2]
    assert main(["prune", store.path("days"), "--keep=1"]) == 0
    assert {name.split("/")[0] for name in store.names("days")} == {"3", "latest.json"}


def requests_of_a_run(store: Store, params: str, *flags: str) -> list[tuple[str, str]]:
    store.clear("out")
    store.proxy.plan(None)
    assert create(store, params, *flags) == 0
    return store.proxy.log


def kinds_of(log: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Methods, and in the full form of the tests expressions for the paths, of different kinds of requests."""
    if not os.environ.get("STEELBEAM_FULL_FAULTS"):
        return list(dict.fromkeys((method, "") for method, _ in log))
    # What differs in number only is of a kind: images, shards, runs.
    paths = ((method, re.escape(path.partition("&")[0])) for method, path in log)
    numbers = re.compile(r"\b[a-h]\\.jpg|[0-9a-f]{16,}|\d+_p0")
    return list(dict.fromkeys((method, numbers.sub(".*", path)) for method, path in paths))


@pytest.mark.parametrize("kind", KINDS)
def test_no_request_that_fails_makes_a_success_with_something_missing(
    store: Store, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    params = put_dataset(store, tmp_path)
    whole = None
    for method, path in kinds_of(requests_of_a_run(store, params)):
        whole = whole or store.tree("out")
        store.clear("out")
        store.proxy.plan(HttpFault(method, path, kind, times=3))
        status = create(store, params)
        assert store.proxy.hits, (method, path)
        store.proxy.plan(None)
        if status:
            assert "Traceback" not in capsys.readouterr().err
            assert "manifest.json" not in store.names("out")
            assert create(store, params) == 0
        assert store.tree("out") == whole
