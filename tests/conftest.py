"""Fixtures that many tests share."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from tests.support.stores import Store, amazon_s3, google_cloud_storage


@pytest.fixture(scope="session", params=["gs", "s3"])
def _running_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with google_cloud_storage() if request.param == "gs" else amazon_s3() as store:
        yield store


@pytest.fixture
def store(_running_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An object store without objects, to which the environment of this process leads."""
    for name, text in _running_store.variables.items():
        monkeypatch.setenv(name, text)
    if _running_store.scheme == "gs":
        importlib.import_module("tests.support.anonymous.sitecustomize")
    _running_store.proxy.plan()
    yield _running_store
    _running_store.proxy.plan()
    _running_store.proxy.delay = 0.0
    _running_store.clear("")
