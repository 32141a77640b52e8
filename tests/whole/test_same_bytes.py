"""The same bytes, whatever the number of workers, the blocks of the CSV and the look-ahead are."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from tests.support.builders import write_dataset, write_params
from tests.support.command import digest, run_maskmill, tree, write_tree
from tests.support.spies import count_calls

# Images in no order, every fifth of class 4; the last 30 rows say more of the first 30 images.
ROWS = [f"{index * 37 % 60:02}.jpg,{3 + index % 5 // 4},{1 + index} 2" for index in range(90)]
# Relative paths, so that what the files say of paths is the same everywhere.
COMMAND = ["create", "--params=params.yaml", "--output_dir=out", "--num_output_files=6", "--num_processes=2", "--quiet"]
SINK = "maskmill.transforms.sink"
# Each layout of shards with one of the assignments.
SETTINGS = {"position": {"assignment": "position"}, "hash": {"assignment": "hash", "layout": "arrays"}}

# Through the fixture of that name: else pytest would keep what it has made for the other assignment.
by_position = pytest.mark.parametrize("assignment", ["position"], indirect=True, scope="module")
by_hash = pytest.mark.parametrize("assignment", ["hash"], indirect=True, scope="module")


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
    write_params(folder / "params.yaml", data, maskmill=SETTINGS[assignment])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*COMMAND, "--workers=1"]) == 0
    return tree(folder / "out")


@pytest.fixture(autouse=True)
def enter_folder(tmp_path: Path, data: Path, assignment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params(tmp_path / "params.yaml", data, maskmill=SETTINGS[assignment])
    monkeypatch.chdir(tmp_path)


def test_another_process_and_another_time(usual: dict[str, bytes]) -> None:
    assert sum(name.endswith(".h5") for name in usual) == 2 * 6
    run_maskmill(*COMMAND, "--workers=1", cwd=Path.cwd())
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("workers", [2, 8])
def test_threads(usual: dict[str, bytes], workers: int) -> None:
    assert main([*COMMAND, f"--workers={workers}"]) == 0
    assert tree(Path("out")) == usual


@pytest.mark.parametrize("workers", [2, 8])
def test_processes(usual: dict[str, bytes], workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskmill.pipeline.create.make_dataset.PROCESSES_FROM_CSV_BYTES", 0)
    monkeypatch.setattr("maskmill.pipeline.create.make_dataset.SHARDS_A_PROCESS", 1)
    written_elsewhere = count_calls(monkeypatch, f"{SINK}.write_shards.write_in_other_process")
    assert main([*COMMAND, f"--workers={workers}"]) == 0
    assert tree(Path("out")) == usual
    assert len(written_elsewhere) == 2 * 6


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_workers_of_beam(usual: dict[str, bytes], mode: str) -> None:
    run_maskmill(*COMMAND, f"--direct_running_mode={mode}", "--direct_num_workers=2", cwd=Path.cwd())
    assert tree(Path("out")) == usual


@pytest.mark.parametrize(("block_bytes", "blocks"), [(100, 13), (600, 3), (10**9, 1)])
def test_blocks_of_the_csv(
    usual: dict[str, bytes], data: Path, block_bytes: int, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskmill.transforms.annotations.read_annotations.BLOCK_BYTES", block_bytes)
    read = count_calls(monkeypatch, "maskmill.transforms.annotations.read_annotations.read_block")
    assert main(COMMAND) == 0
    assert tree(Path("out")) == usual
    assert len(read) == blocks
    content = (data / "train.csv").read_bytes()
    assert b"".join(sorted(read, key=content.index)) == content


@by_position  # it decides which examples a shard has, and not how they are written
@pytest.mark.parametrize("window", [1, 4, 64])
@pytest.mark.parametrize("group", [1, 3])
def test_look_ahead(usual: dict[str, bytes], window: int, group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = count_calls(monkeypatch, f"{SINK}.write_in_parallel.window_for", lambda *_: window)
    groups = count_calls(monkeypatch, f"{SINK}.write_in_parallel.group_for", lambda *_: group)
    assert main(COMMAND) == 0
    assert tree(Path("out")) == usual
    assert (len(windows), len(groups)) == (12, 12)


@by_position
@pytest.mark.parametrize("shards", [1, 5])
def test_shards_under_way(usual: dict[str, bytes], shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{SINK}.write_shards.SHARDS_AT_A_TIME", shards)
    pools = count_calls(monkeypatch, f"{SINK}.write_shards.shared_pool")
    assert main(COMMAND) == 0
    assert tree(Path("out")) == usual
    assert {pool._max_workers for pool in pools} == {shards}


@by_hash
def test_rows_in_any_order_under_hash(usual: dict[str, bytes], data: Path) -> None:
    shuffled = Path("shuffled")
    shuffled.mkdir()
    (shuffled / "train_images").symlink_to(data / "train_images")
    header, *rows = (data / "train.csv").read_text().splitlines()
    random.Random(7).shuffle(rows)
    (shuffled / "train.csv").write_text("\n".join([header, *rows, ""]))
    write_params(Path("params.yaml"), shuffled, maskmill=SETTINGS["hash"])
    assert main(COMMAND) == 0
    write_tree(Path("usual"), usual)
    assert digest(Path("out")) == digest(Path("usual"))
