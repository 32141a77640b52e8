"""A terminal of a given width, and a program in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_SECONDS = 20  # after which a program that says nothing has failed


class Terminal:
    """What a person has in front of them: types, and reads what the program writes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def type(self, text: str) -> None:
        """Types some keys."""
        os.write(self._descriptor, text.encode())

    def read_until(self, pattern: str) -> re.Match[str]:
        """Reads until the text since the last call has a pattern."""
        content, deadline = b"", time.monotonic() + _SECONDS
        while not (match := re.search(pattern, _text(content))):
            more = self._read(deadline)
            assert more, f"{pattern!r} is not in:\n{_text(content)}"
            content += more
        return match

    def read(self) -> str:
        """Reads until the program ends."""
        deadline = time.monotonic() + _SECONDS
        return _text(b"".join(iter(lambda: self._read(deadline), b"")))

    def _read(self, deadline: float) -> bytes:
        ready, _, _ = select.select([self._descriptor], [], [], max(0, deadline - time.monotonic()))
        with contextlib.suppress(OSError):  # EIO: the program has ended
            return os.read(self._descriptor, 1 << 16) if ready else b""
        return b""


def _text(content: bytes) -> str:
    """Decodes what was read, as a whole: a read may end in the middle of a character, or of the end of a line."""
    return content.decode(errors="replace").replace("\r\n", "\n")


@contextlib.contextmanager
def terminal(command: Sequence[str], *, columns: int = 80, cwd: Path | None = None) -> Iterator[Terminal]:
    """Starts a program in a terminal, with the programs of this interpreter on its path."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={**env, "PATH": path, "TERM": "dumb"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as program:
        os.close(theirs)
        try:
            yield Terminal(ours)
        finally:
            program.kill()
            os.close(ours)
