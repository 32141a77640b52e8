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
        (["--direct_num_workers=0", "--parallelism", "8", "--environment_cache_millis=2000"], []),
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
        ("--direct_num_workers=many", r"--direct_num_workers: 'many' is not a whole number \(an option of Apache Beam"),
        ("--direct_num_workers=1.5", "'1.5' is not a whole number"),
        ("--direct_num_workers=-1", "--direct_num_workers: -1 is too small; the least is 0"),
        ("--direct_running_mode=foo", "--direct_running_mode: invalid choice: 'foo'"),
        ("--direct_runner_bundle_repeat=-1", "the least is 0"),
        ("--parallelism=0", "--parallelism: 0 is too small; the least is 1"),
        ("--parallelism=-1", "the least is 1"),
        ("--max_parallelism=0", "the least is 1"),
        ("--sdk_worker_parallelism=two", "'two' is not a whole number"),
        ("--environment_cache_millis=-5", "the least is 0"),
        ("--job_server_timeout=0", "the least is 1"),
        ("--job-server-timeout=0", "the least is 1"),
        ("--max_num_workers=0", "--max_num_workers: 0 is too small"),
        ("--num_workers=-3", "-3 is too small"),
        ("--number_of_worker_harness_threads=0", "the least is 1"),
        ("--flink_version=1.0", "invalid choice: '1.0'"),
        ("--execution_mode_for_batch=FAST", "invalid choice: 'FAST'"),
        ("--direct_num_workers", "expected one argument"),
    ],
)
def test_a_wrong_value_is_refused(argument: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find_unknown([argument])
