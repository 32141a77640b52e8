"""Images reach another process through a file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maskmill.transforms.parallel.shared_images import SharedImages, put_images
from tests.support.builders import grey_pixels
from tests.support.command import ROOT

PUT_FROM_ANOTHER_PROCESS = """
import sys
from tests.support.builders import grey_pixels
from maskmill.transforms.parallel.shared_images import put_images
put_images(sys.argv[1], 1, [grey_pixels(7, 5, 3)[None]])
"""


def test_images_are_taken_from_where_they_were_put() -> None:
    with SharedImages((4, 6), 3) as images:
        first, third = grey_pixels(1, 4, 6)[np.newaxis], grey_pixels(3, 4, 6)[np.newaxis]
        put_images(images.path, 0, [first, None, third])
        assert np.array_equal(images.take(0), first)
        assert not images.take(1).any()
        assert np.array_equal(images.take(2), third)
        put_images(images.path, 0, [third])
        assert np.array_equal(images.take(0), third)


def test_an_image_of_another_process_is_seen() -> None:
    with SharedImages((5, 3), 2) as images:
        subprocess.run([sys.executable, "-c", PUT_FROM_ANOTHER_PROCESS, images.path], check=True, cwd=ROOT)
        assert np.array_equal(images.take(1)[0], grey_pixels(7, 5, 3))


def test_nothing_is_left_and_a_killed_process_can_be_told_by_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SharedImages((4, 6), 3) as images:
        folder = Path(images.path).parent
        assert folder.name.startswith(f"maskmill-{os.getpid()}-")
        assert folder.name.endswith(".attempt")
    assert list(tmp_path.iterdir()) == []


MAKE_TOO_LARGE = """
import resource, signal, sys
from maskmill.transforms.parallel.shared_images import SharedImages

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    SharedImages((100, 100), 3)
except OSError as error:
    sys.exit(error.errno)
"""


def test_a_file_that_cannot_be_made_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", MAKE_TOO_LARGE],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (errno.EFBIG, "")
    assert list(tmp_path.iterdir()) == []
