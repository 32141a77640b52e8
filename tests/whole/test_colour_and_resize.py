"""`colour` and `resize`: examples in RGB, and examples that keep the aspect of their image."""

from __future__ import annotations

import io
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from maskmill import open_dataset
from maskmill.runs import format_runs, mask_to_runs
from maskmill.views import valid_part
from tests.support.builders import write_params
from tests.support.command import create_here, digest, manifest, run_create, run_here, tree
from tests.support.datasets import edit_shard, reseal
from tests.support.spies import count_calls

# ImageId, (height, width) of the image: wide, high, of the example's aspect, and one of a single pixel.
IMAGES = {
    "a.jpg": (40, 100),
    "b.png": (90, 30),
    "c.jpg": (32, 48),
    "d.png": (1, 1),
    "e.jpg": (50, 51),
    "f.png": (17, 97),
}
SHAPE = [32, 48, 1]
WAYS: list[dict[str, Any]] = [
    {"colour": "rgb"},
    {"resize": "pad"},
    {"resize": "crop"},
    {"colour": "rgb", "resize": "pad"},
    {"colour": "rgb", "resize": "crop"},
]
every_way = pytest.mark.parametrize("ours", WAYS, ids=lambda ours: " ".join(ours.values()))


@pytest.fixture(name="data", scope="module")
def write_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in colours and in grey, each with a mask where it is bright."""
    folder = tmp_path_factory.mktemp("colours") / "data"
    (folder / "train_images").mkdir(parents=True)
    rows = ["ImageId,ClassId,EncodedPixels"]
    for seed, (name, (height, width)) in enumerate(IMAGES.items()):
        random = np.random.default_rng(seed)
        mask = np.kron(random.integers(0, 2, (3, 4)), np.ones((height, width)))[: 3 * height : 3, : 4 * width : 4]
        pixels = np.stack([mask * 200, mask * 90, random.integers(0, 50, mask.shape)], -1).astype(np.uint8)
        image = Image.fromarray(pixels)
        stream = io.BytesIO()
        (image.convert("L") if name == "e.jpg" else image).save(stream, "JPEG" if name.endswith("jpg") else "PNG")
        (folder / "train_images" / name).write_bytes(stream.getvalue())
        rows.append(f"{name},3,{format_runs(mask_to_runs(mask)) or -1}")
    (folder / "train.csv").write_text("\n".join([*rows, ""]))
    return folder


def write(folder: Path, data: Path, ours: dict[str, Any], **changes: Any) -> Path:
    split = {"train_test_split": 1.0, "image_shape": SHAPE, "eval_input": {"train_test_split": 0.7}}
    return write_params(folder / "params.yaml", data, **{**split, **changes}, maskmill=ours)


def create(folder: Path, data: Path, ours: dict[str, Any], *flags: str, **changes: Any) -> Path:
    create_here(write(folder, data, ours, **changes), folder / "out", "--num_output_files=2", "--quiet", *flags)
    return folder / "out"


@every_way
def test_examples_views_and_statistics_agree_and_the_dataset_is_whole(
    tmp_path: Path, data: Path, ours: dict[str, Any]
) -> None:
    out = create(tmp_path, data, ours)
    run_here("verify", out)
    examples = open_dataset(out, "train_input")
    channels = 3 if "colour" in ours else 1
    assert examples.image_shape == (channels, 32, 48)
    assert sorted(example.image_id for example in examples) == sorted(IMAGES)
    parts = []
    for example in examples:
        if "resize" in ours:
            assert example.view is not None
            assert example.view.image_size == IMAGES[example.image_id]
            assert valid_part(example.image, example.view).sum() == example.image.sum()
            assert valid_part(example.label, example.view).sum() == example.label.sum()
        else:
            assert example.view is None
        parts.append(valid_part(example.image, example.view).reshape(channels, -1))
        if example.image_id == "e.jpg":
            assert (example.image == example.image[0]).all()
    pixels = np.concatenate(parts, axis=1).astype(float)
    found = examples.statistics
    assert np.atleast_1d(found.mean) == pytest.approx(pixels.mean(axis=1))
    assert np.atleast_1d(found.std) == pytest.approx(pixels.std(axis=1))
    assert isinstance(found.mean, float) == (channels == 1)
    assert found.pixel_share[0] == examples.areas.sum() / pixels.shape[1]
    assert found.pos_weight[0] == (pixels.shape[1] - examples.areas.sum()) / examples.areas.sum()
    stated = manifest(out)["splits"]["train_input"]["statistics"]
    assert stated["mean"] == np.asarray(found.mean).tolist()
    assert stated["std"] == np.asarray(found.std).tolist()
    assert list(stated["pixel_share"].values()) == found.pixel_share.tolist()
    part = examples[[0, 3]].statistics
    assert np.atleast_1d(part.mean) == pytest.approx(np.concatenate([parts[0], parts[3]], axis=1).mean(axis=1))


@every_way
def test_the_same_bytes_in_threads_in_processes_on_beams_workers_and_without_the_kernel(
    tmp_path: Path, data: Path, ours: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    params = write(Path(), data, ours)

    def made(*flags: str) -> dict[str, bytes]:
        shutil.rmtree("out", ignore_errors=True)
        create_here(params, Path("out"), "--num_output_files=2", "--num_processes=2", "--quiet", *flags)
        return tree(Path("out"))

    usual = made("--workers=1")
    assert made("--workers=4") == usual
    code = (
        "import sys, maskmill.transforms.kernel as kernel; kernel.KERNEL = None; "
        "from maskmill.pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = ["create", "--params=params.yaml", "--output_dir=out", "--num_output_files=2", "--num_processes=2"]
    shutil.rmtree("out")
    subprocess.run([sys.executable, "-c", code, *command, "--workers=1", "--quiet"], check=True)
    assert tree(Path("out")) == usual
    shutil.rmtree("out")
    run_create(params, Path("out"), *command[3:], "--direct_running_mode=multi_processing")
    assert tree(Path("out")) == usual
    monkeypatch.setattr("maskmill.pipeline.create.make_dataset.PROCESSES_FROM_CSV_BYTES", 0)
    monkeypatch.setattr("maskmill.pipeline.create.make_dataset.SHARDS_A_PROCESS", 1)
    elsewhere = count_calls(monkeypatch, "maskmill.transforms.sink.write_shards.write_in_other_process")
    assert made("--workers=2") == usual
    assert elsewhere


def test_a_run_again_writes_nothing_and_another_value_writes_every_shard(tmp_path: Path, data: Path) -> None:
    out, flags = tmp_path / "out", ("--num_output_files=2", "--num_processes=2")
    params = write(tmp_path, data, {})
    create_here(params, out, *flags)
    first = digest(out)

    def shards_to_write() -> list[int]:
        planned = json.loads(run_here("plan", "--params", params, "--output_dir", out, *flags, "--json").out)
        return [split["shards"]["write"] for split in planned["splits"].values()]

    for ours in ({"colour": "rgb"}, {"colour": "rgb", "resize": "pad"}, {"resize": "crop"}, {}):
        write(tmp_path, data, ours)
        assert shards_to_write() == [2, 2]
        create_here(params, out, *flags)
        assert shards_to_write() == [0, 0]
        run_here("verify", out)
    assert digest(out) == first
    reasons = [json.loads(line)["reasons"]["train_input"] for line in (out / "history.jsonl").read_text().splitlines()]
    assert reasons[1:] == [
        {"colour changed": 2},
        {"resize changed": 2},
        {"colour and resize changed": 2},
        {"resize changed": 2},
    ]


def test_what_is_planned_is_about_what_is_written(tmp_path: Path, data: Path) -> None:
    sizes = {}
    for colour in ("grey", "rgb"):
        params = write(tmp_path, data, {"colour": colour}, image_shape=[256, 256, 1])
        flags = ("--params", params, "--output_dir", tmp_path / colour)
        sizes[colour] = json.loads(run_here("plan", *flags, "--json").out)["splits"]["train_input"]["bytes"]
        create_here(params, tmp_path / colour)
        written = manifest(tmp_path / colour)["splits"]["train_input"]["bytes"]
        assert written == pytest.approx(sizes[colour], rel=0.2)
    assert sizes["rgb"] - sizes["grey"] == len(IMAGES) * 2 * 256 * 256


@every_way
def test_a_shard_whose_pixels_were_changed_is_found(tmp_path: Path, data: Path, ours: dict[str, Any]) -> None:
    out = create(tmp_path, data, ours)
    name = str(next(iter(sorted(out.glob("train_input/*.h5")))).relative_to(out))

    def change(file: h5py.File) -> None:
        image = file["example_0/image"]
        image[-1, 0, 0] = image[-1, 0, 0] ^ 1  # with pad, a pixel of the padding

    edit_shard(out, change, name)
    assert f"{name}: example_0: has the pixel_sums" in run_here("verify", out, status=4).out


def test_boxes_or_pixels_that_the_manifest_counts_otherwise_are_found(tmp_path: Path, data: Path) -> None:
    out = create(tmp_path, data, {"resize": "pad"})
    shard = manifest(out)["splits"]["train_input"]["shards"][0]

    def count_more(content: dict[str, Any]) -> None:
        content["splits"]["train_input"]["shards"][0]["valid_pixels"] += 1

    reseal(out, count_more)
    found = (
        f"its valid_pixels add up to [{shard['valid_pixels']}], and manifest.json says [{shard['valid_pixels'] + 1}]"
    )
    assert f"{shard['file']}: {found}" in run_here("verify", out, status=4).out


@pytest.mark.parametrize("resize", ["pad", "crop"])
def test_an_image_that_would_be_tiled_is_refused_only_where_the_file_asks_for_it(
    tmp_path: Path, data: Path, resize: str
) -> None:
    params = write(tmp_path, data, {"resize": resize}, image_shape=[300, 64, 1])
    create_here(params, tmp_path / "out")
    assert open_dataset(tmp_path / "out").image_shape == (1, 300, 64)
    params = write(tmp_path, data, {"resize": resize}, image_shape=[300, 64, 1], max_image_shape=[256, 1600])
    said = create_here(params, tmp_path / "out", status=2).err
    assert f"[256, 1600] tiles examples of 300 x 64, which maskmill.resize: {resize} does not; remove this key" in said


def test_words_that_are_no_way_are_refused(tmp_path: Path, data: Path) -> None:
    params = write(tmp_path, data, {"colour": "bgr", "resize": "letterbox"})
    said = create_here(params, tmp_path / "out", status=2).err
    assert 'maskmill.colour: "bgr" is not supported; give grey or rgb' in said
    assert 'maskmill.resize: "letterbox" is not supported; give stretch, pad or crop' in said


def test_three_channels_in_image_shape_alone_still_give_one(tmp_path: Path, data: Path) -> None:
    out = create(tmp_path, data, {}, image_shape=[32, 48, 3])
    assert open_dataset(out).image_shape == (1, 32, 48)
    assert open_dataset(create(tmp_path, data, {"colour": "rgb"})).image_shape == (3, 32, 48)


def test_pictures_and_the_report_have_the_colours(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out = create(tmp_path, data, {"colour": "rgb", "resize": "pad"})
    run_here("show", out, "--index", "0")
    image = open_dataset(out)[0].image
    picture = np.asarray(Image.open("train_input-0.png"))
    assert np.array_equal(picture[:32, :48], image.transpose(1, 2, 0))
    run_here("preview", "--params", "params.yaml", "--image", "b.png")
    preview = np.asarray(Image.open("preview.png"))
    assert np.array_equal(preview[:90, :30], np.asarray(Image.open(data / "train_images" / "b.png")))
    run_here("report", out)
    page = (out / "report.html").read_text()
    for name in ("red", "green", "blue"):
        assert f"Brightness of {name}" in page
    numbers = open_dataset(out).statistics
    assert ", ".join(f"{one:.2f}" for one in np.asarray(numbers.mean).tolist()) in page


def test_a_grey_and_a_colour_dataset_of_the_same_images_are_compared(tmp_path: Path, data: Path) -> None:
    create_here(write(tmp_path, data, {}), tmp_path / "grey")
    create_here(write(tmp_path, data, {"colour": "rgb"}), tmp_path / "rgb")
    said = run_here("diff", tmp_path / "grey", tmp_path / "rgb", status=1).out
    assert "colour" in said


def test_the_reader_knows_what_is_padding(tmp_path: Path, data: Path) -> None:
    out = create(tmp_path, data, {"resize": "pad"})
    batch = open_dataset(out).read([0, 1, 2])
    assert batch.views is not None
    inside = np.zeros((3, 1, 32, 48), bool)
    for row, (top, left, height, width) in enumerate(batch.views.valid):
        inside[row, :, top : top + height, left : left + width] = True
    for row in range(3):
        assert inside[row].sum() == math.prod(batch.views.of(row).valid.size)
        assert not batch.images[row][~inside[row]].any()
        assert not batch.labels[row][~inside[row]].any()
