"""`transform=`: a program's own PTransform on the selected examples, from the call to the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

import maskmill
from maskmill import open_dataset
from maskmill.transforms import SelectedExample
from tests.support.builders import params_of, write_dataset, write_params
from tests.support.command import create_here, digest, manifest

ROWS = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdefgh", start=1)]


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", [*ROWS, "b.jpg,3,20 2"])


class Without(beam.PTransform):
    """Drops some images."""

    def __init__(self, names: str) -> None:
        super().__init__()
        self.names = names

    def expand(self, examples: Any) -> Any:
        return examples | beam.Filter(lambda one: one.spec.image_id[0] not in self.names)


def names(output: Path) -> list[str]:
    return [example.image_id for split in ("train_input", "eval_input") for example in open_dataset(output, split)]


@pytest.mark.parametrize(
    "options", [[], ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]], ids=["here", "processes"]
)
def test_dropped_examples_are_in_no_shard_and_their_rows_are_counted(
    tmp_path: Path, data: Path, options: list[str]
) -> None:
    keywords: dict[str, Any] = {"params": params_of(data), "num_output_files": 2, "beam_options": options}
    result = maskmill.create(output_dir=tmp_path / "out", transform=Without("bd"), **keywords)
    assert names(tmp_path / "out") == [f"{name}.jpg" for name in "acefgh"]
    assert (result.rows.read, result.rows.in_examples) == (9, 6)
    assert result.rows.filtered["dropped by the transform"] == 3
    assert "3 filtered: dropped by the transform" in str(result)
    assert maskmill.verify(tmp_path / "out").problems == ()
    write_dataset(tmp_path / "less", [row for row in ROWS if row[0] not in "bd"])
    for path in (tmp_path / "less" / "train_images").iterdir():
        path.write_bytes((data / "train_images" / path.name).read_bytes())
    maskmill.create(params_of(tmp_path / "less"), tmp_path / "plain", num_output_files=2)
    assert digest(tmp_path / "out") == digest(tmp_path / "plain")


def test_a_run_with_a_transform_looks_again_and_keeps_what_has_not_changed(tmp_path: Path, data: Path) -> None:
    keywords: dict[str, Any] = {"params": params_of(data, maskmill={"assignment": "hash"}), "num_output_files": 2}
    output = tmp_path / "out"
    plain = maskmill.create(output_dir=output, **keywords)
    without = manifest(output)["input"]
    maskmill.create(output_dir=output, transform=Without("b"), **keywords)
    assert manifest(output)["input"] != without
    again = maskmill.create(output_dir=output, transform=Without("b"), **keywords)
    assert not again.published
    plan = maskmill.plan(output_dir=output, transform=Without("bd"), **keywords)
    assert plan.rows.filtered["dropped by the transform"] == 3
    other = maskmill.create(output_dir=output, transform=Without("bd"), **keywords)
    assert other.published
    assert {name: split.shards["write"] for name, split in plan.splits.items()} == {
        name: split.shards["written"] for name, split in other.splits.items()
    }
    assert sum(split.shards["kept"] for split in other.splits.values()) >= 3
    back = maskmill.create(output_dir=output, **keywords)
    assert (back.published, back.examples) == (True, plain.examples)
    assert manifest(output)["input"] == without


def in_groups(one: SelectedExample) -> SelectedExample:
    return one._replace(spec=one.spec._replace(group="left" if one.spec.image_id < "e" else "right"))


def test_a_transform_may_set_the_groups_that_keep_images_together(tmp_path: Path, data: Path) -> None:
    params = params_of(data, maskmill={"assignment": "hash", "splits": {"a_input": 0.5, "b_input": 0.5}, "salt": "x"})
    params |= dict.fromkeys(("a_input", "b_input"), params["train_input"])
    del params["train_input"], params["eval_input"]
    maskmill.create(params, tmp_path / "out", num_output_files=1, transform=beam.Map(in_groups))
    for split in ("a_input", "b_input"):
        found = {example.image_id[0] for example in open_dataset(tmp_path / "out", split)}
        assert not found & set("abcd") or not found & set("efgh")
        assert len(found) in (0, 4, 8)


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        (beam.Filter(lambda _: False), "train_input: no example is left after the transform"),
        (beam.FlatMap(lambda one: [one, one]), "the transform gives the example twice"),
        (beam.Map(lambda one: one.spec.image_id), "the transform gives str, not SelectedExample"),
        (beam.Map(lambda _: 1 / 0), "division by zero"),
    ],
)
def test_what_a_transform_does_wrong_fails_the_run_in_a_line(
    tmp_path: Path, data: Path, transform: beam.PTransform, words: str
) -> None:
    with pytest.raises(maskmill.MaskmillError) as caught:
        maskmill.create(params_of(data), tmp_path / "out", transform=transform)
    assert words in str(caught.value).splitlines()[0]
    assert "Traceback" not in str(caught.value)
    assert not (tmp_path / "out" / "manifest.json").exists()


class Both(beam.PTransform):
    def expand(self, examples: Any) -> Any:
        return examples, examples


def test_a_transform_that_gives_no_collection_is_refused(tmp_path: Path, data: Path) -> None:
    for function in (maskmill.create, maskmill.plan):
        with pytest.raises(maskmill.UsageError, match="transform: the transform gives tuple, not a PCollection"):
            function(params_of(data), tmp_path / "out", transform=Both())


def test_the_command_replaces_a_dataset_that_a_transform_has_made(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    maskmill.create(params, tmp_path / "out", num_output_files=1, transform=Without("a"))
    said = create_here(params, tmp_path / "out", "--num_output_files=1")
    assert "9 of them in examples" in said.out
