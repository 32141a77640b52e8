"""The synthetic dataset: its form, its likeness to the real one, and that it is the same every time."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from maskmill.pipeline.errors import MaskmillError, UsageError
from maskmill.pipeline.sample.draw_steel import draw_image
from maskmill.pipeline.sample.write_sample import SampleSummary, image_names, write_sample

IMAGES = 20


def digests(directory: Path) -> dict[str, str]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def decode_runs(text: str) -> np.ndarray:
    """Pixel after pixel, as the competition's page words it."""
    mask = np.zeros((256, 1600), bool)
    numbers = [int(word) for word in text.split(" ")]
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        for pixel in range(start - 1, start - 1 + length):
            mask[pixel % 256, pixel // 256] = True
    return mask


def table(summary: SampleSummary) -> pd.DataFrame:
    return pd.read_csv(summary.csv, keep_default_na=False)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return write_sample(tmp_path_factory.mktemp("sample"), images=IMAGES, workers=2)


def test_same_bytes_with_one_worker_as_with_two(sample, tmp_path):
    write_sample(tmp_path, images=IMAGES, workers=1)
    assert digests(tmp_path) == digests(sample.csv.parent)


def test_another_seed_gives_other_images(sample, tmp_path):
    other = write_sample(tmp_path, images=3, seed=1)
    assert not {path.name for path in other.images_dir.iterdir()} & set(image_names(0, IMAGES))
    assert not np.array_equal(draw_image(0, 0)[0], draw_image(1, 0)[0])


def test_a_larger_sample_begins_with_the_images_of_a_smaller_one(sample, tmp_path):
    small = write_sample(tmp_path, images=6)
    larger = digests(sample.images_dir)
    assert len(digests(small.images_dir)) == 6
    assert digests(small.images_dir).items() <= larger.items()
    rows = table(sample)
    expected = rows[rows["ImageId"].isin(image_names(0, 6))].reset_index(drop=True)
    pd.testing.assert_frame_equal(table(small), expected)


def test_files_are_colour_jpegs_of_grey_steel(sample):
    paths = sorted(sample.images_dir.iterdir())
    assert [path.name for path in paths] == sorted(image_names(0, IMAGES))
    for path in paths:
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size, image.layers) == ("JPEG", "RGB", (1600, 256), 3)
            pixels = np.asarray(image).astype(int)
        assert np.ptp(pixels, axis=2).max() <= 1
        assert 20 < pixels.mean() < 180


def test_files_are_about_as_large_as_the_real_ones(sample):
    sizes = [path.stat().st_size for path in sample.images_dir.iterdir()]
    assert 70_000 < np.mean(sizes) < 110_000
    assert sample.bytes == sum(sizes)


def test_names_are_nine_hexadecimal_digits_and_all_different():
    names = image_names(7, 1000)
    assert len(set(names)) == 1000
    assert all(len(name) == 13 and int(name[:9], 16) >= 0 and name.endswith(".jpg") for name in names)


def test_a_name_that_is_taken_is_not_given_again(monkeypatch):
    class Digest:
        def __init__(self, _: bytes) -> None:
            pass

        def hexdigest(self) -> str:
            return "0123456789abcdef"

    monkeypatch.setattr("maskmill.pipeline.sample.write_sample.hashlib.sha256", Digest)
    assert image_names(0, 2) == ["012345678.jpg", "123456789.jpg"]


def test_table_holds_the_masks_of_the_drawn_images(sample):
    masks = {name: draw_image(0, index)[1] for index, name in enumerate(image_names(0, IMAGES))}
    rows = list(table(sample).itertuples(index=False))
    assert [(name, class_id) for name, class_id, _ in rows] == sorted(
        (name, class_id) for name in masks for class_id in masks[name]
    )
    for name, class_id, text in rows:
        np.testing.assert_array_equal(decode_runs(text), masks[name][class_id])


def test_runs_are_sorted_and_do_not_touch(sample):
    for text in table(sample)["EncodedPixels"]:
        runs = np.array(text.split(" "), int).reshape(-1, 2)
        assert (runs[1:, 0] > runs[:-1].sum(axis=1)).all()
        assert (runs[:, 1] > 0).all()


