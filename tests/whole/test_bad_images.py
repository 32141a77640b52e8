"""Bad and odd images: a bad one is rejected by name, an odd one is read, to the pixel."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskmill.transforms.rejected import Code
from maskmill.transforms.shards.hdf5_file import read_shard
from tests.support.bad_input import Bomb, run, three_images
from tests.support.builders import grey_pixels, image_bytes, write_dataset, write_params

PIXELS = grey_pixels(9)
JPEG = image_bytes(grey_pixels(9, 64, 96), quality=95)
SCAN = JPEG.index(b"\xff\xda")
FRAME = JPEG.index(b"\xff\xc0")
HUGE = (20_000).to_bytes(2, "big") * 2


def replaced(data: bytes, at: int, by: bytes) -> bytes:
    """Bytes with some of them replaced."""
    return data[:at] + by + data[at + len(by) :]


def png(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, and has a few pixels."""
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"IDAT": zlib.compress(bytes(1000))}
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in {**chunks, b"IEND": b""}.items()
    )
    return b"\x89PNG\r\n\x1a\n" + body


def frames(kind: str, **options: Any) -> bytes:
    """A file of two images."""
    stream = io.BytesIO()
    first, second = (Image.fromarray(grey_pixels(seed)) for seed in (1, 2))
    first.save(stream, kind, save_all=True, append_images=[second], **options)
    return stream.getvalue()


def written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


