"""A server that answers to gs:// paths, in memory: fake-gcs-server, started by the tests and ended with them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

PROGRAM = "fake-gcs-server"
BUCKET = "steelbeam-tests"
ANONYMOUS = Path(__file__).parent / "anonymous"
_START_SECONDS = 30


def missing(what: str, remedy: str) -> NoReturn:
    """Fails where everything has to be there, and skips elsewhere, with the reason."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is not there: {remedy}")
    raise AssertionError


@dataclasses.dataclass(frozen=True)
class FakeGcs:
    """A server with one bucket.

    Attributes:
        url: where it answers.
    """

    url: str

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of a program that takes this server for Google's, and asks nobody who it is."""
        path = os.pathsep.join(filter(None, [str(ANONYMOUS), os.environ.get("PYTHONPATH")]))
        return {"STORAGE_EMULATOR_HOST": self.url, "GOOGLE_CLOUD_PROJECT": "steelbeam-tests", "PYTHONPATH": path}

    def path(self, name: str) -> str:
        """The path of an object."""
        return f"gs://{BUCKET}/{name}"

    def put(self, name: str, content: bytes) -> None:
        """Makes an object."""
        _ask(f"{self.url}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={_quoted(name)}", content)

    def put_folder(self, folder: Path, name: str) -> None:
        """Makes objects of all files of a folder."""
        for file in folder.rglob("*"):
            if file.is_file():
                self.put(f"{name}/{file.relative_to(folder)}", file.read_bytes())

    def get(self, name: str) -> bytes:
        """Content of an object."""
        return _ask(f"{self.url}/storage/v1/b/{BUCKET}/o/{_quoted(name)}?alt=media")

    def names(self, folder: str = "") -> list[str]:
        """Names of the objects below a folder, in order, without its own."""
        prefix = f"{folder}/" if folder else ""
        answer = json.loads(_ask(f"{self.url}/storage/v1/b/{BUCKET}/o?prefix={_quoted(prefix)}"))
        return sorted(item["name"].removeprefix(prefix) for item in answer.get("items", ()))


@contextlib.contextmanager
def fake_gcs() -> Iterator[FakeGcs]:
    """Runs a server until the body ends."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["-backend=memory", "-scheme=http", "-host=127.0.0.1", f"-port={port}", "-log-level=error"]
    command = [_find_server(), *options, f"-external-url={url}", f"-public-host=127.0.0.1:{port}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as server:
        try:
            _wait_for(f"{url}/_internal/healthcheck", server)
            _ask(f"{url}/storage/v1/b?project=steelbeam-tests", json.dumps({"name": BUCKET}).encode())
            yield FakeGcs(url)
        finally:
            server.kill()


def _find_server() -> str:
    cache = Path(os.environ.get("STEELBEAM_CACHE", "~/.cache/steelbeam")).expanduser() / "bin" / PROGRAM
    for place in (os.environ.get("FAKE_GCS_SERVER"), shutil.which(PROGRAM), cache, _go_path() / "bin" / PROGRAM):
        if place and os.access(place, os.X_OK):
            return str(place)
    missing(PROGRAM, "go install github.com/fsouza/fake-gcs-server@v1.56.1")


def _go_path() -> Path:
    if shutil.which("go"):
        done = subprocess.run(["go", "env", "GOPATH"], capture_output=True, text=True, timeout=60, check=True)
        return Path(done.stdout.strip())
    return Path("~/go").expanduser()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _ask(url)
        except OSError:
            assert server.poll() is None, f"{PROGRAM} has ended"
            assert time.monotonic() < deadline, f"{PROGRAM} does not answer"
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _ask(url: str, content: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())
