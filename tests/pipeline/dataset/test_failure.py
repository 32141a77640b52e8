"""Why a run published nothing reaches the program that started it, and what it left is described."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill.names import JOURNAL, MANIFEST
from maskmill.pipeline.dataset.failure import describe_state, leave_failure, raise_failure
from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError
from tests.support.publications import make_job, stage


def test_the_error_that_was_left_is_raised(tmp_path: Path) -> None:
    job = make_job(tmp_path).job
    Path(job.output.staging).mkdir(parents=True)
    raise_failure(job)
    leave_failure(job, MaskmillError("2 rows were lost"))
    with pytest.raises(MaskmillError, match=r"^2 rows were lost$"):
        raise_failure(job)
    leave_failure(job, TooManyRejectedError("3 rejected", {"IMAGE_EMPTY": 3}))
    with pytest.raises(TooManyRejectedError, match=r"^3 rejected$") as caught:
        raise_failure(job)
    assert caught.value.codes == {"IMAGE_EMPTY": 3}


def test_what_a_run_left_is_described(tmp_path: Path) -> None:
    publication = make_job(tmp_path)
    job = publication.job
    resumes = f"are finished in {job.output.staging}: the same command resumes"
    assert describe_state(job) == f"nothing was published; 0 of 4 shards {resumes}"
    metadata = stage(publication)
    for path in Path(job.output.staging).rglob("*.h5"):
        path.with_name(f"{path.name}.json").touch()
    assert describe_state(job) == f"nothing was published; 4 of 4 shards {resumes}"
    publication.publish(metadata)
    assert describe_state(job) == "the dataset in out is whole; the same command removes what is left of the run"

    other = publication.changed("input", fingerprint="another input").job
    assert describe_state(other) == f"nothing was published; 0 of 4 shards {resumes}; the dataset in out is whole"


def test_a_run_that_failed_in_the_middle_of_publishing_says_so(tmp_path: Path) -> None:
    publication = make_job(tmp_path)
    publication.publish(stage(publication))
    (tmp_path / MANIFEST).unlink()
    (tmp_path / JOURNAL).parent.mkdir()
    (tmp_path / JOURNAL).write_text('{"files": [], "shards": {}, "key": "key"}')
    assert describe_state(publication.job) == (
        "in the middle of publishing; out is no dataset until the same command has ended"
    )


def test_a_folder_that_cannot_be_looked_at_is_described_by_the_reason(tmp_path: Path) -> None:
    job = make_job(tmp_path).job
    (tmp_path / MANIFEST).write_text("{")
    assert describe_state(job).startswith("what is in out cannot be seen either: ")
