"""Images of an object store are read ahead; local ones are not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from maskmill.transforms.annotations.records import ImageFile
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.sink import read_ahead as module
from maskmill.transforms.sink.read_ahead import READ_AHEAD, READ_AHEAD_BYTES, largest_read_ahead, read_ahead


def specs_in(folder: str, sizes: list[int]) -> list[ExampleSpec]:
    return [ExampleSpec(f"{i}.jpg", ImageFile(f"{folder}/{i}.jpg", size, 0.0), (), 0) for i, size in enumerate(sizes)]


def test_the_largest_image_counts_and_local_ones_do_not() -> None:
    assert [largest_read_ahead(specs_in(folder, [5, 7, 6])) for folder in ("gs://bucket", "/data")] == [7, 0]
    assert largest_read_ahead([]) == 0
    assert largest_read_ahead(specs_in("gs://bucket", [0])) == 1


def test_local_images_are_left_to_the_decoder(tmp_path: Path) -> None:
    specs = specs_in(str(tmp_path), [5, 7])
    assert list(read_ahead(specs)) == [(spec, None) for spec in specs]


@pytest.mark.parametrize(("size", "at_once"), [(10, READ_AHEAD), (READ_AHEAD_BYTES // 4, 4), (2 * READ_AHEAD_BYTES, 1)])
def test_images_of_a_store_are_read_many_at_a_time_within_a_bound_of_bytes(
    size: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    release = threading.Event()

    def read(path: str) -> bytes:
        begun.append(path)
        release.wait(20)
        return path.encode()

    monkeypatch.setattr(module, "read_bytes", read)
    specs = specs_in("gs://bucket", [size] * 40)
    found: list[tuple[ExampleSpec, bytes | None]] = []
    thread = threading.Thread(target=lambda: found.extend(read_ahead(specs)))
    thread.start()
    for _ in range(200):
        if len(begun) >= at_once:
            break
        thread.join(0.05)
    thread.join(0.2)
    assert len(begun) == at_once
    release.set()
    thread.join(20)
    assert found == [(spec, spec.image.path.encode()) for spec in specs]
