"""Tests of the listing of image folders."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.list_images import ListImages
from tests.support.builders import in_process, write_images


def test_list_images_gives_the_files_of_each_folder_by_name(tmp_path: Path) -> None:
    write_images(tmp_path / "a [1]", ["x.jpg"])
    write_images(tmp_path / "b", ["x.jpg", "y.jpg"])
    (tmp_path / "b" / "folder.jpg").mkdir()
    (tmp_path / "b" / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    statuses = [(tmp_path / path).stat() for path in ("a [1]/x.jpg", "b/x.jpg", "b/y.jpg")]
    keys = [(0, "x.jpg"), (1, "x.jpg"), (1, "y.jpg")]
    with in_process() as pipeline:
        files = pipeline | ListImages(folders=(str(tmp_path / "a [1]"), str(tmp_path / "b")))
        sizes = files | beam.MapTuple(lambda key, status: (key, status[0], int(status[1])))
        expected = [(key, one.st_size, int(one.st_mtime)) for key, one in zip(keys, statuses, strict=True)]
        assert_that(sizes, equal_to(expected))
