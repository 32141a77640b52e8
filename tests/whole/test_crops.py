"""A dataset of crops: made, read, checked, planned, made again, and put together."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import apache_beam as beam
import h5py
import numpy as np
import pytest
from apache_beam.testing.util import assert_that

from maskmill import open_dataset, plan, stitch
from maskmill.example_list import read_example_list
from maskmill.pipeline.job.example_format import example_format
from maskmill.transforms.examples.crops import CropFormat, kept_crops
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.mask_text import parse_runs
from maskmill.transforms.examples.resize import resize_bicubic
from maskmill.transforms.examples.rle import runs_to_mask
from maskmill.transforms.shards.check_shard import Sums, arrays_of, check_shard
from maskmill.transforms.sink.decode_examples import DecodeExamples
from tests.support.builders import (
    HEIGHT,
    WIDTH,
    grey_pixels,
    image_bytes,
    in_process,
    params_of,
    write_dataset,
    write_params,
)
from tests.support.command import create, create_here, digest, manifest, run_here, tree
from tests.support.report_pages import page_of
from tests.support.shards import spec_of

CROPS: dict[str, Any] = {"size": [8, 8], "stride": [8, 5], "source": [HEIGHT, WIDTH], "empty": 0.4}
FORM = CropFormat((8, 8), (8, 5), "shift", 0.4, (HEIGHT, WIDTH), "salt")
# Of these images 0 has two rows, and 9 none.
RUNS = {f"{number}.jpg": f"{1 + 40 * number} 23" for number in range(9)}
ROWS = ["0.jpg,3,380 2", *(f"{name},3,{runs}" for name, runs in RUNS.items())]
OURS = {"negatives": "all", "salt": "salt", "crops": CROPS}
SPLITS = ("train_input", "eval_input")


@pytest.fixture(name="data", scope="module")
def make_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = write_dataset(tmp_path_factory.mktemp("data"), ROWS)
    (data / "train_images" / "9.jpg").write_bytes(image_bytes(grey_pixels(99)))
    return data


@pytest.fixture(name="output", scope="module")
def make_output(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    folder = tmp_path_factory.mktemp("crops")
    return create(folder, data, "--num_output_files=3", **form(OURS))


def form(ours: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Changes of a parameter file for crops."""
    return {"image_shape": [8, 8, 1], "maskmill": ours, **changes}


def whole_mask(name: str) -> np.ndarray:
    texts = [row.rpartition(",")[2] for row in ROWS if row.startswith(f"{name},")]
    masks = [runs_to_mask(parse_runs(text), HEIGHT, WIDTH) for text in texts]
    return np.any([np.zeros((HEIGHT, WIDTH), bool), *masks], axis=0)


def kept(name: str, crops: CropFormat = FORM) -> list[tuple[int, int]]:
    """The crops of an image that are expected."""
    spec = spec_of(name, runs="1 1")
    texts = [row.rpartition(",")[2] for row in ROWS if row.startswith(f"{name},")]
    rows = tuple(row for text in texts for row in spec_of(name, runs=text).rows)
    return [(crop.top, crop.left) for crop in kept_crops(spec._replace(rows=rows), crops)]


def test_each_example_is_a_crop_of_its_image_and_of_its_mask(data: Path, output: Path) -> None:
    found: dict[str, list[tuple[int, int]]] = {}
    for split in SPLITS:
        examples = open_dataset(output, split)
        for example in examples:
            assert example.crop is not None
            top, left = example.crop
            found.setdefault(example.image_id, []).append((top, left))
            pixels = decode_grey((data / "train_images" / example.image_id).read_bytes())
            box = slice(top, top + 8), slice(left, left + 8)
            assert np.array_equal(example.image[0], pixels[box])
            assert np.array_equal(example.label[0], whole_mask(example.image_id)[box])
    names = [*RUNS, "9.jpg"]
    assert found == {name: kept(name) for name in names if kept(name)}
    assert 0 < sum(len(crops) for crops in found.values()) < 10 * 10


