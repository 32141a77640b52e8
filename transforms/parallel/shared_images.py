"""Passes images between processes through a memory-mapped file, which is faster than a pipe.

The file has a slot for each image that may be under way. Slots are reused, so that hardly any of the file ever reaches
the disk.
"""

from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np
from numpy.typing import NDArray

from maskmill.names import ATTEMPT


class SharedImages:
    """The receiving end: images by slot. As a context manager it removes the file at the end.

    The file is in the folder for temporary files, not beside the shard, which may be on a network file system.

    Args:
        size: (height, width) of an image, in pixels.
        slots: number of images that the file has room for.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, size: tuple[int, int], slots: int) -> None:
        self._size = size
        self._folder = tempfile.TemporaryDirectory(suffix=ATTEMPT, prefix=f"maskmill-{os.getpid()}-")
        self.path = os.path.join(self._folder.name, "images")
        try:
            self._map = _map_new_file(self.path, size[0] * size[1] * slots)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> SharedImages:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def take(self, slot: int) -> NDArray[np.uint8]:
        """Returns the image in a slot, uint8 [1, H, W]: a view, valid until the slot is reused."""
        height, width = self._size
        flat = np.frombuffer(self._map, np.uint8, height * width, slot * height * width)
        return flat.reshape(1, height, width)


def _map_new_file(path: str, size: int) -> mmap.mmap:
    with open(path, "w+b") as file:
        file.truncate(size)
        return mmap.mmap(file.fileno(), 0)


def put_images(path: str, first_slot: int, images: list[NDArray[np.uint8] | None]) -> None:
    """The sending end: writes images into consecutive slots.

    Args:
        path: `SharedImages.path`.
        first_slot: slot of the first image.
        images: uint8 [1, H, W] each; None skips a slot.

    Raises:
        OSError: the disk is full.
    """
    descriptor = os.open(path, os.O_WRONLY)
    try:
        for slot, image in enumerate(images, first_slot):
            if image is not None:
                _write_all(descriptor, np.ascontiguousarray(image).data.cast("B"), slot * image.size)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: memoryview, offset: int) -> None:
    while content:
        written = os.pwrite(descriptor, content, offset)
        content, offset = content[written:], offset + written
