"""Which paths have an object store of their own, and what a missing client is answered with."""

from __future__ import annotations

import shlex
import sys

import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.pipeline.cli import main
from maskmill.transforms.files import stores
from maskmill.transforms.files.errors import NoFileSystemError
from maskmill.transforms.files.stores import STORES, store_of
from tests.support.needs import needs_package

# The module that a client cannot do without, and what pip has to install for it.
CLIENTS = {"gs": ("google.api_core.exceptions", "apache-beam[gcp]"), "s3": ("boto3", "boto3")}


@pytest.fixture(autouse=True)
def forget_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_stores", {})


def test_local_paths_have_none(tmp_path: str) -> None:
    assert store_of(str(tmp_path)) is None
    assert store_of("relative/path") is None


def test_every_store_says_what_it_needs() -> None:
    assert {scheme: store.requirement for scheme, store in STORES.items()} == {
        scheme: requirement for scheme, (_, requirement) in CLIENTS.items()
    }


@pytest.mark.parametrize("scheme", CLIENTS)
def test_a_missing_client_is_answered_with_the_command_that_installs_it(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, requirement = CLIENTS[scheme]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NoFileSystemError) as caught:
        store_of(f"{scheme}://bucket/name")
    problem, command = str(caught.value).split("; run: ")
    assert problem == f"{scheme}://bucket/name: the client for {scheme}:// is not installed"
    assert shlex.split(command) == [sys.executable, "-m", "pip", "install", requirement]


def test_the_command_line_shows_the_hint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert main(["create", "--params=s3://bucket/params.yaml", "--output_dir=out"]) == 2
    assert "pip install boto3" in capsys.readouterr().err


def test_a_scheme_that_nobody_knows_is_an_error_and_no_name_of_a_file() -> None:
    with pytest.raises(NoFileSystemError, match="Apache Beam has no file system for nowhere:// here"):
        store_of("nowhere://bucket/name")


@pytest.mark.stores
def test_other_options_make_another_store_and_the_same_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_package("boto3", "aws")
    one, two = (PipelineOptions(["--s3_region_name=us-east-1"]) for _ in range(2))
    monkeypatch.setattr(FileSystems, "_pipeline_options", one)
    first = store_of("s3://bucket/a")
    assert store_of("s3://other/b") is first
    monkeypatch.setattr(FileSystems, "_pipeline_options", two)
    assert store_of("s3://bucket/a") is not first
