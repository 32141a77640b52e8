"""What of an error is said."""

from __future__ import annotations

import pytest

from maskmill.pipeline.errors import DamagedError, MaskmillError, TooManyRejectedError, UsageError, last_line

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


def test_each_kind_of_error_has_its_exit_status() -> None:
    kinds = (MaskmillError, UsageError, TooManyRejectedError, DamagedError)
    assert [kind.exit_status for kind in kinds] == [1, 2, 3, 4]
    assert TooManyRejectedError("many").codes == {}
