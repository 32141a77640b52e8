"""The lock of an output folder in an object store."""

from __future__ import annotations

import datetime
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maskmill.pipeline.dataset import store_lock
from maskmill.pipeline.dataset.run_lock import check_not_superseded, locked
from maskmill.pipeline.dataset.store_lock import DEAD_SECONDS, StoreLock
from maskmill.pipeline.errors import MaskmillError
from maskmill.transforms.files.stores import store_of
from tests.support.fault_proxy import HttpFault
from tests.support.store_runs import assert_whole, create, put_dataset
from tests.support.stores import Store

pytestmark = pytest.mark.stores


def lock_of(store: Store, run: str) -> StoreLock:
    client = store_of(store.path(""))
    assert client is not None
    return StoreLock(client, store.path("out/.lock"), {"run": run})


def put_lock(store: Store, seconds: float) -> None:
    """Puts another run's lock, which was renewed so many seconds ago."""
    renewed = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    owner = {
        "run": "other",
        "process": 7,
        "host": "far",
        "since": "2026-01-02 03:04:05",
        "renewed": renewed.isoformat(),
    }
    store.put("out/.lock", json.dumps({**owner, "renewed": renewed.isoformat()}).encode())


def test_a_second_run_is_told_since_when_another_runs_and_where(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = put_dataset(store, tmp_path)
    put_lock(store, DEAD_SECONDS / 2)
    assert create(store, params) == 1
    said = capsys.readouterr().err
    assert f"another run is writing to {store.path('out')}" in said
    assert "(process 7 on far, since 2026-01-02 03:04:05)" in said
    assert "wait until it ends, or choose another --output_dir" in said
    assert store.names("out") == [".lock"]


def test_the_lock_of_a_run_that_died_is_taken_over(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    put_lock(store, DEAD_SECONDS * 2)
    assert create(store, params) == 0
    assert_whole(store.tree("out"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"renewed": 1}'])
def test_a_damaged_lock_is_taken_over(store: Store, content: bytes) -> None:
    store.put("out/.lock", content)
    assert lock_of(store, "mine").acquire() is None


def test_of_many_runs_that_begin_together_one_has_the_lock(store: Store) -> None:
    locks = [lock_of(store, f"run {number}") for number in range(8)]
    with ThreadPoolExecutor(len(locks)) as pool:
        owners = list(pool.map(StoreLock.acquire, locks))
    assert owners.count(None) == 1
    winner = f"run {owners.index(None)}"
    assert {owner["run"] for owner in owners if owner is not None} == {winner}


def test_a_lost_answer_does_not_lock_a_run_out_of_its_own_lock(store: Store) -> None:
    store.proxy.plan(HttpFault("^(POST|PUT)", "lost"))
    lock = lock_of(store, "mine")
    assert lock.acquire() is None
    assert store.proxy.hits == 1
    with lock.renewed():
        pass
    assert store.names("out") == []


def test_a_lock_that_could_not_be_seen_to_be_taken_does_not_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    client = store_of(store.path(""))
    swap = client.swap

    def swap_and_fail(path: str, content: bytes, version: str) -> None:
        swap(path, content, version)
        raise OSError("no answer")

    monkeypatch.setattr(client, "swap", swap_and_fail)
    with pytest.raises(OSError, match="no answer"):
        lock_of(store, "mine").acquire()
    assert store.names("out") == []


def outrun(store: Store, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Has another run take the lock just before this one does, and end before this one can see whose it is."""
    client = store_of(store.path(""))
    swap, calls = client.swap, []

    def be_outrun(path: str, content: bytes, version: str) -> str | None:
        calls.append(path)
        if len(calls) > times:
            return swap(path, content, version)
        put_lock(store, 0)
        made = swap(path, content, version)
        store.delete("out/.lock")
        return made

    monkeypatch.setattr(client, "swap", be_outrun)


def test_a_lock_that_another_run_had_for_a_moment_is_taken_afterwards(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    outrun(store, monkeypatch, times=2)
    with locked(store.path("out"), "out", "mine"):
        assert json.loads(store.get("out/.lock"))["run"] == "mine"
    assert store.names("out") == []


def test_a_run_never_goes_on_without_the_lock(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    outrun(store, monkeypatch, times=99)
    with (
        pytest.raises(MaskmillError, match="another run is writing to out at this moment"),
        locked(store.path("out"), "out", "mine"),
    ):
        pytest.fail("there is no lock")


def test_a_lock_is_renewed_while_a_run_has_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_lock, "RENEW_SECONDS", 0.05)
    lock = lock_of(store, "mine")
    assert lock.acquire() is None
    first = store.get("out/.lock")
    with lock.renewed():
        deadline = time.monotonic() + 30
        while store.get("out/.lock") == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert (lock_of(store, "other").acquire() or {})["run"] == "mine"
    assert store.names("out") == []


def test_a_run_whose_lock_another_has_taken_publishes_nothing_and_leaves_that_lock(store: Store) -> None:
    root = store.path("out")
    with locked(root, root, "mine"):
        check_not_superseded(root, root, "mine")
        put_lock(store, 0)
        with pytest.raises(MaskmillError, match="another run has begun to write"):
            check_not_superseded(root, root, "mine")
    assert store.names("out") == [".lock"]
