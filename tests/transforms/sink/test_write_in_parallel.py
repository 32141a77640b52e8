"""The file of a shard has the same bytes whoever writes it, and what waits for it is bounded."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from maskmill.transforms.examples.crops import CropFormat
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.parallel.ticket_lock import Ticket
from maskmill.transforms.sink.prepare_examples import group_for
from maskmill.transforms.sink.write_file import GivenUpError, write_sequentially
from maskmill.transforms.sink.write_in_parallel import (
    LOOK_AHEAD_BYTES,
    window_for,
    write_in_other_process,
    write_with_threads,
)
from tests.support.builders import write_images
from tests.support.shards import FORM, spec_of


@pytest.fixture(name="specs")
def make_specs(tmp_path: Path) -> list[ExampleSpec]:
    names = [f"{index}.jpg" for index in range(40)]
    write_images(tmp_path / "images", names)
    (tmp_path / "images" / "7.jpg").write_bytes(b"no image")
    return [spec_of(tmp_path / "images" / name) for name in names]


def test_threads_write_what_one_thread_writes(tmp_path: Path, specs: list[ExampleSpec]) -> None:
    alone = write_sequentially(str(tmp_path / "alone.h5"), specs, FORM)
    path, ticket = str(tmp_path / "threads.h5"), Ticket()
    assert write_with_threads(path, specs, FORM, Future(), workers=2, ticket=ticket) == alone
    assert sha256_of(path) == alone.sha256 == sha256_of(str(tmp_path / "alone.h5"))
    assert list(alone.rejected) == [7]
    Ticket().release()  # waits: the earlier ticket was released


def test_another_process_writes_the_same(tmp_path: Path, specs: list[ExampleSpec]) -> None:
    alone = write_sequentially(str(tmp_path / "alone.h5"), specs, FORM)
    assert write_in_other_process(str(tmp_path / "other.h5"), specs, FORM, Future(), processes=2) == alone


def test_an_image_that_vanishes_fails_the_shard_in_another_process(tmp_path: Path, specs: list[ExampleSpec]) -> None:
    Path(specs[1].image.path).unlink()
    with pytest.raises(OSError, match=r"1\.jpg"):
        write_in_other_process(str(tmp_path / "shard.h5"), specs, FORM, Future(), processes=2)
    with pytest.raises(OSError, match=r"1\.jpg"):
        write_with_threads(str(tmp_path / "shard.h5"), specs, FORM, Future(), workers=2, ticket=Ticket())
    Ticket().release()  # waits: the earlier ticket was released


def test_nobody_waits_for_a_shard_that_is_given_up(tmp_path: Path, specs: list[ExampleSpec]) -> None:
    given_up: Future[None] = Future()
    given_up.set_result(None)
    with pytest.raises(GivenUpError):
        write_in_other_process(str(tmp_path / "process.h5"), specs, FORM, given_up, processes=2)
    with pytest.raises(GivenUpError):
        write_with_threads(str(tmp_path / "threads.h5"), specs, FORM, given_up, workers=2, ticket=Ticket())
    Ticket().release()


@pytest.mark.parametrize(
    ("keys", "times"),
    [
        ({}, 1),
        ({"colour": "rgb"}, 3),
        ({"crops": CropFormat((256, 256), (128, 128), "shift", 1.0, (1024, 1024))}, 49),
    ],
)
@pytest.mark.parametrize(("read", "size"), [(0, 256), (150_000, 256), (5_000_000, 256), (30_000_000, 1600), (0, 5120)])
def test_what_waits_for_the_file_is_bounded_with_the_images_that_were_read(
    read: int, size: int, keys: dict[str, Any], times: int
) -> None:
    form = ExampleFormat((size, size), LabelFormat("bce", 2, size, size, (3,)))._replace(**keys)
    group = group_for(form, 1000, 16, read)
    examples = group * window_for(form, group, 16, read)
    assert examples == 1 or examples * (read + 2 * times * size * size) <= LOOK_AHEAD_BYTES
