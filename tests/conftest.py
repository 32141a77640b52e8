"""Fixtures that many tests share."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MethodType
from typing import Any

import hypothesis
import pytest
from apache_beam.transforms import core

from tests.support.datasets import copy_of, make_dataset
from tests.support.stores import Store, amazon_s3, google_cloud_storage

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("maskmill", deadline=None)
hypothesis.settings.load_profile("maskmill")


@pytest.fixture(scope="session", autouse=True)
def _quick_runs() -> Iterator[None]:
    """Makes the hundreds of runs in this process faster, none of them different.

    They do not wait for the disk. Beam looks at the signature of a method once: in every run it does so 10,000 times
    for the same few methods, which takes a third of the run's time. Tried with Beam 2.77.
    """
    real = core.get_signature

    @functools.lru_cache(maxsize=1000)
    def of_method(function: Callable[..., Any]) -> inspect.Signature:
        return real(MethodType(function, object()))

    def get_signature(function: Callable[..., Any]) -> inspect.Signature:
        return of_method(function.__func__) if isinstance(function, MethodType) else real(function)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(core, "get_signature", get_signature)
        yield


@pytest.fixture(name="dataset", scope="module")
def make_module_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of `make_dataset`, never to be changed."""
    return make_dataset(tmp_path_factory.mktemp("dataset"))


@pytest.fixture(name="copy")
def make_copy(dataset: Path, tmp_path: Path) -> Path:
    """A copy of that dataset, to damage."""
    return copy_of(dataset, tmp_path)


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
