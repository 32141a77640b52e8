"""`open_dataset` on a dataset in an object store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskmill import open_dataset
from tests.support.command import create as create_locally
from tests.support.command import run_here
from tests.support.needs import needs_package
from tests.support.store_runs import FLAGS, create, put_dataset
from tests.support.stores import Store

pytestmark = pytest.mark.stores


# s3fs holds boto3 back to an older version.
of_google = pytest.mark.parametrize("_running_store", ["gs"], indirect=True)


@pytest.fixture(name="made")
def make_in_store(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A dataset in a store that `open_dataset` can read."""
    needs_package("gcsfs", "test-stores")
    # What it asks of the store over gRPC, fake-gcs-server does not know.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    assert create(store, put_dataset(store, tmp_path)) == 0
    return store.path("out")


@of_google
def test_a_dataset_in_a_store_is_read_like_a_local_one(made: str, tmp_path: Path) -> None:
    local = open_dataset(create_locally(tmp_path, tmp_path / "data", FLAGS[0]), "train_input")
    remote = open_dataset(made, "train_input")
    assert len(remote) == len(local) == 4
    for one, other in zip(remote, local, strict=True):
        assert one.image_id == other.image_id
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.label, other.label)


@of_google
def test_a_dataset_in_a_store_is_compared_with_a_local_one(made: str, tmp_path: Path) -> None:
    local = create_locally(tmp_path, tmp_path / "data", *FLAGS)
    # The images have other times in the store, and the same pixels.
    assert run_here("diff", local, made).out.endswith("are the same: 8 examples\n")
    assert "there is no whole dataset of maskmill" in run_here("diff", local, f"{made}/none", status=4).err
