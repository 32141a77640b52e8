"""The memory of arrays that come and go is used again."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys

import numpy as np
import pytest

from maskmill.transforms.parallel.process_pool import process_pool
from tests.support.command import ROOT

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library is tuned")


def faults_of_arrays() -> int:
    """Counts the pages that the system has to clear for arrays that come and go, after some have come and gone."""

    def make() -> None:
        _ = [np.ones(2**21, np.uint8) for _ in range(6)]

    make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        make()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_the_processes_of_a_pool_are_tuned() -> None:
    assert process_pool(1).submit(faults_of_arrays).result(timeout=60) < 1000


COUNT_FAULTS = """
import sys
from maskmill.transforms.parallel.memory import tune_malloc
from tests.transforms.parallel.test_memory import faults_of_arrays
if sys.argv[1] == "tuned":
    tune_malloc()
print(faults_of_arrays())
"""


@pytest.mark.parametrize("how", ["tuned", "as usual"])
def test_malloc_is_tuned_and_it_makes_a_difference(how: str) -> None:
    command = [sys.executable, "-c", COUNT_FAULTS, how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (int(done.stdout) < 1000) == (how == "tuned")
