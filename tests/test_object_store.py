"""Objects of stores: what one call does, and what it does when a request fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault_proxy import KINDS, HttpFault
from tests.stores import Store
from transforms.file_stores import store_of
from transforms.object_store import ABSENT, ObjectStore

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


CALLS: dict[str, Callable[[ObjectStore, Callable[[str], str], str], object]] = {
    "read": lambda client, path, _: client.read(path("there")),
    "write": lambda client, path, _: client.write(path("new"), b"content"),
    "upload": lambda client, path, local: client.upload(local, path("new")),
    "copy": lambda client, path, _: client.copy([(path("there"), path("new"))]),
    "delete": lambda client, path, _: client.delete([path("there")]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_a_request_that_fails_once_is_repeated(store: Store, tmp_path: Path, call: str, kind: str) -> None:
    store.put("there", b"content")
    (tmp_path / "local").write_bytes(b"content")
    run = CALLS[call]
    run(client(store), store.path, str(tmp_path / "local"))
    methods = dict.fromkeys(method for method, _ in store.proxy.log)
    for method in methods:
        store.clear("")
        store.put("there", b"content")
        store.proxy.plan(HttpFault(method, "", kind))
        run(client(store), store.path, str(tmp_path / "local"))
        assert store.proxy.hits == 1
        assert set(store.tree("").values()) <= {b"content"}
        assert store.names() == {"read": ["there"], "delete": []}.get(call, ["new", "there"])


def test_names_of_a_bucket_that_is_not_there_are_an_error(store: Store) -> None:
    with pytest.raises(OSError, match="no-such-bucket"):
        client(store).write(f"{store.scheme}://no-such-bucket/name", b"")
