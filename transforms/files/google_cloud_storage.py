"""Accesses Google Cloud Storage, through its client library and Beam's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.object_store import Content, FileInfo, ObjectStore, not_found, parse_path


class GoogleCloudStorage(ObjectStore):
    """Objects named `gs://bucket/name`; a version is a generation."""

    scheme = "gs"
    requirement = "apache-beam[gcp]"

    def __init__(self, options: PipelineOptions) -> None:
        from apache_beam.io.gcp import gcsio
        from google.api_core.exceptions import NotFound, PreconditionFailed, RequestRangeNotSatisfiable

        self._client = gcsio.create_storage_client(options)
        self._beam = gcsio.GcsIO(self._client, options)
        self._not_found: type[Exception] = NotFound
        self._conflict: type[Exception] = PreconditionFailed
        self._past_end: type[Exception] = RequestRangeNotSatisfiable

    def _blob(self, path: str) -> Any:
        bucket, name = parse_path(path)
        return self._client.bucket(bucket).blob(name)

    def read(self, path: str) -> Content:
        blob = self._blob(path)
        with as_os_error(path):
            try:
                data = blob.download_as_bytes(raw_download=True)
            except self._not_found as error:
                raise not_found(path) from error
        return Content(data, str(blob.generation))

    def read_range(self, path: str, start: int, stop: int) -> bytes:
        with as_os_error(path):
            try:
                return bytes(self._blob(path).download_as_bytes(raw_download=True, start=start, end=stop - 1))
            except self._past_end:
                return b""
            except self._not_found as error:
                raise not_found(path) from error

    def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
        bucket, name = parse_path(prefix)
        fields = "items(name,size,updated),nextPageToken"
        with as_os_error(prefix):
            blobs = self._client.list_blobs(bucket, prefix=name, delimiter=None if below else "/", fields=fields)
            for blob in blobs:
                yield FileInfo(f"{self.scheme}://{bucket}/{blob.name}", blob.size, blob.updated.timestamp())

    def write(self, path: str, content: bytes) -> None:
        with as_os_error(path):
            self._blob(path).upload_from_string(content, "application/octet-stream")

    def swap(self, path: str, content: bytes, version: str) -> str | None:
        blob = self._blob(path)
        with as_os_error(path):
            try:
                blob.upload_from_string(
                    content, "application/octet-stream", if_generation_match=int(version) if version else 0
                )
            except self._conflict:
                return None
        return str(blob.generation)

    def upload(self, local: str, path: str) -> None:
        with as_os_error(path):
            self._blob(path).upload_from_filename(local, "application/octet-stream")

    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        for source, target, error in self._in_batches(self._beam.copy_batch, pairs):
            if error:
                raise not_found(source) if error == 404 else OSError(f"{target}: cannot be written (status {error})")

    def delete(self, paths: Sequence[str]) -> None:
        for path, error in self._in_batches(self._beam.delete_batch, paths):
            if error:
                raise OSError(f"{path}: cannot be removed (status {error})")

    def _in_batches(self, send: Callable[..., Sequence[Any]], requests: Sequence[Any]) -> Sequence[Any]:
        """Sends requests in batches; Beam repeats the parts of a batch that fail."""
        with as_os_error("gs://"):
            try:
                return send([*requests])
            except AttributeError as error:  # raised by Beam itself if it gives up before any answer
                raise OSError("gs://: the store does not answer requests in batches") from error
