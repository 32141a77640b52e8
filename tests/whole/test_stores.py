"""`maskmill` with everything in an object store: the same bytes, whatever things are called, and few requests."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from maskmill.transforms.annotations.read_annotations import BLOCK_BYTES
from maskmill.transforms.files.find_files import list_folder
from maskmill.transforms.sink.read_ahead import READ_AHEAD
from tests.support.builders import HEADER, params_of, write_dataset
from tests.support.command import run_maskmill, tree
from tests.support.fault_proxy import HttpFault
from tests.support.store_runs import FLAGS, ROWS, assert_whole, create, put_dataset, requests_of_a_run, shards_in
from tests.support.stores import Store

pytestmark = pytest.mark.stores


def create_locally(tmp_path: Path, data_dir: str) -> dict[str, bytes]:
    """Shards of the same data, made in a local folder."""
    (tmp_path / "params.yaml").write_text(json.dumps(params_of(Path("/"), data_dir=data_dir)))
    assert (
        main(["create", "--params", str(tmp_path / "params.yaml"), "--output_dir", str(tmp_path / "out"), *FLAGS]) == 0
    )
    return shards_in(tree(tmp_path / "out"))


def test_a_store_holds_the_bytes_of_a_local_run(store: Store, tmp_path: Path) -> None:
    assert create(store, put_dataset(store, tmp_path)) == 0
    assert_whole(store.tree("out"))
    assert shards_in(store.tree("out")) == create_locally(tmp_path, str(tmp_path / "data"))
    assert main(["verify", store.path("out"), "--quiet"]) == 0


def test_worker_processes_know_the_options_of_the_store_and_lose_nothing(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    store.proxy.plan(HttpFault("^POST" if store.scheme == "gs" else "^PUT", "lost", times=3))
    flags = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    run_maskmill("create", "--params", params, "--output_dir", store.path("out"), *FLAGS, *flags)
    assert store.proxy.hits == 3
    assert_whole(store.tree("out"))


@pytest.mark.parametrize("_running_store", ["s3"], indirect=True)
def test_worker_processes_know_a_store_that_only_the_command_line_names(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = put_dataset(store, tmp_path)
    for name in store.variables:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    flags = [f"--s3_endpoint_url={store.proxy.url}", "--s3_region_name=us-east-1"]
    flags += ["--s3_access_key_id=key", "--s3_secret_access_key=secret"]
    flags += ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    store.proxy.plan()
    run_maskmill("create", "--params", params, "--output_dir", store.path("out"), *FLAGS, *flags)
    assert_whole(store.tree("out"))
    assert len([target for _, target in store.proxy.log if ".jpg" in target]) == len(ROWS)


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
    store.proxy.plan()
    assert create(store, params) == 0
    assert not [path for method, path in store.proxy.log if method == "GET" and ".jpg" in path]


def test_shards_of_an_older_dataset_are_removed(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params, files=4) == 0
    assert create(store, params) == 0
    assert_whole(store.tree("out"))


def test_what_is_finished_is_taken_up_after_too_much_was_rejected(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path, [*ROWS, "a.jpg,9,1 1"])
    assert create(store, params) == 3
    assert "manifest.json" not in store.names("out")
    store.put_folder(write_dataset(tmp_path / "data", ROWS), "data")
    store.proxy.plan()
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
    # A shard: its record is looked for, both are written. S3 copies each and asks for its size before that; Google's
    # client asks for the bucket wherever an object is missing, as the record is; a few depend on the order of shards.
    per_shard, once, unchanged = {"gs": (4, 53, 26), "s3": (5, 44, 23)}[store.scheme]
    for files in (2, 20):
        log = requests_of_a_run(store, params, files=files)
        images = [target for _, target in log if ".jpg" in target]
        assert len(images) == len(set(images)) == 40
        assert len(log) <= 40 + per_shard * 2 * files + once
        store.proxy.plan()
        assert create(store, params, files=files) == 0
        assert len(store.proxy.log) <= unchanged


def test_images_are_read_many_at_a_time(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path, [f"{index:03}.jpg,3,1 2" for index in range(3 * READ_AHEAD)])
    store.proxy.plan(HttpFault(r"\.jpg", "slow", times=READ_AHEAD))
    assert create(store, params) == 0
    # A busy machine may not begin all of them within the second that each takes.
    assert store.proxy.most_at_once(r"\.jpg") >= READ_AHEAD // 2


def test_a_block_of_a_csv_is_read_by_one_request(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    padding = [f"a.jpg,1,1 2,{'x' * 1000}" for _ in range(3 * BLOCK_BYTES // 1020)]
    lines = [f"{HEADER},note", *(f"{row}," for row in ROWS), *padding]
    store.put("data/train.csv", "".join(f"{line}\n" for line in lines).encode())
    paths = [path for method, path in requests_of_a_run(store, params) if method == "GET" and "train.csv" in path]
    reads = [path for path in paths if "prefix=" not in path]
    assert len(reads) == 2 + 3  # the header, whether there is a row, and three blocks


def test_a_folder_is_listed_by_the_thousand(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: store.put(f"data/{index:05}.jpg", b""), range(1100)))
    store.proxy.plan()
    assert len(list(list_folder(store.path("data")))) == 1100
    # The emulator of Google's store gives all at once.
    assert len(store.proxy.log) == {"gs": 1, "s3": 2}[store.scheme]


def test_an_image_whose_content_has_changed_is_found_by_its_checksum(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params, "--checksum") == 0
    before = store.tree("out")
    store.put("data/train_images/a.jpg", store.get("data/train_images/b.jpg"))
    store.proxy.plan()
    assert create(store, params, "--checksum") == 0
    changed = {name for name, content in store.tree("out").items() if before[name] != content and ".h5" in name}
    assert len(changed) == 1
    assert_whole(store.tree("out"))


def flip(store: Store, name: str) -> None:
    """Changes a bit in the middle of an object."""
    content = bytearray(store.get(name))
    content[len(content) // 2] ^= 4
    store.put(name, bytes(content))


def test_what_is_damaged_in_a_store_is_written_again_with_verify(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params) == 0
    before = store.tree("out")
    for name in ("train_input/preprocessed_data-1_p0.h5", "meta_eval_input.dat"):
        flip(store, f"out/{name}")
    assert main(["verify", store.path("out")]) == 4
    capsys.readouterr()
    assert create(store, params, "--verify", "--no_lock") == 0
    assert capsys.readouterr().err.count("its content has changed; it is written again") == 2
    assert store.tree("out") == before
    assert main(["verify", store.path("out"), "--quiet"]) == 0


def test_a_damaged_shard_of_a_failed_run_in_a_store_is_written_again_with_verify(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = put_dataset(store, tmp_path)
    store.delete("data/train_images/h.jpg")
    assert create(store, params) == 3
    staged = next(name for name in store.names("out") if name.endswith(".h5"))
    flip(store, f"out/{staged}")
    assert create(store, params, "--max_rejected=1", "--verify") == 0
    assert f"{store.path(f'out/{staged}')}: its content has changed; it is written again" in capsys.readouterr().err
    assert_whole(store.tree("out"))
    assert main(["verify", store.path("out"), "--quiet"]) == 0


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
