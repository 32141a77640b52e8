"""What of an error is said."""

from __future__ import annotations

import pytest

from maskmill.pipeline.errors import DamagedError, MaskmillError, TooManyRejectedError, UsageError, error_of, last_line
from maskmill.transforms.files.errors import NameNotUtf8Error, NoFileSystemError

JAVA = """\
Traceback (most recent call last):
  File "worker.py", line 3, in process
OSError: [Errno 28] No space left on device

	at org.apache.beam.sdk.Harness.run(Harness.java:7)
	... 12 more
"""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("wrong"), "wrong"),
        (ValueError("first\nlast  \n\n"), "last"),
        (RuntimeError(JAVA), "OSError: [Errno 28] No space left on device"),
        (KeyError(), "KeyError"),
        (RuntimeError(" \n"), "RuntimeError"),
        (RuntimeError("\tat org.apache.Beam"), "RuntimeError"),
    ],
)
def test_the_last_line_says_what_has_happened(error: Exception, line: str) -> None:
    assert last_line(error) == line


def test_each_kind_of_error_has_its_exit_status_and_its_code() -> None:
    kinds = (MaskmillError, UsageError, TooManyRejectedError, DamagedError)
    assert [kind.exit_status for kind in kinds] == [1, 2, 3, 4]
    assert [kind.code for kind in kinds] == ["FAILED", "WRONG_USAGE", "TOO_MANY_REJECTED", "DAMAGED"]
    assert TooManyRejectedError("many").codes == {}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.csv"), MaskmillError),
        (NoFileSystemError("x://y: there is no such file system"), UsageError),
        (NameNotUtf8Error("\udcff"), UsageError),
    ],
)
def test_an_error_of_the_system_becomes_one_of_a_run_with_the_same_words(
    error: OSError, kind: type[MaskmillError]
) -> None:
    found = error_of(error)
    assert type(found) is kind
    assert str(found) == str(error)
