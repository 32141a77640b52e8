"""A dataset a day in an object store: what failed days have left is taken over, or removed by `prune`."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from maskmill.pipeline.dataset.run_lock import locked
from maskmill.pipeline.prune import old_datasets
from tests.support.store_runs import assert_whole, create, put_dataset, shards_in
from tests.support.stores import Store

pytestmark = pytest.mark.stores


def fail_day(store: Store, params: str, day: str) -> None:
    """Runs a day with a bad image, of which every shard is finished but nothing published; then mends the image."""
    content = store.get("data/train_images/a.jpg")
    store.put("data/train_images/a.jpg", b"no image")
    assert make_day(store, params, day) == 3
    store.put("data/train_images/a.jpg", content)


def make_day(store: Store, params: str, day: str) -> int:
    return create(store, params, f"--reuse={store.path('days')}", output=f"days/{day}")


def test_the_next_day_takes_over_the_shards_of_a_failed_one(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.clear("days")
    params = put_dataset(store, tmp_path)
    fail_day(store, params, "a")
    assert make_day(store, params, "b") == 0
    assert "a run has left a unfinished; 4 finished shards of it are taken over" in capsys.readouterr().err
    assert_whole(store.tree("days/b"))
    assert {name.partition("/")[0] for name in store.names("days")} == {"b", "latest.json"}
    assert create(store, params, output="out") == 0
    assert shards_in(store.tree("out")) == shards_in(store.tree("days/b"))


def test_prune_removes_what_is_left_unless_a_run_is_at_work(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store.clear("days")
    params = put_dataset(store, tmp_path)
    assert make_day(store, params, "a") == 0
    fail_day(store, params, "b")
    prune = ["prune", store.path("days"), "--keep=1"]
    assert main(prune) == 0
    assert "less than a day ago; it stays" in capsys.readouterr().err
    monkeypatch.setattr(old_datasets, "ABANDONED_AFTER_SECONDS", -60.0)  # the clock of the store may be ahead
    with locked(f"{store.path('days')}/b", "b", "another"):
        assert main(prune) == 0
    assert "it stays: another run is writing to b" in capsys.readouterr().err
    assert store.names("days/b")
    assert main(prune) == 0
    assert {name.partition("/")[0] for name in store.names("days")} == {"a", "latest.json"}
    assert_whole(store.tree("days/a"))
