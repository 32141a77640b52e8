"""croissant.json of whole runs: what it says is what there is, and the library of the format reads it."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from maskmill.manifest import seal
from tests.support.builders import write_dataset
from tests.support.command import create, manifest, run_here, tree
from tests.support.keys_together import TOGETHER, changes, write_data
from tests.support.needs import needs_package

ROWS = [
    *("a.jpg,3,1 2", "b.jpg,4,9 1", "c.jpg,3,2 4", "c.jpg,4,30 2", "d.jpg,3,7 7", "e.jpg,4,1 1", "f.jpg,3,4 4"),
    *("g.jpg,3,1 9", "h.jpg,4,5 5"),
]
MULTI = {"loss": "multilabel_bce", "class_id": [3, 4], "num_classes": 3, "train_test_split": 0.75}


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def croissant(output: Path) -> dict[str, Any]:
    """Content of croissant.json."""
    return dict(json.loads((output / "croissant.json").read_text()))


def remove_description(output: Path) -> None:
    """Leaves the dataset as it was before there was a croissant.json."""
    (output / "croissant.json").unlink()
    content = manifest(output)
    del content["files"]["croissant.json"]
    (output / "manifest.json").write_bytes(seal(content))


def test_it_lists_each_file_that_the_manifest_lists_but_itself(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, "--num_output_files=2", **MULTI)
    listed = {one["name"]: one for one in croissant(output)["distribution"]}
    assert listed.keys() == tree(output).keys() - {"manifest.json", "croissant.json"}
    for name, content in tree(output).items():
        if name in listed:
            assert listed[name]["sha256"] == hashlib.sha256(content).hexdigest()
            assert listed[name]["contentSize"] == f"{len(content)} B"


def test_it_depends_on_the_input_alone(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, "--num_processes=2", "--workers=1", **MULTI)
    before = tree(output)
    assert create(tmp_path, data, "--num_processes=2", "--workers=3", "--overwrite", **MULTI) == output
    assert tree(output) == before


def test_its_name_is_that_of_the_files_wherever_they_are(tmp_path: Path, data: Path) -> None:
    first, second = (create(tmp_path, data, "--name=steel", output=name) for name in ("first", "second"))
    assert croissant(first)["name"] == croissant(second)["name"] == "steel"
    assert croissant(first)["recordSet"] == croissant(second)["recordSet"]


def test_a_new_licence_leaves_the_shards_as_they_are(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data)
    before = tree(output)
    create(tmp_path, data, maskmill={"licence": "CC-BY-4.0"})
    assert croissant(output)["license"] == "CC-BY-4.0"
    after = tree(output)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"manifest.json", "data_params.json", "croissant.json"}
    assert manifest(output)["fingerprint"] == json.loads(before["manifest.json"])["fingerprint"]
    run_here("verify", output)


def test_a_dataset_without_it_is_whole_and_gets_it_with_the_next_change(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data)
    remove_description(output)
    before = tree(output)
    run_here("verify", output)
    create(tmp_path, data)
    assert tree(output) == before
    create(tmp_path, data, batch_size=5)
    assert croissant(output)["distribution"]
    run_here("verify", output)


@pytest.mark.parametrize("damage", [b"{}", None])
def test_it_is_written_again_where_it_is_damaged(tmp_path: Path, data: Path, damage: bytes | None) -> None:
    output = create(tmp_path, data)
    path, before = output / "croissant.json", tree(output)
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    assert "croissant.json: " in run_here("verify", output, status=4).out
    create(tmp_path, data)
    assert tree(output) == before


@pytest.mark.libraries
@pytest.mark.parametrize(
    "changes",
    [
        {"maskmill": {"licence": "CC-BY-4.0"}},
        {"loss": "ssce", "class_id": [3, 4], "num_classes": 3, "maskmill": {"licence": "https://example.org/licence"}},
        {**MULTI, "train_test_split": 1.0, "eval_input": {"train_test_split": 0.75}},
    ],
)
def test_the_library_finds_it_valid_and_reads_every_record(
    tmp_path: Path, data: Path, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    needs_package("mlcroissant", "test-libraries")
    import mlcroissant

    output = create(tmp_path, data, "--num_output_files=2", "--name=a b", **changes)
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(str(output / "croissant.json"))
    assert dataset.metadata.name == "a b"
    assert dataset.metadata.license == ([changes["maskmill"]["licence"]] if "maskmill" in changes else None)
    assert {one.uuid for one in dataset.metadata.distribution} == {
        one["@id"] for one in croissant(output)["distribution"]
    }
    # What it recommends and the input does not tell.
    assert caplog.text.count("is recommended") == 3 + ("maskmill" not in changes)
    for one in croissant(output)["recordSet"]:
        if "data" in one:
            assert list(dataset.records(one["@id"])) == one["data"]
    with (output / "examples.csv").open(newline="") as file:
        lines = [
            (line["image_id"], line["shard"].split("/")[0], line["shard"], int(line["example"]))
            for line in csv.DictReader(file)
        ]
    names = [f"examples/{name}" for name in ("image_id", "split", "shard")]
    records = list(dataset.records("examples"))
    assert [(*(one[name].decode() for name in names), one["examples/index"]) for one in records] == lines


@pytest.mark.libraries
@pytest.mark.parametrize("name", TOGETHER)
def test_the_library_reads_every_record_whatever_an_example_is(tmp_path: Path, name: str) -> None:
    needs_package("mlcroissant", "test-libraries")
    import mlcroissant

    data = write_data(tmp_path / "data")
    output = create(tmp_path, data, "--num_output_files=2", **changes(data, name))
    dataset = mlcroissant.Dataset(str(output / "croissant.json"))
    tables = [one for one in croissant(output)["recordSet"] if "data" in one]
    assert {"splits", "arrays"} <= {one["@id"] for one in tables}
    for one in tables:
        assert list(dataset.records(one["@id"])) == one["data"]
    with (output / "examples.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(list(dataset.records("examples"))) == len(lines) > 0
