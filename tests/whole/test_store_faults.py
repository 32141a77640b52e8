"""Every request to an object store may fail: never is that a success with something missing.

`make test-stores` has each kind of call fail for good, in ways that take turns, and all of them at once for a while.
With MASKMILL_FULL_FAULTS=1 every single request of a run fails in every way.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskmill.transforms.files import amazon_s3
from maskmill.transforms.files.stores import store_of
from tests.support.fault_proxy import KINDS, HttpFault
from tests.support.store_requests import BATCHES, CALLS
from tests.support.store_runs import create, put_dataset, requests_of_a_run
from tests.support.stores import Store

pytestmark = pytest.mark.stores

FULL = os.environ.get("MASKMILL_FULL_FAULTS") == "1"
FOR_GOOD = 10**9
# Where the clients of the stores find how long to wait; they are there only where stores are tested.
GOOGLE, AMAZON = "google.api_core.retry.retry_unary", "botocore.retries.standard"


@pytest.fixture(autouse=True)
def _clients_that_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has attempts follow each other at once; Google's client, which only looks at the time, ends after six, too."""
    waits = [0.0] * 5 + [1e6]
    monkeypatch.setattr(f"{GOOGLE}.exponential_sleep_generator", lambda *_, **__: iter(waits))
    monkeypatch.setattr(f"{AMAZON}.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    monkeypatch.setattr(amazon_s3, "_WAIT_SECONDS", 0.0)


def every_request(store: Store, params: str) -> Iterator[str]:
    """Expressions for the different requests of a run; what differs in number only is one: images, shards, runs."""
    numbers = re.compile(r"\b[a-h]\\.jpg|[0-9a-f]{16,}|\d+_p0")
    lines = (f"{method} {target.partition('&')[0]}" for method, target in requests_of_a_run(store, params))
    yield from dict.fromkeys(f"^{numbers.sub('.*', re.escape(line))}" for line in lines)


def faults_for_good(store: Store, params: str) -> Iterator[HttpFault]:
    if FULL:
        pairs = itertools.product(every_request(store, params), KINDS)
    else:
        ways = itertools.islice(itertools.cycle(KINDS), ("gs", "s3").index(store.scheme), None)
        pairs = zip(CALLS.values(), ways, strict=False)
    return (HttpFault(request, kind, FOR_GOOD) for request, kind in pairs)


def test_a_call_that_fails_for_good_is_no_success_with_something_missing(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params) == 0
    whole = store.tree("out")
    for fault in faults_for_good(store, params):
        store.clear("out")
        store.proxy.plan(fault)
        status = create(store, params)
        assert store.proxy.hits, fault
        store.proxy.plan()
        found = store.tree("out")
        assert status or found == whole, fault
        assert "manifest.json" not in found or found.items() >= whole.items(), fault
        assert "Traceback" not in capsys.readouterr().err
        if ".lock" in found:  # where it cannot be removed, it stays for ten minutes
            store.delete("out/.lock")
        assert create(store, params) == 0
        assert store.tree("out") == whole, fault


@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_all_kinds_may_fail_twice(store: Store, tmp_path: Path, kind: str) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params) == 0
    whole = store.tree("out")
    one_by_one = [[request] for request in every_request(store, params)] if FULL else []
    for requests in [list(CALLS.values()), *one_by_one]:
        store.clear("out")
        store.proxy.plan(*(HttpFault(request, kind, times=2) for request in requests))
        assert create(store, params) == 0
        assert store.proxy.hits == 2 * len(requests)
        assert store.tree("out") == whole


def test_parts_of_batches_may_fail_twice(store: Store, tmp_path: Path) -> None:
    params = put_dataset(store, tmp_path)
    assert create(store, params) == 0
    whole = store.tree("out")
    store.clear("out")
    store.proxy.plan(HttpFault(BATCHES, "busy part", times=2))
    assert create(store, params) == 0
    assert store.proxy.hits == 2
    assert store.tree("out") == whole


def test_what_can_never_be_copied_or_removed_is_an_os_error(store: Store) -> None:
    client = store_of(store.path(""))
    assert client is not None
    for kind in KINDS:
        store.proxy.plan(HttpFault("", kind, FOR_GOOD))
        with pytest.raises(OSError, match=f"^{store.scheme}://"):
            client.copy([(store.path("a"), store.path("b"))])
        with pytest.raises(OSError, match=f"^{store.scheme}://"):
            client.delete([store.path("a")])