def test_crops_of_an_image_are_in_one_shard_and_neighbours(output: Path) -> None:
    listed = list(read_example_list((output / "examples.csv").read_bytes()))
    by_image: dict[str, set[str]] = {}
    for one in listed:
        by_image.setdefault(one.image_id, set()).add(one.shard)
    assert {len(shards) for shards in by_image.values()} == {1}
    for split in SPLITS:
        examples = open_dataset(output, split)
        of_split = [one for one in listed if one.shard.startswith(split)]
        assert [(one.image_id, one.crop) for one in examples] == [(one.image_id, one.crop) for one in of_split]
        firsts = [name for name, _ in itertools.groupby(examples.image_ids)]
        assert len(firsts) == len(set(firsts))
        assert examples.of_crops


def test_the_dataset_is_whole_and_tells_images_and_crops(output: Path) -> None:
    assert "is whole" in run_here("verify", output).out
    written, params = manifest(output), json.loads((output / "data_params.json").read_text())
    for split in SPLITS:
        entry, examples = written["splits"][split], open_dataset(output, split)
        assert entry["examples"] == len(examples) == params[f"{split}_hdf"]["total_written"]
        assert entry["images"] == len(set(examples.image_ids)) == params[f"{split}_hdf"]["n_docs"]
        with_defect = sum(bool(example.label.any()) for example in examples)
        assert (entry["classes"], entry["negatives"]) == ({"3": with_defect}, len(examples) - with_defect)
    rows = written["rows"]
    assert rows["read"] == len(ROWS) == rows["in_examples"]
    tables = {one["name"]: one for one in json.loads((output / "croissant.json").read_text())["recordSet"]}
    columns = [field["source"]["extract"]["column"] for field in tables["examples"]["field"]]
    assert columns == ["image_id", "shard", "shard", "example", "top", "left"]


def test_a_plan_says_what_is_then_made(data: Path, output: Path, tmp_path: Path) -> None:
    params = params_of(data, **form(OURS))
    planned = plan(params, tmp_path / "out", num_output_files=3)
    written = manifest(output)["splits"]
    for split in SPLITS:
        facts = planned.splits[split]
        for key in ("examples", "images", "classes", "negatives"):
            assert getattr(facts, key) == written[split][key], key
        line = f"{split}: {facts.examples} crops of {facts.images} images in 3 shards"
        assert line in str(planned)
    said = create_here(write_params(tmp_path / "p.yaml", data, **form(OURS)), tmp_path / "out", "--num_output_files=3")
    assert f"train_input: {written['train_input']['examples']} crops of " in said.out


@pytest.mark.parametrize(
    "flags", [["--workers=1"], ["--direct_running_mode=multi_processing", "--direct_num_workers=2"], ["--checksum"]]
)
def test_the_bytes_are_the_same_however_they_are_made(
    data: Path, output: Path, tmp_path: Path, flags: list[str]
) -> None:
    other = create(tmp_path, data, "--num_output_files=3", *flags, **form(OURS))
    assert digest(other) == digest(output)


