"""What an error of a runner says, in one line."""

from __future__ import annotations

import pytest

from maskmill.pipeline.errors import last_line

JAVA = "Failed:\njava.io.IOException: no space left\n\tat org.apache.Sink.write(Sink.java:1)\n\t... 12 more\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("what happened"), "what happened"),
        (
            RuntimeError("Traceback (most recent call last):\n  File x\nOSError: disk full [while running 'A']\n\n"),
            None,
        ),
        (RuntimeError(JAVA), "java.io.IOException: no space left"),
        (RuntimeError(""), "RuntimeError"),
        (KeyError(), "KeyError"),
    ],
)
def test_the_last_line_says_what_happened(error: Exception, line: str) -> None:
    assert last_line(error) == line
