"""Tests of the listing of image folders."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.list_images import ListImages
from maskmill.transforms.tallies import UNNAMEABLE_FILES
from tests.support.builders import in_process, write_images


def test_list_images_gives_the_files_of_each_folder_by_name(tmp_path: Path) -> None:
    write_images(tmp_path / "a [1]", ["x.jpg"])
    write_images(tmp_path / "b", ["x.jpg", "y.jpg"])
    (tmp_path / "b" / "folder.jpg").mkdir()
    (tmp_path / "b" / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    statuses = [(tmp_path / path).stat() for path in ("a [1]/x.jpg", "b/x.jpg", "b/y.jpg")]
    keys = [(0, "x.jpg"), (1, "x.jpg"), (1, "y.jpg")]
    with in_process() as pipeline:
        listed = pipeline | ListImages(folders=((str(tmp_path / "a [1]"),), (str(tmp_path / "b"),)))
        sizes = listed.files | beam.MapTuple(lambda key, status: (key, status[0], int(status[1])))
        expected = [(key, one.st_size, int(one.st_mtime)) for key, one in zip(keys, statuses, strict=True)]
        assert_that(sizes, equal_to(expected), "files")
        assert_that(listed.tallies, equal_to([]), "tallies")


def test_files_that_no_row_can_name_are_counted(tmp_path: Path) -> None:
    write_images(tmp_path / "a", ["x.jpg", "\udcf6.jpg", "K\udcf6ln.txt"])
    with in_process() as pipeline:
        listed = pipeline | ListImages(folders=((str(tmp_path / "a"),),))
        assert_that(listed.files | beam.Keys(), equal_to([(0, "x.jpg")]), "files")
        assert_that(listed.tallies, equal_to([(UNNAMEABLE_FILES, 2)]), "tallies")