def test_shards_are_kept_reused_and_resumed(data: Path, output: Path, tmp_path: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data, **form(OURS))
    first = create_here(params, tmp_path / "out", "--num_output_files=3", f"--reuse={output}")
    assert "copied from an earlier dataset" in first.out
    before = tree(tmp_path / "out")
    again = create_here(params, tmp_path / "out", "--num_output_files=3")
    assert "nothing to do" in again.out
    assert tree(tmp_path / "out") == before
    assert digest(tmp_path / "out") == digest(output)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"stride": [8, 8]}, "crops.stride changed"),
        ({"edge": "pad"}, "crops.edge changed"),
        ({"empty": "none"}, "crops.empty changed"),
    ],
)
def test_another_way_to_cut_writes_shards_again_and_says_why(
    data: Path, output: Path, tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    create(tmp_path, data, "--num_output_files=1", **form(OURS))
    params = write_params(tmp_path / "other.yaml", data, **form({**OURS, "crops": {**CROPS, **changed}}))
    said = create_here(params, tmp_path / "out", "--num_output_files=1")
    assert f"1 shard written ({reason})" in said.out
    assert "is whole" in run_here("verify", tmp_path / "out").out


def test_a_difference_is_told_by_crop(data: Path, tmp_path: Path) -> None:
    create(tmp_path, data, output="old", **form(OURS))
    create(tmp_path, data, output="new", **form({**OURS, "crops": {**CROPS, "empty": "none"}}))
    said = run_here("diff", tmp_path / "old", tmp_path / "new", status=1)
    names = [*RUNS, "9.jpg"]
    removed = sum(len(kept(name)) - len(kept(name, FORM._replace(empty=0.0))) for name in names)
    assert re.search(rf"\b{removed} examples? removed|{removed} removed", said.out), said.out


def test_images_without_a_wanted_crop_are_filtered(data: Path, tmp_path: Path) -> None:
    listed = write_dataset(tmp_path / "listed", [*ROWS, "8.jpg,3,-1", "10.jpg,3,-1", "11.jpg,3,-1"])
    ours = {**OURS, "negatives": "as_listed", "crops": {**CROPS, "empty": "none"}}
    output = create(tmp_path, listed, "--max_rejected=1", **form(ours))
    rows = manifest(output)["rows"]
    assert rows["filtered"]["of an image with empty crops only, none of which is wanted"] == 2
    assert rows["read"] == rows["in_examples"] + sum(rows["filtered"].values()) + rows["rejected"]
    names = [one.image_id for split in SPLITS for one in open_dataset(output, split)]
    assert not {"10.jpg", "11.jpg"} & set(names)
    assert "is whole" in run_here("verify", output).out


def test_an_image_of_another_size_is_rejected_and_the_others_stay(data: Path, tmp_path: Path) -> None:
    bad = write_dataset(tmp_path / "bad", ROWS)
    (bad / "train_images" / "3.jpg").write_bytes(image_bytes(grey_pixels(3, WIDTH, HEIGHT)))
    # Its run ends past the size that is expected, and its crops are all unwanted: it is not left out in silence.
    with (bad / "train.csv").open("a") as file:
        file.write("z.jpg,3,385 2\n")
    (bad / "train_images" / "z.jpg").write_bytes(image_bytes(grey_pixels(4, HEIGHT, WIDTH + 1)))
    ours = {**OURS, "negatives": "as_listed", "crops": {**CROPS, "empty": "none"}}
    params = write_params(tmp_path / "params.yaml", bad, **form(ours))
    said = create_here(params, tmp_path / "out", "--max_rejected=1", status=3)
    assert "3.jpg: the image has 24 x 16 pixels, and maskmill.crops.source says 16 x 24" in said.err
    assert "(IMAGE_OTHER_SIZE)" in said.err
    create_here(params, tmp_path / "out", "--max_rejected=2")
    written = manifest(tmp_path / "out")
    assert written["rejected"] == {"IMAGE_OTHER_SIZE": 2}
    assert written["rows"]["rejected"] == 2
    assert "is whole" in run_here("verify", tmp_path / "out").out
    names = {one.image_id for split in SPLITS for one in open_dataset(tmp_path / "out", split)}
    assert names == RUNS.keys() - {"3.jpg"}


@pytest.mark.parametrize("assignment", ["position", "hash", "stratified"])
def test_the_assignment_counts_images(data: Path, tmp_path: Path, assignment: str) -> None:
    output = create(tmp_path, data, **form({**OURS, "assignment": assignment, "crops": {**CROPS, "empty": "all"}}))
    whole = create(tmp_path, data, output="whole", maskmill={**OURS, "assignment": assignment, "crops": None})
    for split in SPLITS:
        images = dict.fromkeys(open_dataset(output, split).image_ids)
        assert set(images) == {one.image_id for one in open_dataset(whole, split)}
        assert len(open_dataset(output, split)) == 10 * len(images)


def test_the_size_of_a_shard_is_bounded_by_the_crops_of_its_images(data: Path, tmp_path: Path) -> None:
    ours = {**OURS, "max_shard_bytes": 20_000, "crops": {**CROPS, "empty": "all"}}
    written = manifest(create(tmp_path, data, "--num_output_files=1", **form(ours)))
    shards = [shard for split in written["splits"].values() for shard in split["shards"]]
    assert len(shards) > 2
    assert max(shard["bytes"] for shard in shards) <= 20_000


@pytest.mark.parametrize("edge", ["shift", "pad"])
def test_crops_are_stitched_to_the_images_that_they_were_cut_from(data: Path, tmp_path: Path, edge: str) -> None:
    output = create(tmp_path, data, **form({**OURS, "crops": {**CROPS, "edge": edge, "empty": "all"}}))
    for split in SPLITS:
        examples = open_dataset(output, split)
        labels = list(stitch(examples, (example.label for example in examples)))
        images = list(stitch(examples, (batch.images for batch in examples.batches(4))))
        assert [one.image_id for one in labels] == list(dict.fromkeys(examples.image_ids))
        for label, image in zip(labels, images, strict=True):
            assert np.array_equal(label.prediction, whole_mask(label.image_id)[np.newaxis])
            pixels = decode_grey((data / "train_images" / image.image_id).read_bytes())
            assert np.array_equal(image.prediction, pixels[np.newaxis])


def test_crops_that_would_be_tiled_are_refused(data: Path, tmp_path: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data, **form(OURS, max_image_shape=[4, 8]))
    said = create_here(params, tmp_path / "out", status=2)
    assert "maskmill.crops: train_input.image_shape is above its max_image_shape, 4 x 8" in said.err
    assert "set train_input.max_image_shape: [8, 8]" in said.err


def test_a_preview_frames_the_crops_that_become_examples(data: Path, tmp_path: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data, **form(OURS))
    said = run_here("preview", "--params", params, "--output", tmp_path / "p.png", "--image=1.jpg")
    spec = spec_of("1.jpg", runs=RUNS["1.jpg"])
    with_defect = len(kept_crops(spec, FORM._replace(empty=0.0)))
    empty = len(kept_crops(spec, FORM)) - with_defect
    assert (
        f"10 crops of 8 x 8: {with_defect} with a defect and {10 - with_defect} without, of which {empty} " in said.out
    )
    other = {**OURS, "crops": {**CROPS, "source": [HEIGHT, WIDTH + 1]}}
    params = write_params(tmp_path / "params.yaml", data, **form(other))
    said = run_here("preview", "--params", params, "--output", tmp_path / "p.png", "--image=1.jpg", status=3)
    assert "(IMAGE_OTHER_SIZE)" in said.err


def write_smooth_images(folder: Path, **seeds: int) -> Path:
    """A dataset of images that change slowly, so that neighbouring crops look the same; equal seeds, equal images."""
    data = write_dataset(folder, [f"{name}.png,3,1 2" for name in seeds])
    for name, seed in seeds.items():
        (data / "train_images" / f"{name}.png").write_bytes(
            image_bytes(resize_bicubic(grey_pixels(seed, 4, 13), 64, 200), mode="L", kind="PNG")
        )
    return data


def test_the_report_says_where_a_crop_is_and_compares_no_crops_of_one_image(tmp_path: Path) -> None:
    crops = {"size": [64, 128], "stride": [64, 2], "source": [64, 200]}
    shape = {"image_shape": [64, 128, 1], "train_test_split": 1.0, "maskmill": {"crops": crops}}
    output = create(tmp_path, write_smooth_images(tmp_path / "data", a=1, b=2), **shape)
    page = page_of(output, tmp_path)
    assert "No two examples look the same." in page.text
    assert f"{len(open_dataset(output))} crops of 64 × 128 pixels" in page.text
    assert len(page.captions) == 24
    assert all(re.search(r"crop at 0, \d+$", caption) for caption in page.captions)
    assert page.text.count('<svg class="where" viewBox="0 0 200 64"') == 24
    other = create(tmp_path, write_smooth_images(tmp_path / "copies", a=1, b=1), output="copies", **shape)
    words = re.search(r"(\d+) pairs of examples look the same", page_of(other, tmp_path).text)
    assert words is not None
    assert int(words[1]) >= len(open_dataset(other)) // 2


def test_a_shard_that_shows_other_crops_is_found(output: Path, tmp_path: Path) -> None:
    [shard, *_] = sorted(output.glob("train_input/*.h5"))
    copy = tmp_path / "copy.h5"
    copy.write_bytes(shard.read_bytes())
    params = json.loads((output / "data_params.json").read_text())
    split_form = example_format(params, "train_input")
    [entry] = [one for one in manifest(output)["splits"]["train_input"]["shards"] if one["file"].endswith(shard.name)]
    totals = Sums(entry["areas"], entry["pixel_sums"], [entry["valid_pixels"]])
    assert check_shard(str(copy), entry["examples"], arrays_of(split_form), split_form, totals) == []
    with h5py.File(copy, "a") as file:
        shown = file.attrs["shown"]
        shown[1, 1] += 1
        file.attrs["shown"] = shown
    [problem] = check_shard(str(copy), entry["examples"], arrays_of(split_form), split_form, totals)
    assert re.fullmatch(r"example_1: shows \[\d+, \d+, 8, 8\], which is not one of maskmill\.crops", problem)


def test_an_example_is_shown_with_its_place(output: Path, tmp_path: Path) -> None:
    said = run_here("show", output, "--index=1", "--output", tmp_path / "example.png")
    example = open_dataset(output)[1]
    assert example.crop is not None
    assert f"{example.image_id}, crop at {example.crop[0]}, {example.crop[1]}, with " in said.out


def test_a_transform_for_pipelines_gives_every_crop(data: Path, output: Path) -> None:
    form_of_split = example_format(json.loads((output / "data_params.json").read_text()), "train_input")
    specs = [spec_of(data / "train_images" / name, runs=runs) for name, runs in RUNS.items() if name != "0.jpg"]
    expected = [(name, crop) for name in RUNS for crop in kept(name) if name != "0.jpg"]

    def check(found: list[Any]) -> None:
        assert sorted(name for name, _ in found) == sorted(name for name, _ in expected)
        pixels = decode_grey((data / "train_images" / "1.jpg").read_bytes())
        parts = {pixels[top : top + 8, left : left + 8].tobytes() for name, (top, left) in expected if name == "1.jpg"}
        assert {example.image[0].tobytes() for name, example in found if name == "1.jpg"} == parts

    with in_process() as pipeline:
        decoded = pipeline | beam.Create(specs) | DecodeExamples(form=form_of_split)
        assert_that(decoded.examples, check)


def test_crops_in_colour_and_in_folds(data: Path, tmp_path: Path) -> None:
    ours = {**OURS, "colour": "rgb", "assignment": "hash", "folds": 3}
    output = create(tmp_path, data, maskmill=ours, image_shape=[8, 8, 1])
    assert "is whole" in run_here("verify", output).out
    examples = open_dataset(output, ["fold_0", "fold_1", "fold_2"])
    assert examples.image_shape == (3, 8, 8)
    found: dict[str, list[tuple[int, int] | None]] = {}
    for example in examples:
        found.setdefault(example.image_id, []).append(example.crop)
    assert found == {name: kept(name) for name in [*RUNS, "9.jpg"] if kept(name)}
    stitched = list(stitch(examples, (batch.labels for batch in examples.batches(5))))
    for one in stitched:
        assert one.prediction.sum() == whole_mask(one.image_id).sum()
    assert [one.image_id for one in stitched] == list(found)
