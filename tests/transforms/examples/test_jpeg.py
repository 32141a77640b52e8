"""JPEGs give the grey, or the RGB, of Pillow; those without colours are decoded once, to their luma."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from maskmill.transforms.examples import jpeg
from maskmill.transforms.examples.jpeg import decode, decode_rgb, find_frame, read_header, without_colours
from maskmill.transforms.rejected import Code, DataError
from tests.support.builders import grey_pixels, image_bytes

GREY = grey_pixels(1, 64, 96)
SATURATED = np.random.default_rng(2).choice(np.array([0, 255], np.uint8), (64, 96, 3))


def colour_bytes(pixels: np.ndarray, *, mode: str = "RGB", **options: Any) -> bytes:
    """A JPEG of pixels [height, width, 3]."""
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return decode(data, read_header(data)[2])


def of_pillow(data: bytes) -> np.ndarray:
    """What the original computes."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def rgb_decoded(data: bytes) -> np.ndarray:
    planes = decode_rgb(data, read_header(data)[2])
    return np.broadcast_to(planes, (3, *planes.shape[1:])).transpose(1, 2, 0)


def rgb_of_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture(name="calls")
def spy_on_libjpeg(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The colour spaces that JPEGs are decoded to."""
    calls: list[str] = []
    original = simplejpeg.decode_jpeg

    def spy(data: bytes, colours: str) -> np.ndarray:
        calls.append(colours)
        return original(data, colours)

    monkeypatch.setattr("simplejpeg.decode_jpeg", spy)
    monkeypatch.setattr(jpeg._Hint, "colours", False)
    return calls


def test_the_grey_of_a_grey_is_itself() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, -1, 1).repeat(4, axis=2)
    assert np.array_equal(np.asarray(jpeg._image_of("RGBX", levels).convert("L"))[0], np.arange(256))


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (64, 96)], ids=str)
@pytest.mark.parametrize("quality", [30, 95])
@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"subsampling": 2, "progressive": True},
        {"subsampling": 2, "optimize": True},
        {"subsampling": 0, "restart_marker_blocks": 3},
        {"keep_rgb": True},
        {"mode": "CMYK"},
    ],
    ids=str,
)
def test_colours_become_the_grey_and_the_rgb_of_pillow(
    options: dict[str, Any], quality: int, size: tuple[int, int]
) -> None:
    smooth = np.stack(np.broadcast_arrays(*np.ogrid[0:256:4j, 0:256:5j], 99), -1).astype(np.uint8)  # type: ignore[misc]
    for pixels in (SATURATED[: size[0], : size[1]], np.resize(smooth, (*size, 3))):
        data = colour_bytes(pixels, quality=quality, **options)
        for had_colours in (False, True):
            jpeg._Hint.colours = had_colours
            assert np.array_equal(decoded(data), of_pillow(data))
            jpeg._Hint.colours = had_colours
            assert np.array_equal(rgb_decoded(data), rgb_of_pillow(data))


@pytest.mark.parametrize("sampling", ["444", "422", "420", "440", "411"])
def test_so_they_do_however_they_are_sampled(sampling: str) -> None:
    data = simplejpeg.encode_jpeg(SATURATED, 90, "RGB", sampling)
    assert np.array_equal(decoded(data), of_pillow(data))
    assert np.array_equal(rgb_decoded(data), rgb_of_pillow(data))


def test_luma_would_not_do() -> None:
    data = colour_bytes(SATURATED, subsampling=2)
    luma = simplejpeg.decode_jpeg(data, "GRAY")[:, :, 0]
    assert np.abs(luma.astype(int) - of_pillow(data)).max() > 30


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_an_image_without_colours_is_decoded_once_to_its_luma(
    calls: list[str], subsampling: int, optimize: bool
) -> None:
    data = image_bytes(GREY, subsampling=subsampling, optimize=optimize)
    assert read_header(data)[2] == "YCbCr"
    assert np.array_equal(decoded(data), of_pillow(data))
    assert np.array_equal(rgb_decoded(data), rgb_of_pillow(data))
    assert calls == ["GRAY", "GRAY"]


def test_a_grey_jpeg_is_decoded_once(calls: list[str]) -> None:
    data = image_bytes(GREY, mode="L")
    assert np.array_equal(decoded(data), of_pillow(data))
    assert np.array_equal(rgb_decoded(data), rgb_of_pillow(data))
    assert calls == ["GRAY", "GRAY"]


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("restarts", [0, 2])
def test_a_single_coloured_block_is_noticed(subsampling: int, optimize: bool, restarts: int) -> None:
    random = np.random.default_rng(subsampling)
    for row, column in [(0, 0), (3, 5), (0, 5), (3, 0), *random.integers((4, 6), size=(10, 2)).tolist()]:
        pixels = np.repeat(GREY[:, :, np.newaxis], 3, axis=2)
        pixels[16 * row : 16 * row + 16, 16 * column : 16 * column + 16, random.integers(3)] += 20
        options: dict[str, Any] = {"restart_marker_blocks": restarts} if restarts else {}
        data = colour_bytes(pixels, subsampling=subsampling, optimize=optimize, **options)
        neutral = without_colours(data)
        if neutral is not None:
            with pytest.raises(ValueError, match="Corrupt JPEG data"):
                simplejpeg.decode_jpeg(neutral, "GRAY")
        assert np.array_equal(decoded(data), of_pillow(data)), (row, column)
        jpeg._Hint.colours = False
        assert np.array_equal(rgb_decoded(data), rgb_of_pillow(data)), (row, column)


def test_after_an_image_with_colours_the_next_is_expected_to_have_them(calls: list[str]) -> None:
    colours, grey = colour_bytes(SATURATED), image_bytes(GREY)
    for data in (colours, colours, grey, grey, colours):
        assert np.array_equal(decoded(data), of_pillow(data))
    assert calls == ["GRAY", "RGBX", "RGBX", "RGBX", "GRAY", "GRAY", "RGBX"]
    calls.clear()
    for data in (grey, grey, colours, colours):
        assert np.array_equal(rgb_decoded(data), rgb_of_pillow(data))
    assert calls == ["RGB", "GRAY", "GRAY", "RGB", "RGB"]


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


def test_luma_is_not_used_where_that_is_not_certain() -> None:
    data = image_bytes(GREY)
    assert without_colours(data) is not None
    scan = data.index(b"\xff\xda")
    same_tables = data[: scan + 8] + b"\0" + data[scan + 9 :]  # of Cb as of luma
    other_order = data[: scan + 5] + b"\2\0\1\x11" + data[scan + 9 :]  # Cb before luma
    uncertain = [
        image_bytes(GREY, progressive=True),
        image_bytes(GREY, mode="L"),
        image_bytes(GREY, mode="CMYK"),
        same_tables,
        other_order,
        replaced(data, struct.pack(">HH", 64, 96), struct.pack(">HH", 65_500, 65_500)),
        data[:scan],
        data[:2],
        b"",
    ]
    assert [without_colours(one) for one in uncertain] == [None] * len(uncertain)


def test_a_comment_that_looks_like_a_scan_is_none() -> None:
    data = image_bytes(GREY, comment=b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0" * 300)
    frame = find_frame(data)
    assert frame is not None
    assert (frame.width, frame.height, frame.bits) == (96, 64, 8)
    assert without_colours(data) is not None
    assert np.array_equal(decoded(data + b"\xff\xda" * 500), of_pillow(data))


def test_the_copy_that_has_no_colours_has_a_restart_interval_with_which_libjpeg_checks_every_code() -> None:
    interval = b"\xff\xdd\0\4"
    data = image_bytes(GREY)
    neutral = without_colours(data)
    assert neutral is not None
    assert (interval in data, neutral.count(interval + b"\xff\xff")) == (False, 1)
    data = image_bytes(GREY, restart_marker_blocks=5)
    neutral = without_colours(data)
    assert neutral is not None
    assert (data.count(interval), neutral.count(interval)) == (1, 1)


@pytest.mark.timeout(60)  # libjpeg would take minutes
def test_of_very_many_scans_none_is_decoded() -> None:
    data = image_bytes(np.zeros((4000, 4000), np.uint8), mode="L", progressive=True)
    at = data.rindex(b"\xff\xda")
    bomb = data[:-2] + data[at:-2] * 2000 + b"\xff\xd9"
    with pytest.raises(DataError, match="more than 100 scans") as caught:
        decoded(bomb)
    assert caught.value.code is Code.IMAGE_FORMAT_UNSUPPORTED
