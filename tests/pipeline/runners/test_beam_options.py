"""Which arguments are Beam's."""

from __future__ import annotations

import pytest

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.runners.beam_options import find_unknown


@pytest.mark.parametrize(
    ("arguments", "unknown"),
    [
        ([], []),
        (["--runner=FlinkRunner", "--direct_num_workers", "3", "--dry_run=True"], []),
        (["--execution_mode_for_batch=BATCH_FORCED"], []),
        (["--runer=FlinkRunner"], ["--runer=FlinkRunner"]),
        (["--direct_num_worker=3"], ["--direct_num_worker=3"]),  # no abbreviations
        (["--runner=x", "stray", "--zzz"], ["stray", "--zzz"]),
    ],
)
def test_arguments_that_are_nobodys_are_found(arguments: list[str], unknown: list[str]) -> None:
    assert find_unknown(arguments)[0] == unknown


def test_all_options_of_beam_are_named() -> None:
    assert {"--runner", "--direct_num_workers", "--execution_mode_for_batch", "--flink_master"} <= {
        *find_unknown([])[1]
    }


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--direct_num_workers=many", "invalid int value: 'many', says Apache Beam"),
        ("--execution_mode_for_batch=FAST", "invalid choice: 'FAST'"),
        ("--direct_num_workers", "expected one argument"),
    ],
)
def test_a_wrong_value_is_refused(argument: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find_unknown([argument])
