"""Tests of the hash of an ImageId."""

from __future__ import annotations

import hashlib

import pytest

from maskmill.transforms.assignment.image_hash import hash_bound, hash_image


def test_the_hash_is_the_documented_one() -> None:
    text = hashlib.sha256(b"pepper\x00a.jpg").hexdigest()
    assert hash_image("a.jpg", "pepper") == tuple(int(text[start : start + 16], 16) for start in (0, 16, 32))


def test_the_hash_of_an_image_never_changes() -> None:
    assert hash_image("0002cc93b.jpg", "") == (0x5B50D740CBA97961, 0x32B1CCDE8E4AFB10, 0xDD72D967824C9971)


@pytest.mark.parametrize(("share", "bound"), [(0, 0), (0.25, 2**62), (0.5, 2**63), (0.75, 2**63 + 2**62), (1, 2**64)])
def test_a_share_of_all_hashes_lies_below_its_bound(share: float, bound: int) -> None:
    assert hash_bound(share) == bound
