"""The compiled kernel computes what NumPy does, to the bit, and touches no memory that is not its own."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskmill.transforms import kernel
from maskmill.transforms.examples import draw_mask, measure, resize
from maskmill.transforms.examples.draw_mask import draw_mask as draw
from maskmill.transforms.examples.measure import sum_blocks
from maskmill.transforms.examples.resize import resize_bicubic
from maskmill.transforms.shards import deflate_runs as deflate
from maskmill.transforms.shards.deflate_runs import deflate_runs
from maskmill.views import Box
from tests.support.command import ROOT
from tests.support.needs import needs

FLAGS = ["-shared", "-fPIC", "-g", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

sizes = st.integers(1, 300)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(name="compiled")
def give_kernel() -> ModuleType:
    """Skips a test where there is none; `test_it_is_there_where_a_compiler_is` sees to it that this is right."""
    if kernel.KERNEL is None:
        pytest.skip("the kernel is not compiled")
    return kernel.KERNEL


uses_kernel = pytest.mark.usefixtures("compiled")


def with_numpy(function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """Calls a function of a module that has the kernel, as if it had none."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (resize, draw_mask, measure, deflate):
            patch.setattr(module, "KERNEL", None)
        return function(*arguments, **more)


def test_it_is_there_where_a_compiler_is() -> None:
    compiler = os.environ.get("CC", sysconfig.get_config_var("CC"))
    works = subprocess.run([*shlex.split(compiler), "--version"], capture_output=True, check=False).returncode == 0
    mend = "install maskmill again to compile it" if works else f"remove {kernel.KERNEL}, of an earlier installation"
    assert (kernel.KERNEL is not None) == works, mend


@uses_kernel
@given(seeds, st.integers(1, 9), st.integers(1, 2000), sizes)
@example(0, 4, 1600, 256)
@example(0, 4, 7, 300)
@example(0, 2, 1600, 1)  # too many weights
@example(0, 3, 40, 40)
def test_it_resizes_to_the_same_pixels(seed: int, height: int, width: int, to_width: int) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (height, width), np.uint8)
    if seed % 2:  # the largest sums, and sums beside a half
        pixels = np.where(pixels < 128, np.uint8(0), np.uint8(255))
    assert np.array_equal(
        resize_bicubic(pixels, height, to_width), with_numpy(resize_bicubic, pixels, height, to_width)
    )


@uses_kernel
@given(seeds, st.integers(1, 60), st.integers(1, 60), sizes, sizes, st.integers(0, 40), st.booleans())
def test_it_draws_the_same_mask(
    seed: int, height: int, width: int, to_height: int, to_width: int, count: int, by_rows: bool
) -> None:
    random = np.random.default_rng(seed)
    starts = random.integers(1, height * width + 1, count)
    lengths = np.minimum(random.integers(0, 3 * height, count), height * width + 1 - starts)
    runs = np.stack([starts, lengths], axis=1)
    (top, bottom), (left, right) = (np.sort(random.choice(size + 1, 2, replace=False)) for size in (height, width))
    for shown in (None, Box(top, left, bottom - top, right - left)):
        drawn = functools.partial(draw, runs, (height, width), (to_height, to_width), by_rows=by_rows, shown=shown)
        assert np.array_equal(drawn(), with_numpy(drawn))


@given(seeds, st.integers(1, 60), st.integers(1, 60), st.booleans())
def test_a_part_of_a_mask_is_cut_from_the_whole(seed: int, height: int, width: int, by_rows: bool) -> None:
    random = np.random.default_rng(seed)
    starts = random.integers(1, height * width + 1, 20)
    runs = np.stack([starts, np.minimum(random.integers(1, 2 * height + 1, 20), height * width + 1 - starts)], axis=1)
    (top, bottom), (left, right) = (np.sort(random.choice(size + 1, 2, replace=False)) for size in (height, width))
    shown = Box(top, left, bottom - top, right - left)
    whole = draw(runs, (height, width), (height, width), by_rows=by_rows)
    part = draw(runs, (height, width), shown.size, by_rows=by_rows, shown=shown)
    assert np.array_equal(part, whole[top:bottom, left:right])


