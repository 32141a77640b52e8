"""Images on their way from the processes that decode: through a file that is in memory, as a pipe takes longer.

The file has a place for each image that may be on its way. Places are used again and again, so that hardly any of it
ever reaches the disk.
"""

from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np
from numpy.typing import NDArray

from maskmill.names import ATTEMPT


class SharedImages:
    """Images by their places, for the process that writes the shard; a context manager, at whose end the file goes.

    It lies among the temporary files, not beside the shard: that may be on a file system of the network.

    Args:
        size: (height, width) of an image, in pixels.
        places: number of images.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, size: tuple[int, int], places: int) -> None:
        self._size = size
        self._folder = tempfile.TemporaryDirectory(suffix=ATTEMPT, prefix=f"maskmill-{os.getpid()}-")
        self.path = os.path.join(self._folder.name, "images")
        try:
            self._map = _map_new_file(self.path, size[0] * size[1] * places)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> SharedImages:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def take(self, place: int) -> NDArray[np.uint8]:
        """The image in a place, uint8 [1, H, W]; it is there until another takes the place."""
        height, width = self._size
        flat = np.frombuffer(self._map, np.uint8, height * width, place * height * width)
        return flat.reshape(1, height, width)


def _map_new_file(path: str, size: int) -> mmap.mmap:
    with open(path, "w+b") as file:
        file.truncate(size)
        return mmap.mmap(file.fileno(), 0)


def put_images(path: str, first_place: int, images: list[NDArray[np.uint8] | None]) -> None:
    """Puts images, uint8 [1, H, W], in places that follow each other; None leaves one out.

    Raises:
        OSError: the disk is full.
    """
    descriptor = os.open(path, os.O_WRONLY)
    try:
        for place, image in enumerate(images, first_place):
            if image is not None:
                _write_all(descriptor, np.ascontiguousarray(image).data.cast("B"), place * image.size)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: memoryview, offset: int) -> None:
    while content:
        written = os.pwrite(descriptor, content, offset)
        content, offset = content[written:], offset + written