def test_class_3_rows_have_about_as_many_runs_as_the_real_ones(sample):
    rows = table(sample)
    counts = [len(text.split(" ")) // 2 for text in rows[rows["ClassId"] == 3]["EncodedPixels"]]
    assert 100 <= np.median(counts) <= 500
    assert max(counts) < 900


def test_summary_counts_the_rows(sample):
    counts = table(sample)["ClassId"].value_counts()
    assert sample.images == IMAGES
    assert sample.rows_by_class == {class_id: counts.get(class_id, 0) for class_id in (1, 2, 3, 4)}
    assert sample.rows == counts.sum()


def test_original_layout_has_four_rows_an_image_and_the_same_masks(sample, tmp_path):
    original = write_sample(tmp_path, images=IMAGES, layout="original")
    lines = original.csv.read_bytes().decode().split("\n")
    assert lines[0] == "ImageId_ClassId,EncodedPixels"
    assert lines[-1] == ""
    cells = [line.split(",") for line in lines[1:-1]]
    names = sorted(image_names(0, IMAGES))
    assert [key for key, _ in cells] == [f"{name}_{class_id}" for name in names for class_id in range(1, 5)]
    present = {(f"{name}_{class_id}", text) for name, class_id, text in table(sample).itertuples(index=False)}
    assert {(key, text) for key, text in cells if text} == present
    assert digests(original.images_dir) == digests(sample.images_dir)


@pytest.mark.parametrize(
    ("layout", "header"),
    [("present", b"ImageId,ClassId,EncodedPixels\n"), ("original", b"ImageId_ClassId,EncodedPixels\n")],
)
def test_no_images_make_a_table_of_a_header_alone(tmp_path, layout, header):
    summary = write_sample(tmp_path / "new" / "folder", images=0, layout=layout)
    assert summary.csv.read_bytes() == header
    assert list(summary.images_dir.iterdir()) == []
    assert (summary.rows, summary.bytes) == (0, 0)


def test_the_same_sample_again_is_left_as_it_is(tmp_path):
    first = write_sample(tmp_path, images=2)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write_sample(str(tmp_path), images=2, workers=1) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == times


def test_only_the_three_targets_are_left_in_the_directory(sample):
    assert {path.name for path in sample.csv.parent.iterdir()} == {"train.csv", "train_images", "sample.json"}


def test_other_files_in_the_directory_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    write_sample(tmp_path, images=0)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("other", [{"images": 3}, {"seed": 1}, {"layout": "original"}])
def test_refuses_a_sample_from_other_arguments(tmp_path, other):
    write_sample(tmp_path, images=1)
    before = digests(tmp_path)
    with pytest.raises(UsageError, match=r"already holds other train_images, train\.csv, sample\.json"):
        write_sample(tmp_path, **{"images": 1} | other)
    assert digests(tmp_path) == before


@pytest.mark.parametrize("name", ["train.csv", "train_images", "sample.json"])
def test_refuses_a_foreign_folder(tmp_path, name):
    if name == "train_images":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("[]")
    with pytest.raises(UsageError, match=f"already holds other {name}"):
        write_sample(tmp_path, images=1)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_refuses_a_sample_that_is_no_longer_whole(tmp_path):
    summary = write_sample(tmp_path, images=2)
    next(summary.images_dir.iterdir()).unlink()
    with pytest.raises(UsageError, match="already holds other"):
        write_sample(tmp_path, images=2)


def test_refuses_an_unreadable_record(tmp_path):
    write_sample(tmp_path, images=0)
    (tmp_path / "sample.json").write_text('{"images": ')
    with pytest.raises(UsageError, match="already holds other"):
        write_sample(tmp_path, images=0)


def test_refuses_a_file_for_a_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="cannot be a directory"):
            write_sample(directory, images=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": -1}, "cannot have -1 images"),
        ({"seed": -1}, "seed cannot be -1"),
        ({"layout": "newest"}, "no layout 'newest'; ask for present or original"),
        ({"workers": 0}, "0 workers"),
    ],
)
def test_refuses_bad_arguments_before_any_work(tmp_path, arguments, message):
    with pytest.raises(UsageError, match=message):
        write_sample(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("place", ["tempfile.TemporaryDirectory", "Image.Image.save", "_write_csv", "Path.rename"])
def test_a_failure_to_write_is_told_and_leaves_nothing_behind(tmp_path, monkeypatch, place):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"maskmill.pipeline.sample.write_sample.{place}", fail)
    with pytest.raises(MaskmillError) as caught:
        write_sample(tmp_path, images=1)
    assert str(caught.value) == (
        f"{tmp_path}: the sample cannot be written (No space left on device); "
        "make room and allow writing there, or name another directory"
    )
    assert caught.value.exit_status == 1
    assert list(tmp_path.iterdir()) == []


def test_record_names_what_decides_the_bytes(sample):
    record = json.loads((sample.csv.parent / "sample.json").read_text())
    assert {key: record[key] for key in ("format_version", "images", "seed", "layout")} == {
        "format_version": 2,
        "images": IMAGES,
        "seed": 0,
        "layout": "present",
    }


def test_importing_the_module_imports_neither_beam_nor_h5py_nor_pandas():
    code = (
        "import maskmill.pipeline.sample.write_sample, sys; print({'apache_beam', 'h5py', 'pandas'} & set(sys.modules))"
    )
    root = Path(__file__).resolve().parents[3]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
