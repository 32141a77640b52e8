"""Objects of stores: what one call does, and what it does when a request fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from maskmill.transforms.files.object_store import ABSENT, ObjectStore
from maskmill.transforms.files.stores import store_of
from tests.support.fault_proxy import KINDS, HttpFault
from tests.support.stores import Store

pytestmark = pytest.mark.stores

NAMES = ("plain", "a folder/b", "a[1]*?.bin", "a#b", "ü/Ω ", "100%25", "a+b&c=d")


def client(store: Store) -> ObjectStore:
    made = store_of(store.path(""))
    assert made is not None
    return made


@pytest.mark.parametrize("name", NAMES)
def test_an_object_of_any_name_is_written_read_copied_and_removed(store: Store, name: str) -> None:
    path, other = store.path(name), store.path(f"{name} copy")
    client(store).write(path, b"one")
    client(store).copy([(path, other)])
    client(store).write(path, b"two")
    assert (store.get(name), client(store).read(path).data, client(store).read(other).data) == (b"two", b"two", b"one")
    client(store).delete([path, other])
    assert store.names() == []


def test_an_empty_object_is_written_and_read(store: Store) -> None:
    client(store).write(store.path("empty"), b"")
    assert client(store).read(store.path("empty")).data == b""


def test_what_is_not_there_is_told_apart_from_what_cannot_be_read(store: Store) -> None:
    with pytest.raises(FileNotFoundError, match="No such object"):
        client(store).read(store.path("none"))
    with pytest.raises(FileNotFoundError):
        client(store).copy([(store.path("none"), store.path("copy"))])
    client(store).delete([store.path("none")])


def test_a_large_file_is_uploaded_whole(store: Store, tmp_path: Path) -> None:
    content = bytes(range(256)) * (36 * 2**12)  # more than one part in both stores
    (tmp_path / "file").write_bytes(content)
    client(store).upload(str(tmp_path / "file"), store.path("large"))
    client(store).copy([(store.path("large"), store.path("copy"))])
    assert store.get("large") == store.get("copy") == content


def test_an_object_is_made_only_where_there_is_none(store: Store) -> None:
    path = store.path("lock")
    version = client(store).swap(path, b"one", ABSENT)
    assert version == client(store).read(path).version
    assert client(store).swap(path, b"two", ABSENT) is None
    assert store.get("lock") == b"one"


def test_an_object_is_replaced_only_where_it_has_not_changed(store: Store) -> None:
    path = store.path("lock")
    version = client(store).swap(path, b"one", ABSENT)
    assert version is not None
    later = client(store).swap(path, b"two", version)
    assert later is not None
    assert client(store).swap(path, b"three", version) is None
    assert store.get("lock") == b"two"
    client(store).delete([path])
    assert client(store).swap(path, b"four", later) is None
    assert store.names() == []


class Call(NamedTuple):
    """A call of a store that has the object `there`: what it does, what it gives, and which objects there are then."""

    run: Callable[[ObjectStore, Callable[[str], str], str], object]
    gives: object
    leaves: tuple[str, ...]


CALLS = {
    "read": Call(lambda client, path, _: client.read(path("there")).data, b"content", ("there",)),
    "read_range": Call(lambda client, path, _: client.read_range(path("there"), 1, 3), b"on", ("there",)),
    "list": Call(lambda client, path, _: [info.name for info in client.list(path(""))], ["there"], ("there",)),
    "write": Call(lambda client, path, _: client.write(path("new"), b"content"), None, ("new", "there")),
    "upload": Call(lambda client, path, local: client.upload(local, path("new")), None, ("new", "there")),
    "copy": Call(lambda client, path, _: client.copy([(path("there"), path("new"))]), None, ("new", "there")),
    "delete": Call(lambda client, path, _: client.delete([path("there")]), None, ()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_request_that_fails_once_is_repeated(store: Store, tmp_path: Path, call: str, kind: str) -> None:
    store.put("there", b"content")
    (tmp_path / "local").write_bytes(b"content")
    run, gives, leaves = CALLS[call]
    assert run(client(store), store.path, str(tmp_path / "local")) == gives
    methods = dict.fromkeys(method for method, _ in store.proxy.log)
    for method in methods:
        store.clear("")
        store.put("there", b"content")
        store.proxy.plan(HttpFault(f"^{method}", kind))
        assert run(client(store), store.path, str(tmp_path / "local")) == gives
        assert store.proxy.hits == 1
        assert store.tree("") == dict.fromkeys(leaves, b"content")


@pytest.mark.parametrize("kind", KINDS)
def test_a_swap_whose_request_fails_once_leaves_its_content_and_never_claims_what_it_has_not_done(
    store: Store, kind: str
) -> None:
    store.proxy.plan(HttpFault("^(POST|PUT)", kind))
    version = client(store).swap(store.path("lock"), b"one", ABSENT)
    assert store.proxy.hits == 1
    assert store.get("lock") == b"one"
    # Where the answer was lost, the second attempt has met the work of the first.
    assert version == (None if kind == "lost" else client(store).read(store.path("lock")).version)


def test_parts_of_a_removal_that_fail_are_repeated(store: Store) -> None:
    for name in ("a", "b", "c"):
        store.put(name, b"")
    store.proxy.plan(HttpFault(" delete$", "busy part", times=2))
    client(store).delete([store.path(name) for name in ("a", "b", "c")])
    assert store.proxy.hits == 2
    assert store.names() == []


@pytest.mark.parametrize("_running_store", ["gs"], indirect=True)  # S3 copies one object a request
def test_parts_of_a_copy_that_fail_are_repeated(store: Store) -> None:
    for name in ("a", "b"):
        store.put(name, name.encode())
    store.proxy.plan(HttpFault(" copy$", "busy part", times=2))
    client(store).copy([(store.path(name), store.path(f"new {name}")) for name in ("a", "b")])
    assert store.proxy.hits == 2
    assert store.tree("") == {"a": b"a", "b": b"b", "new a": b"a", "new b": b"b"}


def test_a_part_of_a_batch_that_is_forbidden_is_told_at_once_by_its_name(store: Store) -> None:
    for name in ("a", "b"):
        store.put(name, b"")
    store.proxy.plan(HttpFault(" delete$", "forbidden part", times=2))
    with pytest.raises(OSError, match=rf"{store.path('a')}: cannot be removed \((status 403|AccessDenied)\)"):
        client(store).delete([store.path("a"), store.path("b")])
    assert store.proxy.hits == 1
    assert store.names() == ["a"]


def test_names_of_a_bucket_that_is_not_there_are_an_error(store: Store) -> None:
    with pytest.raises(OSError, match="no-such-bucket"):
        client(store).write(f"{store.scheme}://no-such-bucket/name", b"")
