"""Objects of Google Cloud Storage and Amazon S3, by the clients of these stores.

`FileSystems` of Beam makes a client for each call on S3, needs two or three requests for one object, lists all that is
below a folder, takes names for patterns, and cannot create an object only where there is none. All other file systems
stay with it.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from transforms.os_errors import as_os_error

_Result = TypeVar("_Result")

# Version of an object that is not there.
ABSENT = ""
_PARALLEL_COPIES = 8


class FileInfo(NamedTuple):
    """A file of a folder: its path, its size in bytes, and when it was modified, in seconds since the epoch."""

    path: str
    size: int
    modified: float

    @property
    def name(self) -> str:
        """Its name in the folder."""
        return self.path.rsplit("/", 1)[-1]


class Content(NamedTuple):
    """What an object holds, and which version of it that is."""

    data: bytes
    version: str


class ObjectStore(abc.ABC):
    """A store of objects; an object is there as a whole or not at all. All errors are OSErrors.

    Names are whole paths, such as `gs://bucket/name`. The methods may be called by many threads.
    """

    @abc.abstractmethod
    def read(self, path: str) -> Content:
        """What an object holds.

        Raises:
            FileNotFoundError: there is no such object.
        """

    @abc.abstractmethod
    def read_range(self, path: str, start: int, stop: int) -> bytes:
        """The bytes of an object from one offset to another, as far as it has them.

        Raises:
            FileNotFoundError: there is no such object.
        """

    @abc.abstractmethod
    def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
        """Objects whose paths begin with a prefix, ordered by name.

        Args:
            prefix: of the paths.
            below: whether also those are meant that have a `/` after the prefix.
        """

    @abc.abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Makes an object, or replaces one."""

    @abc.abstractmethod
    def swap(self, path: str, content: bytes, version: str) -> str | None:
        """Makes or replaces an object only where a certain version of it is there.

        Args:
            path: of the object.
            content: that it is to hold.
            version: that is to be there; `ABSENT` for none.

        Returns:
            the new version; None where another one was there. As an answer may be lost and the request repeated, that
            other one may be the work of this very call.
        """

    @abc.abstractmethod
    def upload(self, local: str, path: str) -> None:
        """Makes an object of a local file."""

    @abc.abstractmethod
    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Copies objects, (source, target) each, over those that are there."""

    @abc.abstractmethod
    def delete(self, paths: Sequence[str]) -> None:
        """Removes objects; one that is not there is fine."""


class ObjectReader(io.RawIOBase):
    """Reads an object piece by piece."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        super().__init__()
        self._store = store
        self._path = path
        self._offset = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True, but not from the end."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to an offset."""
        if whence not in (io.SEEK_SET, io.SEEK_CUR):
            raise io.UnsupportedOperation("the end is not known")
        self._offset = offset if whence == io.SEEK_SET else self._offset + offset
        return self._offset

    def readinto(self, target: Any) -> int:
        """Reads as much as there is room for, up to the end."""
        content = self._store.read_range(self._path, self._offset, self._offset + len(target))
        target[: len(content)] = content
        self._offset += len(content)
        return len(content)


def store_of(path: str) -> ObjectStore | None:
    """The store that a path is in; None for other file systems.

    It is made of the options that `FileSystems` has in this process, and kept.
    """
    kind = _KINDS.get(FileSystems.get_scheme(path) or "")
    if kind is None:
        return None
    options = FileSystems._pipeline_options
    with _LOCK:
        if kind not in _STORES or _STORES[kind][0] is not options:
            with as_os_error(path):
                _STORES[kind] = options, kind(options or PipelineOptions([]))
        return _STORES[kind][1]


class GoogleCloudStorage(ObjectStore):
    """Objects named `gs://bucket/name`; their versions are generations."""

    def __init__(self, options: PipelineOptions) -> None:
        from apache_beam.io.gcp import gcsio
        from google.api_core.exceptions import NotFound, PreconditionFailed, RequestRangeNotSatisfiable

        self._client = gcsio.create_storage_client(options)
        self._beam = gcsio.GcsIO(self._client, options)
        self._not_found: type[Exception] = NotFound
        self._conflict: type[Exception] = PreconditionFailed
        self._past_end: type[Exception] = RequestRangeNotSatisfiable

    def _blob(self, path: str) -> Any:
        bucket, name = _parse(path)
        return self._client.bucket(bucket).blob(name)

    def read(self, path: str) -> Content:
        blob = self._blob(path)
        with as_os_error(path):
            try:
                data = blob.download_as_bytes(raw_download=True)
            except self._not_found as error:
                raise _not_found(path) from error
        return Content(data, str(blob.generation))

    def read_range(self, path: str, start: int, stop: int) -> bytes:
        with as_os_error(path):
            try:
                return bytes(self._blob(path).download_as_bytes(raw_download=True, start=start, end=stop - 1))
            except self._past_end:
                return b""
            except self._not_found as error:
                raise _not_found(path) from error

    def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
        bucket, name = _parse(prefix)
        fields = "items(name,size,updated),nextPageToken"
        with as_os_error(prefix):
            blobs = self._client.list_blobs(bucket, prefix=name, delimiter=None if below else "/", fields=fields)
            for blob in blobs:
                yield FileInfo(f"gs://{bucket}/{blob.name}", blob.size, blob.updated.timestamp())

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
        for source, target, error in self._beam.copy_batch(list(pairs)):
            if error:
                raise _not_found(source) if error == 404 else OSError(f"{target}: cannot be written (status {error})")

    def delete(self, paths: Sequence[str]) -> None:
        for path, error in self._beam.delete_batch(list(paths)):
            if error:
                raise OSError(f"{path}: cannot be removed (status {error})")


