"""Tests of codecs."""

from __future__ import annotations

from maskmill.transforms.codec import Codec, PackedBatch, unpack

WORDS: Codec[str] = Codec(lambda word: (word.lower(), word.isupper()), lambda plain: plain[0], len)


def test_a_batch_tells_its_number_of_records() -> None:
    assert WORDS.pack(["One", "TWO", "Three"])[0] == 3
    assert WORDS.pack([])[0] == 0


def test_the_records_of_all_batches_are_unpacked_in_order() -> None:
    batches: list[PackedBatch] = [WORDS.pack(["One", "TWO"]), WORDS.pack([]), WORDS.pack(["Three"])]
    assert list(unpack(batches, WORDS)) == ["one", "two", "three"]


def test_a_string_that_records_share_is_in_a_batch_once() -> None:
    folder = "/a/rather/long/folder"
    same: Codec[int] = Codec(lambda number: (folder, number), lambda plain: plain[1], lambda _: 1)
    _, packed = same.pack(range(10))
    assert packed.count(folder.encode()) == 1
