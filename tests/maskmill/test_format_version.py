"""The version of a dataset tells which readers know it."""

from __future__ import annotations

import pytest

from maskmill import format_version
from maskmill.format_version import current_format, format_with, highest_format, same_bytes


def test_only_datasets_with_the_layout_arrays_have_the_version_that_earlier_readers_refuse() -> None:
    assert (format_with("groups"), format_with("arrays")) == (current_format(), highest_format()) == (6, 7)


def test_a_later_version_of_the_bytes_is_that_of_both_layouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format_version, "CURRENT", 9)
    assert format_with("groups") == format_with("arrays") == highest_format() == 9


@pytest.mark.parametrize(
    ("one", "other", "same"), [(6, 6, True), (6, 7, True), (7, 6, True), (5, 6, False), (7, 8, False), (5, 7, False)]
)
def test_versions_that_differ_by_the_layout_alone_have_the_same_bytes(one: int, other: int, same: bool) -> None:
    assert same_bytes(one, other) is same
