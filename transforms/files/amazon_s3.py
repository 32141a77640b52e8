"""Accesses Amazon S3 and compatible object stores, through boto3."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from apache_beam.options.pipeline_options import PipelineOptions, S3Options

from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.object_store import Content, FileInfo, ObjectStore, not_found, parse_path

_Result = TypeVar("_Result")

_PARALLEL_COPIES = 8
# Errors that may pass if the request is repeated, and the first wait; each further wait is twice as long.
_PASSING = frozenset({"InternalError", "ServiceUnavailable", "SlowDown"})
_WAIT_SECONDS = 0.25


class AmazonS3(ObjectStore):
    """Objects named `s3://bucket/name`; a version is an entity tag."""

    scheme = "s3"
    requirement = "boto3"

    _DELETE_AT_ONCE = 1000
    _ATTEMPTS = 6

    def __init__(self, options: PipelineOptions) -> None:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

        given = options.view_as(S3Options)
        # Not Beam's client, which gives up after three attempts.
        self._client = boto3.session.Session().client(
            "s3",
            region_name=given.s3_region_name,
            api_version=given.s3_api_version,
            use_ssl=not given.s3_disable_ssl,
            verify=given.s3_verify,
            endpoint_url=given.s3_endpoint_url,
            aws_access_key_id=given.s3_access_key_id,
            aws_secret_access_key=given.s3_secret_access_key,
            aws_session_token=given.s3_session_token,
            config=Config(retries={"mode": "standard", "total_max_attempts": self._ATTEMPTS}),
        )
        self._error: type[Any] = ClientError
        self._cut_off: tuple[type[Exception], ...] = (HTTPClientError, IncompleteReadError)

    def _call(self, path: str, function: Callable[..., _Result], *arguments: Any, **more: Any) -> _Result:
        with as_os_error(path):
            try:
                return function(*arguments, **more)
            except self._error as error:
                if _status_of(error) == 404:
                    raise not_found(path) from error
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
        """Repeats a request if the connection breaks while the body is read, which botocore does not."""
        for _ in range(self._ATTEMPTS - 1):
            with contextlib.suppress(*self._cut_off):
                return self._get_once(path, **more)
        return self._get_once(path, **more)

    def _get_once(self, path: str, **more: str) -> Content:
        bucket, name = parse_path(path)
        answer = self._client.get_object(Bucket=bucket, Key=name, **more)
        with answer["Body"] as body:
            return Content(body.read(), answer["ETag"])

    def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
        bucket, name = parse_path(prefix)
        more = {} if below else {"Delimiter": "/"}
        with as_os_error(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=name, **more):
                for entry in page.get("Contents", ()):
                    path = f"{self.scheme}://{bucket}/{entry['Key']}"
                    yield FileInfo(path, entry["Size"], entry["LastModified"].timestamp())

    def write(self, path: str, content: bytes) -> None:
        bucket, name = parse_path(path)
        self._call(path, self._client.put_object, Bucket=bucket, Key=name, Body=content)

    def swap(self, path: str, content: bytes, version: str) -> str | None:
        bucket, name = parse_path(path)
        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        put = functools.partial(self._client.put_object, Bucket=bucket, Key=name, Body=content)

        def put_if() -> str | None:
            try:
                return str(put(**condition)["ETag"])
            except self._error as error:
                # 409: another request at the same time; 404: the expected version is gone.
                if _status_of(error) in (404, 409, 412):
                    return None
                raise

        return self._call(path, put_if)

    def upload(self, local: str, path: str) -> None:
        self._call(path, self._client.upload_file, local, *parse_path(path))

    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        with ThreadPoolExecutor(_PARALLEL_COPIES) as pool:
            for _ in pool.map(self._copy, pairs):
                pass

    def _copy(self, pair: tuple[str, str]) -> None:
        bucket, name = parse_path(pair[0])
        self._call(pair[0], self._client.copy, {"Bucket": bucket, "Key": name}, *parse_path(pair[1]))

    def delete(self, paths: Sequence[str]) -> None:
        for bucket in dict.fromkeys(parse_path(path)[0] for path in paths):
            names = [name for path in paths for one, name in [parse_path(path)] if one == bucket]
            for start in range(0, len(names), self._DELETE_AT_ONCE):
                self._delete(bucket, names[start : start + self._DELETE_AT_ONCE])

    def _delete(self, bucket: str, names: Sequence[str]) -> None:
        """Repeats what failed for some of many objects, which botocore does not."""
        errors = self._delete_once(bucket, names)
        for attempt in range(1, self._ATTEMPTS):
            if not errors or not _PASSING.issuperset(error["Code"] for error in errors):
                break
            time.sleep(_WAIT_SECONDS * 2**attempt)
            errors = self._delete_once(bucket, [error["Key"] for error in errors])
        for error in errors:
            raise OSError(f"{self.scheme}://{bucket}/{error['Key']}: cannot be removed ({error['Code']})")

    def _delete_once(self, bucket: str, names: Sequence[str]) -> Sequence[Mapping[str, str]]:
        what = {"Objects": [{"Key": name} for name in names], "Quiet": True}
        answer = self._call(f"{self.scheme}://{bucket}", self._client.delete_objects, Bucket=bucket, Delete=what)
        errors: Sequence[Mapping[str, str]] = answer.get("Errors", ())
        return errors


def _status_of(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
