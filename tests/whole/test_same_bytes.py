"""The same bytes, however the work is done: whatever the workers, the blocks of the CSV and the look-ahead are."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from maskmill.transforms.sink import write_file as write_shard
from maskmill.transforms.sink import write_shards
from tests.support.builders import write_dataset, write_params
from tests.support.command import digest, run_maskmill, tree

ROWS = [f"{index * 37 % 60:02}.jpg,{3 + index % 5 // 4},{1 + index} 2" for index in range(90)]
# Relative, so that what the files say of paths is the same everywhere.
COMMAND = ["create", "--params=params.yaml", "--output_dir=out", "--num_output_files=6", "--num_processes=2", "--quiet"]


@pytest.fixture(name="data", scope="module")
def make_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("same") / "data", ROWS)


@pytest.fixture(name="assignment", scope="module", params=["position", "hash"])
def choose_assignment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="usual", scope="module")
def make_usual(tmp_path_factory: pytest.TempPathFactory, data: Path, assignment: str) -> dict[str, bytes]:
    """The dataset of one thread."""
    folder = tmp_path_factory.mktemp("usual")
    write_params(folder / "params.yaml", data, maskmill={"assignment": assignment})
    run_maskmill(*COMMAND, "--workers=1", cwd=folder)
    return tree(folder / "out")


@pytest.fixture(autouse=True)
def enter_folder(tmp_path: Path, data: Path, assignment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params(tmp_path / "params.yaml", data, maskmill={"assignment": assignment})
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_threads(usual: dict[str, bytes], workers: int) -> None:
    assert main([*COMMAND, f"--workers={workers}"]) == 0
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("shards_a_process", [1, 100], ids=["whole shards", "only decoding"])
def test_processes(
    usual: dict[str, bytes], workers: int, shards_a_process: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskmill.pipeline.create.make_dataset.PROCESSES_FROM_CSV_BYTES", 0)
    monkeypatch.setattr(write_shards, "SHARDS_A_PROCESS", shards_a_process)
    assert main([*COMMAND, f"--workers={workers}"]) == 0
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_workers_of_beam(usual: dict[str, bytes], mode: str) -> None:
    run_maskmill(*COMMAND, f"--direct_running_mode={mode}", "--direct_num_workers=2", cwd=Path.cwd())
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("block_bytes", [100, 1000, 10**9])
def test_blocks_of_the_csv(usual: dict[str, bytes], block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskmill.transforms.annotations.read_annotations.BLOCK_BYTES", block_bytes)
    assert main(COMMAND) == 0
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("window", [1, 4, 64])
@pytest.mark.parametrize("group", [1, 3])
def test_look_ahead(usual: dict[str, bytes], window: int, group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_shard, "window_for", lambda *_: window)
    monkeypatch.setattr(write_shard, "group_for", lambda *_: group)
    assert main(COMMAND) == 0
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("shards", [1, 5])
def test_shards_in_the_works(usual: dict[str, bytes], shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_shards, "SHARDS_AT_A_TIME", shards)
    assert main(COMMAND) == 0
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("assignment", ["hash"], indirect=False, scope="module")
def test_rows_in_any_order_under_hash(usual: dict[str, bytes], data: Path) -> None:
    shuffled = Path("shuffled")
    shuffled.mkdir()
    (shuffled / "train_images").symlink_to(data / "train_images")
    header, *rows = (data / "train.csv").read_text().splitlines()
    random.Random(7).shuffle(rows)
    (shuffled / "train.csv").write_text("\n".join([header, *rows, ""]))
    write_params(Path("params.yaml"), shuffled, maskmill={"assignment": "hash"})
    assert main(COMMAND) == 0
    Path("usual").mkdir()
    for name, content in usual.items():
        (Path("usual") / name).parent.mkdir(exist_ok=True)
        (Path("usual") / name).write_bytes(content)
    assert digest(Path("out")) == digest(Path("usual"))
