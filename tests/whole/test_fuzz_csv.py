"""Damaged and odd CSV files, made at random, give rows or a clear word; `make torture` reads them for half an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fuzz_csv import create_dataset, fuzz, make_input, numbers_for

INPUTS = 150


@pytest.mark.parametrize("seed", [1, 2])
def test_any_file_gives_rows_or_a_clear_word(tmp_path: Path, seed: int) -> None:
    found = fuzz(tmp_path, seed, iter(range(INPUTS)), create_every=INPUTS // 3)
    assert found["read"] + found["refused"] == INPUTS
    # The inputs are neither all sound nor all broken.
    assert min(found["read"], found["refused"], found["rows"]) > INPUTS // 10
    assert sum(count for name, count in found.items() if name.startswith("create")) == 3


def test_an_input_is_made_by_its_seed_and_number() -> None:
    assert make_input(1, 2) == make_input(1, 2) != make_input(1, 3)


def test_a_reader_that_fails_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a fault")

    monkeypatch.setattr("tests.support.fuzz_csv.inspect_csv", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyError, match="a fault"):
        fuzz(tmp_path, 1, numbers_for(10))
    assert f"seed 1, input 0: {tmp_path / 'fuzz-1-0.csv'}" in capsys.readouterr().err
    assert (tmp_path / "fuzz-1-0.csv").read_bytes() == make_input(1, 0).csv


def test_a_dataset_that_ends_in_a_traceback_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        print("Traceback (most recent call last)")
        return 1

    (tmp_path / "data").mkdir()
    monkeypatch.setattr("tests.support.fuzz_csv.maskmill", fail)
    with pytest.raises(AssertionError, match="Traceback"):
        create_dataset(make_input(1, 0), tmp_path)