class AmazonS3(ObjectStore):
    """Objects named `s3://bucket/name`; their versions are entity tags."""

    _DELETE_AT_ONCE = 1000
    _READ_ATTEMPTS = 5

    def __init__(self, options: PipelineOptions) -> None:
        from apache_beam.io.aws.clients.s3.boto3_client import Client
        from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

        self._client = Client(options).client
        self._error: type[Any] = ClientError
        self._cut_off: tuple[type[Exception], ...] = (HTTPClientError, IncompleteReadError)

    def _call(self, path: str, function: Callable[..., _Result], *arguments: Any, **more: Any) -> _Result:
        with as_os_error(path):
            try:
                return function(*arguments, **more)
            except self._error as error:
                if _status_of(error) == 404:
                    raise _not_found(path) from error
                raise

    def read(self, path: str) -> Content:
        return self._call(path, self._get, path)

    def read_range(self, path: str, start: int, stop: int) -> bytes:
        def get() -> bytes:
            try:
                return self._get(path, Range=f"bytes={start}-{stop - 1}").data
            except self._error as error:
                if _status_of(error) == 416:
                    return b""
                raise

        return self._call(path, get)

    def _get(self, path: str, **more: str) -> Content:
        """botocore repeats a request, but not when the connection breaks while a body is read."""
        for _ in range(self._READ_ATTEMPTS - 1):
            with contextlib.suppress(*self._cut_off):
                return self._get_once(path, **more)
        return self._get_once(path, **more)

    def _get_once(self, path: str, **more: str) -> Content:
        bucket, name = _parse(path)
        answer = self._client.get_object(Bucket=bucket, Key=name, **more)
        with answer["Body"] as body:
            return Content(body.read(), answer["ETag"])

    def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
        bucket, name = _parse(prefix)
        more = {} if below else {"Delimiter": "/"}
        with as_os_error(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=name, **more):
                for entry in page.get("Contents", ()):
                    path = f"s3://{bucket}/{entry['Key']}"
                    yield FileInfo(path, entry["Size"], entry["LastModified"].timestamp())

    def write(self, path: str, content: bytes) -> None:
        bucket, name = _parse(path)
        self._call(path, self._client.put_object, Bucket=bucket, Key=name, Body=content)

    def swap(self, path: str, content: bytes, version: str) -> str | None:
        bucket, name = _parse(path)
        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        put = functools.partial(self._client.put_object, Bucket=bucket, Key=name, Body=content)

        def put_if() -> str | None:
            try:
                return str(put(**condition)["ETag"])
            except self._error as error:
                # 409 where two do it at the same time, 404 where the version that was to be there is gone.
                if _status_of(error) in (404, 409, 412):
                    return None
                raise

        return self._call(path, put_if)

    def upload(self, local: str, path: str) -> None:
        self._call(path, self._client.upload_file, local, *_parse(path))

    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        with ThreadPoolExecutor(_PARALLEL_COPIES) as pool:
            for _ in pool.map(self._copy, pairs):
                pass

    def _copy(self, pair: tuple[str, str]) -> None:
        bucket, name = _parse(pair[0])
        self._call(pair[0], self._client.copy, {"Bucket": bucket, "Key": name}, *_parse(pair[1]))

    def delete(self, paths: Sequence[str]) -> None:
        for bucket in dict.fromkeys(_parse(path)[0] for path in paths):
            names = [name for path in paths for one, name in [_parse(path)] if one == bucket]
            for start in range(0, len(names), self._DELETE_AT_ONCE):
                self._delete(bucket, names[start : start + self._DELETE_AT_ONCE])

    def _delete(self, bucket: str, names: Iterable[str]) -> None:
        what = {"Objects": [{"Key": name} for name in names], "Quiet": True}
        answer = self._call(f"s3://{bucket}", self._client.delete_objects, Bucket=bucket, Delete=what)
        for error in answer.get("Errors", ()):
            raise OSError(f"s3://{bucket}/{error['Key']}: cannot be removed ({error['Code']})")


_KINDS: dict[str, Callable[[PipelineOptions], ObjectStore]] = {"gs": GoogleCloudStorage, "s3": AmazonS3}
_STORES: dict[Callable[[PipelineOptions], ObjectStore], tuple[PipelineOptions | None, ObjectStore]] = {}
_LOCK = threading.Lock()


def _parse(path: str) -> tuple[str, str]:
    """Bucket and name of an object."""
    bucket, _, name = path.split("://", 1)[1].partition("/")
    return bucket, name


def _not_found(path: str) -> FileNotFoundError:
    return FileNotFoundError(2, "No such object", path)


def _status_of(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
