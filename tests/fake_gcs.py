"""A server that answers to gs:// paths, in memory: fake-gcs-server, started by the tests and ended with them.

    go install github.com/fsouza/fake-gcs-server@v1.56.1

It is looked for in $FAKE_GCS_SERVER, on PATH, in the cache of the tests, and where Go installs programs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.command import ROOT

NAME = "fake-gcs-server"
ANONYMOUS = ROOT / "tests" / "anonymous"
START_SECONDS = 30


def find_server() -> str | None:
    """Path of the program; None where it is not installed."""
    cache = Path(os.environ.get("STEELBEAM_CACHE", "~/.cache/steelbeam")).expanduser() / "bin" / NAME
    places = [os.environ.get("FAKE_GCS_SERVER"), shutil.which(NAME), cache, _go_path() / "bin" / NAME]
    return next((str(place) for place in places if place and os.access(place, os.X_OK)), None)


def _go_path() -> Path:
    if shutil.which("go"):
        done = subprocess.run(["go", "env", "GOPATH"], capture_output=True, text=True, timeout=60, check=True)
        return Path(done.stdout.strip())
    return Path("~/go").expanduser()


@contextlib.contextmanager
def fake_gcs(program: str) -> Iterator[str]:
    """Runs a server without any bucket; gives its URL, for STORAGE_EMULATOR_HOST."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["-backend=memory", "-scheme=http", "-host=127.0.0.1", f"-port={port}", "-log-level=error"]
    addresses = [f"-external-url={url}", f"-public-host=127.0.0.1:{port}"]
    with subprocess.Popen([program, *options, *addresses], stdin=subprocess.DEVNULL) as server:
        try:
            _wait_until_up(server, url)
            yield url
        finally:
            server.kill()


def anonymous_environment(url: str) -> dict[str, str]:
    """The environment of a process that takes this server for Google's, and asks nobody who it is."""
    path = os.pathsep.join([str(ANONYMOUS), str(ROOT)])
    return {**os.environ, "STORAGE_EMULATOR_HOST": url, "PYTHONPATH": path}


def make_bucket(url: str, bucket: str) -> None:
    """Makes a bucket; its name has three characters at least."""
    content = json.dumps({"name": bucket}).encode()
    _ask(f"{url}/storage/v1/b?project=test", content, {"Content-Type": "application/json"})


def put(url: str, path: str, content: bytes) -> None:
    """Writes an object, such as `gs://bucket/name`."""
    bucket, name = _parts(path)
    _ask(f"{url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={_quoted(name)}", content)


def get(url: str, path: str) -> bytes:
    """Content of an object."""
    bucket, name = _parts(path)
    return _ask(f"{url}/storage/v1/b/{bucket}/o/{_quoted(name)}?alt=media")


def list_objects(url: str, path: str) -> list[str]:
    """Paths of the objects whose path begins so."""
    bucket, name = _parts(path)
    answer = json.loads(_ask(f"{url}/storage/v1/b/{bucket}/o?prefix={_quoted(name)}"))
    return [f"gs://{bucket}/{item['name']}" for item in answer.get("items", [])]


def _parts(path: str) -> tuple[str, str]:
    bucket, _, name = path.removeprefix("gs://").partition("/")
    return bucket, name


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _ask(url: str, content: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, content, headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_up(server: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"{NAME} ended at once, with status {server.returncode}")
        with contextlib.suppress(OSError):
            _ask(f"{url}/_internal/healthcheck")
            return
        time.sleep(0.05)
    raise RuntimeError(f"{NAME} does not answer on {url}")
