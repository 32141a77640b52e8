"""A whole shard is written by one process, which does not need Beam."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.shards.hdf5_file import read_shard
from maskmill.transforms.sink.write_file import GivenUpError, write_sequentially
from tests.support.builders import write_images
from tests.support.command import ROOT
from tests.support.shards import FORM, spec_of


@pytest.fixture(name="specs")
def make_specs(tmp_path: Path) -> list[ExampleSpec]:
    names = ["a.jpg", "b.jpg", "c.jpg"]
    write_images(tmp_path / "images", names)
    return [spec_of(tmp_path / "images" / name) for name in names]


def test_what_is_refused_is_named_and_the_others_move_up(tmp_path: Path, specs: list[ExampleSpec]) -> None:
    Path(specs[1].image.path).write_bytes(b"no image")
    path = str(tmp_path / "shard.h5")
    written = write_sequentially(path, specs, FORM)
    assert written.sha256 == sha256_of(path)
    assert {index: why.code for index, why in written.rejected.items()} == {1: "IMAGE_NOT_RECOGNISED"}
    assert len(list(read_shard(path))) == 2


def test_it_stops_when_somebody_removes_the_file(
    tmp_path: Path, specs: list[ExampleSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskmill.transforms.sink.write_file.group_for", lambda *_, **__: 1)
    path = tmp_path / "shard.h5"
    asked_for = []

    class Watched(list[ExampleSpec]):
        def __iter__(self) -> Iterator[ExampleSpec]:
            for index, one in enumerate(super().__iter__()):
                if index == 1:
                    path.unlink()
                asked_for.append(index)
                yield one

    with pytest.raises(GivenUpError):
        write_sequentially(str(path), Watched(specs), FORM)
    assert asked_for == [0, 1]


def test_it_begins_without_beam() -> None:
    modules = "maskmill.transforms.sink.write_file, maskmill.transforms.parallel.process_pool"
    code = f"import sys, {modules}; sys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
