"""Files of common kinds are named by their first bytes, and nothing else is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile

import numpy as np
import pytest

from maskmill.transforms.files.signatures import kind_of
from tests.support.builders import grey_pixels, image_bytes, zip_bytes

CONTENT = b"ImageId,ClassId,EncodedPixels\na.jpg,3,1 2\n" * 100


def tar_bytes() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("train.csv")
        member.size = len(CONTENT)
        archive.addfile(member, io.BytesIO(CONTENT))
    return stream.getvalue()


def npy_bytes() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


FILES = {
    "a zip archive": zip_bytes({"train.csv": CONTENT}),
    "a gzip archive": gzip.compress(CONTENT),
    "a bzip2 archive": bz2.compress(CONTENT),
    "an xz archive": lzma.compress(CONTENT),
    "an lzma archive": lzma.compress(CONTENT, lzma.FORMAT_ALONE),
    "a tar archive": tar_bytes(),
    "a NumPy array": npy_bytes(),
    "a Python pickle": pickle.dumps([1]),
    "a JPEG image": image_bytes(grey_pixels(1)),
    "a PNG image": image_bytes(grey_pixels(1), kind="PNG"),
    "a GIF image": image_bytes(grey_pixels(1), kind="GIF"),
    "a TIFF image": image_bytes(grey_pixels(1), kind="TIFF"),
    "a Parquet file": b"PAR1\x15\x04",
    "an ORC file": b"ORC\x0a\x0b",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_named_by_its_first_bytes(kind: str) -> None:
    assert kind_of(FILES[kind][:300]) == kind


@pytest.mark.parametrize("text", ["", "ORCID,ClassId", "ORC,ClassId", "PAR1;x", "ID3\tx", "]", "BZhang,1", "x" * 300])
def test_a_text_is_none_of_them(text: str) -> None:
    assert kind_of(text.encode()) is None
