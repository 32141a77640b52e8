"""Object stores on this machine: fake-gcs-server for gs://, moto for s3://, each behind a `FaultProxy`."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maskmill.names import HISTORY
from tests.support.fault_proxy import FaultProxy
from tests.support.needs import needs, needs_package

BUCKET = "maskmill-tests"
_START_SECONDS = 30
_ANONYMOUS = str(Path(__file__).parent / "anonymous")


@dataclasses.dataclass
class Store:
    """A store with one bucket.

    Attributes:
        scheme: "gs" or "s3".
        proxy: through which the program speaks to it.
        variables: of the environment, that a program needs for it.
        client: of the store itself, past the proxy.
    """

    scheme: str
    proxy: FaultProxy
    variables: Mapping[str, str]
    client: Any

    def path(self, name: str) -> str:
        """The path of an object."""
        return f"{self.scheme}://{BUCKET}/{name}"

    def put(self, name: str, content: bytes) -> None:
        """Makes an object."""
        if self.scheme == "gs":
            self.client.bucket(BUCKET).blob(name).upload_from_string(content)
        else:
            self.client.put_object(Bucket=BUCKET, Key=name, Body=content)

    def put_folder(self, folder: Path, name: str) -> None:
        """Makes objects of all files of a folder."""
        for file in folder.rglob("*"):
            if file.is_file():
                self.put(f"{name}/{file.relative_to(folder)}", file.read_bytes())

    def get(self, name: str) -> bytes:
        """Content of an object."""
        if self.scheme == "gs":
            return self.client.bucket(BUCKET).blob(name).download_as_bytes()
        return self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read()

    def names(self, folder: str = "") -> list[str]:
        """Names of the objects below a folder, in order, without its own."""
        prefix = f"{folder}/" if folder else ""
        if self.scheme == "gs":
            names = [blob.name for blob in self.client.list_blobs(BUCKET, prefix=prefix)]
        else:
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
            names = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return sorted(name.removeprefix(prefix) for name in names)

    def tree(self, folder: str) -> dict[str, bytes]:
        """Content of every object below a folder, but of the history, which holds times."""
        names = (name for name in self.names(folder) if name != HISTORY)
        return {name: self.get(f"{folder}/{name}".lstrip("/")) for name in names}

    def delete(self, name: str) -> None:
        """Removes an object."""
        if self.scheme == "gs":
            self.client.bucket(BUCKET).blob(name).delete()
        else:
            self.client.delete_object(Bucket=BUCKET, Key=name)

    def clear(self, folder: str) -> None:
        """Removes all objects below a folder."""
        for name in self.names(folder):
            self.delete(f"{folder}/{name}".lstrip("/"))


@contextlib.contextmanager
def google_cloud_storage() -> Iterator[Store]:
    """Starts fake-gcs-server."""
    needs_package("google.cloud.storage", "gcp")
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    port, proxy = _free_port(), FaultProxy()
    command = [_find_fake_gcs_server(), "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1"]
    command += ["-port", str(port), "-external-url", proxy.url, "-public-host", f"127.0.0.1:{proxy.port}"]
    with _server([*command, "-log-level", "error"], f"http://127.0.0.1:{port}/_internal/healthcheck"), proxy.running():
        proxy.upstream = port
        variables = {
            "STORAGE_EMULATOR_HOST": proxy.url,
            "GOOGLE_CLOUD_PROJECT": "maskmill-tests",
            "PYTHONPATH": os.pathsep.join(filter(None, [_ANONYMOUS, os.environ.get("PYTHONPATH")])),
        }
        client = storage.Client(
            project="maskmill-tests",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": f"http://127.0.0.1:{port}"},
        )
        client.create_bucket(BUCKET)
        yield Store("gs", proxy, variables, client)


def _find_fake_gcs_server() -> str:
    """The program that stands for Google Cloud Storage, built where it is not there yet."""
    needs("go")
    install = [str(Path(__file__).parent / "install_fake_gcs.sh")]
    return subprocess.run(install, stdout=subprocess.PIPE, text=True, timeout=1200, check=True).stdout.strip()


@contextlib.contextmanager
def amazon_s3() -> Iterator[Store]:
    """Starts moto's server."""
    needs_package("boto3", "aws")
    needs_package("moto", "test-stores")
    import boto3

    port, proxy = _free_port(), FaultProxy()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _server(command, f"http://127.0.0.1:{port}/"), proxy.running():
        proxy.upstream = port
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=BUCKET)
        yield Store("s3", proxy, {**keys, "AWS_ENDPOINT_URL_S3": proxy.url}, client)


@contextlib.contextmanager
def _server(command: list[str], url: str) -> Iterator[None]:
    """Runs a server until the body ends, from when it answers."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(url, server)
            yield
        finally:
            server.kill()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            assert server.poll() is None, f"{server.args} has ended"
            assert time.monotonic() < deadline, f"{server.args} does not answer"
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
