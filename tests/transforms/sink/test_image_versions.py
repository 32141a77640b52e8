"""Changed images are detected by size and time, or by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from maskmill.transforms.sink.image_versions import content_hashes, modified_times
from tests.support.builders import write_images
from tests.support.shards import spec_of


@pytest.fixture(name="images")
def make_images(tmp_path: Path) -> Path:
    write_images(tmp_path, ["a.jpg", "b.jpg"])
    return tmp_path


def test_contents_tell_a_change_that_size_and_time_do_not(images: Path) -> None:
    specs = [spec_of(images / "a.jpg"), spec_of(images / "b.jpg")]
    before = content_hashes(specs, 2)
    assert before == [hashlib.sha256((images / name).read_bytes()).hexdigest() for name in ("a.jpg", "b.jpg")]
    content = bytearray((images / "a.jpg").read_bytes())
    content[-3] ^= 1
    (images / "a.jpg").write_bytes(content)
    after = content_hashes(specs, None)
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert modified_times(specs) == [spec.image.modified for spec in specs]


def test_an_image_that_is_gone_is_an_error_only_if_contents_count(images: Path) -> None:
    specs = [spec_of(images / "a.jpg"), spec_of(images / "gone.jpg")]
    assert len(modified_times(specs)) == 2
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg"):
        content_hashes(specs, 2)
