"""Keys that change what an example is, or how it is stored, hold together: made, checked, read, drawn, kept."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskmill import open_dataset, stitch, submission, verify
from maskmill.transforms.examples.mask_text import parse_runs
from maskmill.transforms.examples.rle import runs_to_mask
from tests.support.builders import HEIGHT, WIDTH, write_params
from tests.support.command import create, create_here, digest, manifest, run_here
from tests.support.keys_together import CROPS, FEW_CROPS, NARROW, ROWS, TOGETHER, changes, write_data


@pytest.fixture(name="data", scope="module")
def make_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", TOGETHER)
def test_a_dataset_is_made_checked_read_drawn_and_kept(data: Path, tmp_path: Path, name: str) -> None:
    ours, shape = TOGETHER[name]
    output = create(tmp_path, data, "--num_output_files=2", **changes(data, name))
    assert verify(str(output)).problems == ()
    splits = manifest(output)["splits"]
    examples = {split: open_dataset(output, split) for split in splits}
    channels = 3 if ours.get("colour") == "rgb" else 1
    for split, of_split in examples.items():
        batch = of_split.read(range(len(of_split)))
        assert batch.images.shape == (len(of_split), channels, *shape[:2])
        assert batch.image_ids == of_split.image_ids
        assert (batch.labels is None) == ("csv" in ours)
        assert len(of_split) == splits[split]["examples"]
        assert of_split.areas.sum() == (0 if batch.labels is None else batch.labels.sum())
        np.testing.assert_array_equal(of_split.image_hashes, of_split[np.arange(len(of_split))].image_hashes)
    together = open_dataset(output, list(splits))
    assert together.image_ids == [image_id for of_split in examples.values() for image_id in of_split.image_ids]
    assert np.array_equal(together[len(together) - 1].image, list(filter(len, examples.values()))[-1][-1].image)
    images = set(together.image_ids)
    assert len(images) == (11 if "duplicates" in ours else 12)
    filled = next(split for split, of_split in examples.items() if len(of_split))
    run_here("report", output, "--output", tmp_path / "report.html")
    run_here("show", output, "--split", filled, "--output", tmp_path / "one.png")
    before = digest_of_shards(output)
    said = create_here(tmp_path / "params.yaml", output, "--num_output_files=2")
    assert "nothing to do" in said.out + said.err
    assert digest_of_shards(output) == before


def digest_of_shards(output: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(output)): path.read_bytes() for path in output.glob("*/*.h5")}
    assert found
    return found


@pytest.mark.parametrize("layout", ["groups", "arrays"])
@pytest.mark.parametrize("ours", [{"crops": CROPS}, {"crops": FEW_CROPS}, {"crops": {**CROPS, "stride": [16, 5]}}])
def test_labels_of_crops_become_the_masks_of_the_csv(
    data: Path, tmp_path: Path, ours: dict[str, Any], layout: str
) -> None:
    keys = {**ours, "layout": layout}
    output = create(tmp_path, data, image_shape=NARROW, train_test_split=1.0, maskmill=keys)
    dataset = open_dataset(output)
    text = submission(dataset, (example.label for example in dataset))
    assert text is not None
    rows = list(csv.DictReader(io.StringIO(text)))
    found = {row["ImageId"]: runs_to_mask(parse_runs(row["EncodedPixels"]), HEIGHT, WIDTH) for row in rows}
    wanted = {row.split(",")[0]: runs_to_mask(parse_runs(row.split(",")[2]), HEIGHT, WIDTH) for row in ROWS}
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def test_predictions_for_crops_without_labels_are_put_together(data: Path, tmp_path: Path) -> None:
    ours = {"crops": {**CROPS, "stride": [16, 4]}, "csv": None}
    output = create(tmp_path, data, image_shape=NARROW, maskmill=ours)
    dataset = open_dataset(output, "eval_input")
    assert len(dataset) == 12 * 5
    whole = open_dataset(create(tmp_path, data, output="whole", maskmill={"csv": None}), "eval_input")
    images = {image_id: image for image, _, image_id in whole}
    for image_id, grey in stitch(dataset, (example.image.astype(np.float32) for example in dataset)):
        np.testing.assert_allclose(grey, images[image_id], atol=1e-3)


def test_the_same_bytes_with_threads_and_processes(data: Path, tmp_path: Path) -> None:
    keys = changes(data, "crops in colour, in arrays")
    flags = ("--num_output_files=2",)
    one = create(tmp_path, data, *flags, "--workers=1", output="one", **keys)
    more = create(tmp_path, data, *flags, "--workers=4", output="more", **keys)
    processes = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    many = create(tmp_path, data, *flags, *processes, output="many", **keys)
    assert digest(one) == digest(more) == digest(many)


def test_a_preview_frames_the_crops_of_an_image_without_a_label(data: Path, tmp_path: Path) -> None:
    ours = {"crops": {**FEW_CROPS, "size": [8, 8], "stride": [8, 8]}, "csv": None}
    params = write_params(tmp_path / "params.yaml", data, image_shape=[8, 8, 1], maskmill=ours)
    said = run_here("preview", "--params", params, "--output", tmp_path / "crops.png").out
    assert "  6 crops of 8 x 8, framed; all become examples\n" in said
    picture = np.array(Image.open(tmp_path / "crops.png"))
    yellow = (picture == (255, 210, 0)).all(axis=2)
    assert yellow[[0, 7, 8, 15]].all()
    assert yellow[:, [0, 7, 8, 15, 16, 23]].all()
    assert not yellow[3, 3]