# What stands in the place of the image: (name of the case, how it is made, code, words of the message).
BAD_IMAGES: list[tuple[str, Callable[[Path], object], Code, str]] = [
    # no file
    ("nothing", lambda path: None, Code.IMAGE_MISSING, "add the image, or remove its rows"),
    ("folder", Path.mkdir, Code.IMAGE_MISSING, "there is no file"),
    ("dangling link", lambda path: path.symlink_to("nowhere"), Code.IMAGE_MISSING, "there is no file"),
    ("link to itself", lambda path: path.symlink_to(path.name), Code.IMAGE_MISSING, "there is no file"),
    ("pipe", os.mkfifo, Code.IMAGE_MISSING, "there is no file"),
    ("empty", written(b""), Code.IMAGE_EMPTY, "copy it again"),
    # no image
    ("HTML", written(b"<html>404 not found</html>"), Code.IMAGE_NOT_RECOGNISED, "replace or remove it"),
    ("pickle", written(pickle.dumps(Bomb())), Code.IMAGE_NOT_RECOGNISED, "replace or remove it"),
    ("zeros", written(bytes(5000)), Code.IMAGE_NOT_RECOGNISED, "replace or remove it"),
    ("text", written(b"a.jpg,3,1 2\n" * 100), Code.IMAGE_NOT_RECOGNISED, "replace or remove it"),
    # a format that is not read
    ("EPS", written(image_bytes(PIXELS, kind="EPS")), Code.IMAGE_FORMAT_UNSUPPORTED, "convert it to PNG or JPEG"),
    # half an image
    ("mark of a JPEG", written(JPEG[:2]), Code.IMAGE_DAMAGED, "copy it again"),
    ("JPEG 10 %", written(JPEG[: len(JPEG) // 10]), Code.IMAGE_DAMAGED, "copy it again"),
    ("JPEG 50 %", written(JPEG[: len(JPEG) // 2]), Code.IMAGE_DAMAGED, "copy it again"),
    ("JPEG 99 %", written(JPEG[: len(JPEG) * 99 // 100]), Code.IMAGE_DAMAGED, "copy it again"),
    ("JPEG but its end", written(JPEG[:-2]), Code.IMAGE_DAMAGED, "copy it again"),
    ("PNG 50 %", written(image_bytes(PIXELS, kind="PNG")[:200]), Code.IMAGE_DAMAGED, "copy it again"),
    ("TIFF 50 %", written(image_bytes(PIXELS, kind="TIFF")[:300]), Code.IMAGE_DAMAGED, "copy it again"),
    ("BMP 50 %", written(image_bytes(PIXELS, kind="BMP")[:600]), Code.IMAGE_DAMAGED, "copy it again"),
    # damage that leaves a picture
    ("JPEG frame", written(replaced(JPEG, FRAME + 4, b"\x0c")), Code.IMAGE_MODE_UNSUPPORTED, "12 bits, by its header"),
    ("JPEG scan", written(replaced(JPEG, SCAN + 700, b"\xff\xd9")), Code.IMAGE_PARTLY_DAMAGED, "premature end"),
    ("JPEG byte", written(replaced(JPEG, SCAN + 500, b"\x00")), Code.IMAGE_PARTLY_DAMAGED, "Corrupt JPEG data"),
    (
        "CMYK scan",
        written(replaced(image_bytes(PIXELS, mode="CMYK"), -100, b"\xff\xd9")),
        Code.IMAGE_PARTLY_DAMAGED,
        "end",
    ),
    ("PNG byte", written(replaced(image_bytes(PIXELS, kind="PNG"), 200, b"\xff")), Code.IMAGE_DAMAGED, "checksum"),
    # another kind of image
    ("32 bits", written(image_bytes(PIXELS, mode="I", kind="TIFF")), Code.IMAGE_MODE_UNSUPPORTED, "mode I,"),
    ("floats", written(image_bytes(PIXELS, mode="F", kind="TIFF")), Code.IMAGE_MODE_UNSUPPORTED, "mode F,"),
    ("animated GIF", written(frames("GIF")), Code.IMAGE_SEVERAL_FRAMES, "save the right one"),
    ("animated PNG", written(frames("PNG")), Code.IMAGE_SEVERAL_FRAMES, "save the right one"),
    ("pages of TIFF", written(frames("TIFF")), Code.IMAGE_SEVERAL_FRAMES, "save the right one"),
    # bombs
    ("huge JPEG", written(replaced(JPEG, FRAME + 5, HUGE)), Code.IMAGE_TOO_LARGE, "20000 x 20000 pixels, more than"),
    ("huge PNG", written(png(20_000, 20_000)), Code.IMAGE_TOO_LARGE, "raise maskmill.max_image_pixels"),
    ("huge width", written(png(2**31 - 1, 1)), Code.IMAGE_TOO_LARGE, "2147483647 x 1 pixels"),
]


@pytest.fixture(scope="module", name="rejected_images")
def reject_images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The records of a run on all bad images, by ImageId."""
    folder = tmp_path_factory.mktemp("images")
    data = write_dataset(folder / "data", ["good.jpg,3,1 2", *(f"{name}.jpg,3,1 2" for name, *_ in BAD_IMAGES)])
    for name, make, *_ in BAD_IMAGES:
        (data / "train_images" / f"{name}.jpg").unlink()
        make(data / "train_images" / f"{name}.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        outcome = run(write_params(folder / "params.yaml", data), 3, f"{len(BAD_IMAGES)} rejected (")
    assert not (folder / "owned").exists()
    return {record["image_id"]: record for record in outcome.rejected}


@pytest.mark.parametrize("case", BAD_IMAGES, ids=lambda case: case[0])
def test_a_bad_image_is_rejected_by_name(
    rejected_images: dict[str, dict[str, Any]], case: tuple[str, object, Code, str]
) -> None:
    name, _, code, words = case
    record = rejected_images[f"{name}.jpg"]
    assert record["code"] == code.value
    assert words in record["message"]


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def sixteen_bits() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS.astype(np.uint16) * 256 + 77).save(stream, "PNG")
    return stream.getvalue()


ODD_IMAGES: list[tuple[str, bytes]] = [
    ("PNG", image_bytes(PIXELS, kind="PNG")),
    ("16 bits", sixteen_bits()),
    ("BMP", image_bytes(PIXELS, kind="BMP")),
    ("GIF", image_bytes(PIXELS, mode="L", kind="GIF")),
    ("TIFF", image_bytes(PIXELS, kind="TIFF")),
    ("grey JPEG", image_bytes(PIXELS, mode="L")),
    ("progressive JPEG", image_bytes(PIXELS, progressive=True)),
    ("CMYK JPEG", image_bytes(PIXELS, mode="CMYK")),
    ("rotated JPEG", image_bytes(PIXELS, exif=exif(6))),
    ("JPEG and more", image_bytes(PIXELS) + b"more"),
    ("two in a JPEG", frames("MPO")),
]


def test_odd_images_are_read_as_they_are_stored(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{name}.jpg,3,1 2" for name, _ in ODD_IMAGES])
    for name, content in ODD_IMAGES:
        (data / "train_images" / f"{name}.jpg").write_bytes(content)
    out = run(write_params(tmp_path / "params.yaml", data, train_test_split=1), 0).out
    examples = read_shard(str(out / "train_input" / "preprocessed_data-0_p0.h5"))
    for (name, content), example in zip(ODD_IMAGES, examples, strict=True):
        is_jpeg = content.startswith(b"\xff\xd8")
        expected = np.asarray(Image.open(io.BytesIO(content)).convert("L")) if is_jpeg else PIXELS
        assert np.array_equal(example.image[0], expected), name


def test_an_image_of_one_pixel_is_read(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 1"])
    (data / "train_images" / "a.jpg").write_bytes(image_bytes(PIXELS[:1, :1]))
    assert run(write_params(tmp_path / "params.yaml", data), 0).examples == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_bound_on_pixels_is_a_parameter(tmp_path: Path, kind: str) -> None:
    data = three_images(tmp_path)
    (data / "train_images" / "b.jpg").write_bytes(image_bytes(grey_pixels(1, 20, 30), kind=kind))
    low = write_params(tmp_path / "params.yaml", data, maskmill={"max_image_pixels": 599})
    run(low, 3, "b.jpg: the image has 30 x 20 pixels, more than 599;", "1 IMAGE_TOO_LARGE")
    high = write_params(tmp_path / "params.yaml", data, maskmill={"max_image_pixels": 600})
    assert run(high, 0).examples == 3


def test_an_image_that_may_not_be_read_is_no_bad_image(tmp_path: Path) -> None:
    data = three_images(tmp_path)
    (data / "train_images" / "b.jpg").chmod(0)
    params = write_params(tmp_path / "params.yaml", data)
    command = [sys.executable, "-m", "maskmill", "create", "--params", str(params), "--output_dir", "out"]
    done = subprocess.run([*_without_root(), *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "Permission denied" in done.stderr
    assert "b.jpg" in done.stderr
    assert "Traceback" not in done.stderr
    assert "rejected" not in done.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()


def _without_root() -> list[str]:
    """What begins a command so that the modes of files bind it, whoever runs the tests."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        reason = "setpriv of util-linux is needed to try a file without permission as root"
        assert "CI" not in os.environ, reason
        pytest.skip(reason)
    capabilities = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={capabilities}", f"--inh-caps={capabilities}"]
