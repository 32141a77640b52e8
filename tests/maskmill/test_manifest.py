"""manifest.json: its seal, and its sums."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.manifest import check_sums, seal, seal_line, unseal, unseal_line

CONTENT = {"format_version": 4, "splits": {"train_input": {"examples": 3}}, "ü": ["ä", None, 1.5]}
SEALED = seal(CONTENT)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text().filter(lambda key: key != "sha256"), VALUES, min_size=1))
def test_a_sealed_manifest_is_read_back(content: dict[str, Any]) -> None:
    found = unseal(seal(content))
    assert found.pop("sha256")
    assert found == content


def test_sealing_again_gives_the_same_bytes() -> None:
    assert seal(unseal(SEALED)) == SEALED
    assert list(unseal(SEALED))[-1] == "sha256"


@pytest.mark.parametrize("place", range(len(SEALED)))
def test_no_byte_may_change(place: int) -> None:
    with pytest.raises(ValueError, match="it was changed after it was written"):
        unseal(SEALED[:place] + bytes([SEALED[place] ^ 1]) + SEALED[place + 1 :])


@pytest.mark.parametrize(
    "text", [b"", b"{}", SEALED[:-1], SEALED[:-9], SEALED + b"\n", b" " + SEALED, SEALED.replace(b"\n", b"\r\n")]
)
def test_other_text_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="it was changed after it was written"):
        unseal(text)


@given(st.dictionaries(st.text().filter(lambda key: key != "sha256"), VALUES, min_size=1))
def test_a_sealed_line_is_one_line_and_is_read_back(content: dict[str, Any]) -> None:
    line = seal_line(content)
    assert b"\n" not in line
    found = unseal_line(line)
    assert found.pop("sha256")
    assert found == content
    with pytest.raises(ValueError, match="it was changed after it was written"):
        unseal(line)


def manifest(**changes: Any) -> dict[str, Any]:
    shards = [{"examples": 2, "bytes": 10}, {"examples": 1, "bytes": 5}]
    rows = {"read": 9, "in_examples": 3, "filtered": {"a": 2, "b": 3}, "rejected": 1}
    return {"splits": {"train_input": {"examples": 3, "bytes": 15, "shards": shards, **changes}}, "rows": rows}


def test_sums_that_are_right_are_not_mentioned() -> None:
    assert list(check_sums(manifest())) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"examples": 4}, "manifest.json: train_input has 4 examples, its shards together 3"),
        ({"bytes": 0}, "manifest.json: train_input has 0 bytes, its shards together 15"),
        ({"shards": [], "bytes": 0}, "manifest.json: train_input has 3 examples, its shards together 0"),
    ],
)
def test_a_sum_of_a_split_that_is_wrong_is_named(changes: dict[str, Any], problem: str) -> None:
    assert list(check_sums(manifest(**changes))) == [problem]


@pytest.mark.parametrize("key", ["read", "in_examples", "rejected"])
def test_rows_that_do_not_add_up_are_named(key: str) -> None:
    content = manifest()
    content["rows"][key] += 1
    [problem] = check_sums(content)
    assert problem.startswith("manifest.json: ")
    assert "are in examples, filtered or rejected" in problem


@pytest.mark.parametrize("content", [{}, {"splits": {}}, {"splits": 3}, {"splits": {"a": {}}, "rows": {}}])
def test_what_is_no_manifest_is_told_apart(content: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        list(check_sums(content))