@uses_kernel
@given(seeds, st.integers(1, 600), st.integers(1, 600))
@example(0, 8, 9)
@example(1, 4200, 40)  # more lines in a block than are summed at a time
@example(1, 9, 65536)  # the widest
@example(1, 9, 65537)
def test_it_sums_the_same_blocks(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(255 * (seed % 2), 256, (height, width), np.uint8)
    blocks, total, squares = sum_blocks(pixels)
    expected = with_numpy(sum_blocks, pixels)
    assert np.array_equal(blocks, expected.blocks)
    assert (total, squares) == expected[1:]


@uses_kernel
@given(seeds, st.lists(st.integers(1, 5000), min_size=1, max_size=60), st.integers(1, 4), st.integers(2, 5))
@example(0, [2**20], 4, 2)
def test_it_compresses_to_the_same_bytes(seed: int, lengths: list[int], item: int, count: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, count, len(lengths), np.uint8)
    numbers = tuple(bytes(random.integers(0, 256, item, np.uint8)) for _ in range(count))
    plane = np.repeat(values, lengths)
    assert deflate_runs(plane, numbers) == with_numpy(deflate_runs, plane, numbers)


def plane(*shape: int, kind: type = np.uint8) -> NDArray[Any]:
    return np.zeros(shape, kind)


RESIZE = (plane(2, 3), plane(2, 9), plane(3, kind=np.int32), plane(3, 8, kind=np.int16), plane(3, 8, kind=np.int16))
DRAW = (plane(2, 3), plane(1, 2, kind=np.int64) + 1, np.array([0, 1, 2], np.int32), np.array([0, 3], np.int32))
BLOCKS = (
    *(plane(2, 1, kind=np.uint64), plane(1, kind=np.uint64), plane(3, 4)),
    *(np.array([0, 2, 3], np.int32), np.array([0, 4], np.int32)),
)
DEFLATE = (plane(5), *deflate._tables((b"a", b"b")))


def other(arguments: tuple[NDArray[Any], ...], index: int, value: object) -> tuple[object, ...]:
    return (*arguments[:index], value, *arguments[index + 1 :])


@uses_kernel
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("resize", RESIZE[:4]),
        ("resize", other(RESIZE, 0, plane(3, 3))),
        ("resize", other(RESIZE, 0, plane(2, 3, kind=np.int16))),
        ("resize", other(RESIZE, 0, plane(2, 4))),
        ("resize", other(RESIZE, 1, plane(2, 9).ravel())),
        ("resize", other(RESIZE, 2, np.array([0, 1, 9], np.int32))),
        ("resize", other(RESIZE, 2, np.array([-1, 1, 2], np.int32))),
        ("resize", (*RESIZE[:3], plane(3, 7, kind=np.int16), plane(3, 7, kind=np.int16))),
        ("resize", (*RESIZE[:3], plane(3, 136, kind=np.int16), plane(3, 136, kind=np.int16))),
        ("resize", other(RESIZE, 4, plane(3, 16, kind=np.int16))),
        ("draw_down", other(DRAW, 1, np.array([[1, 3]]))),
        ("draw_down", other(DRAW, 1, np.array([[0, 1]]))),
        ("draw_down", other(DRAW, 1, np.array([[2, 1], [1, 1]]))),
        ("draw_down", other(DRAW, 1, np.array([[1, -1]]))),
        ("draw_down", other(DRAW, 1, np.array([[2**62, 2**62]]))),
        ("draw_down", other(DRAW, 1, np.array([[1, 1, 1]]))),
        ("draw_along", other(DRAW, 2, np.array([0, 1, 3], np.int32))),
        ("draw_along", other(DRAW, 2, np.array([0, 3, 2], np.int32))),
        ("draw_along", other(DRAW, 3, np.array([3], np.int32))),
        ("sum_blocks", BLOCKS[:4]),
        ("sum_blocks", other(BLOCKS, 0, plane(3, 1, kind=np.uint64))),
        ("sum_blocks", other(BLOCKS, 0, plane(2, 2, kind=np.uint64))),
        ("sum_blocks", other(BLOCKS, 0, plane(2, 1, kind=np.uint32))),
        ("sum_blocks", other(BLOCKS, 1, plane(2, kind=np.uint64))),
        ("sum_blocks", other(BLOCKS, 1, plane(0, kind=np.uint64))),
        ("sum_blocks", other(BLOCKS, 2, plane(4, 4))),
        ("sum_blocks", other(BLOCKS, 2, plane(3, 5))),
        ("sum_blocks", other(BLOCKS, 3, np.array([0, 4, 3], np.int32))),
        ("sum_blocks", other(BLOCKS, 3, np.array([0, -1, 3], np.int32))),
        ("sum_blocks", other(BLOCKS, 3, np.array([1, 2, 3], np.int32))),
        ("sum_blocks", other(BLOCKS, 4, np.array([0, 5], np.int32))),
        ("sum_blocks", (*BLOCKS[:2], plane(3, 65537), BLOCKS[3], np.array([0, 65537], np.int32))),
        ("deflate_runs", other(DEFLATE, 0, plane(0))),
        ("deflate_runs", other(DEFLATE, 0, plane(5) + np.uint8(2))),
        ("deflate_runs", other(DEFLATE, 1, np.array([9, 1, 1, 1]))),
        ("deflate_runs", other(DEFLATE, 1, np.array([1, 2**40, 1, 1]))),
        ("deflate_runs", other(DEFLATE, 1, np.array([1, 1, 1]))),
        ("deflate_runs", other(DEFLATE, 3, DEFLATE[3][:, :5].copy())),
        ("deflate_runs", other(DEFLATE, 4, DEFLATE[4] + 58)),
        ("deflate_runs", other(DEFLATE, 5, DEFLATE[5] + 2**40)),
        ("deflate_runs", other(DEFLATE, 6, DEFLATE[6] - 1)),
    ],
)
def test_it_refuses_arrays_that_do_not_fit(compiled: ModuleType, function: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        getattr(compiled, function)(*arguments)


@uses_kernel
def test_it_refuses_what_is_no_array_in_c_order_or_not_to_be_written(compiled: ModuleType) -> None:
    fixed = plane(2, 3)
    fixed.flags.writeable = False
    for target in (plane(3, 2).T, fixed, None):
        with pytest.raises((ValueError, TypeError, BufferError)):
            compiled.resize(target, *RESIZE[1:])


def build_with_sanitizers(folder: Path, *flags: str) -> Path:
    """Compiles the kernel so that each wrong access and each undefined operation ends the process."""
    target = folder / f"_kernel{importlib.machinery.EXTENSION_SUFFIXES[0]}"
    include = sysconfig.get_paths()["include"]
    source = ROOT / "transforms" / "kernel.c"
    command = ["gcc", *FLAGS, *SANITIZERS, *flags, f"-I{include}", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run_tests_with(path: Path) -> int:
    """Runs the other tests of this file with another build of the kernel, in this process."""
    spec = importlib.util.spec_from_file_location("maskmill.transforms._kernel", path)
    assert spec is not None
    assert spec.loader is not None
    built = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(built)
    for module in (kernel, resize, draw_mask, measure, deflate):
        vars(module)["KERNEL"] = built
    chosen = "resizes or draws or sums or compresses or refuses"
    return pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", chosen, __file__])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux loads the library of the sanitizers first")
@pytest.mark.parametrize("flags", [[], ["-U__SSE2__"]], ids=["this processor", "any processor"])
def test_it_passes_the_sanitizers(tmp_path: Path, flags: list[str]) -> None:
    needs("gcc")
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout
    built = build_with_sanitizers(tmp_path, *flags)
    # tests.conftest comes first: it takes the deadline away from tests that are defined after it.
    imports = "import tests.conftest; from tests.transforms.test_kernel import *"
    code = f"{imports}; sys.exit(run_tests_with(Path({str(built)!r})))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": library.strip(), "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
