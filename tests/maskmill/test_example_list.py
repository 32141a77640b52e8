"""examples.csv: what is written is read again, whatever the names of the images."""

from __future__ import annotations

import pytest

from maskmill.example_list import ListedExample, read_example_list, write_example_list

NAMES = ["a.jpg", 'a "quoted", name.jpg', "two\nlines.jpg", "two\r\nlines.jpg", "größe.jpg", " blank .jpg"]


def test_the_list_is_a_table_that_any_program_reads() -> None:
    one = ListedExample("a.jpg", "train_input/data-0_p0.h5", 3, "0123abcd", "89ef4567")
    assert write_example_list([one]) == (
        b"image_id,shard,example,image,mask\na.jpg,train_input/data-0_p0.h5,3,0123abcd,89ef4567\n"
    )


def test_every_name_is_read_as_it_was_written() -> None:
    examples = [ListedExample(name, "train_input/data-0_p0.h5", i, "1", "2") for i, name in enumerate(NAMES)]
    assert list(read_example_list(write_example_list(examples))) == examples


def test_a_list_of_crops_has_their_places_in_two_more_columns() -> None:
    crops = [ListedExample("a.jpg", "train_input/data-0_p0.h5", 0, "1", "2", (0, 256))]
    text = write_example_list(crops, of_crops=True)
    assert text == b"image_id,shard,example,image,mask,top,left\na.jpg,train_input/data-0_p0.h5,0,1,2,0,256\n"
    assert list(read_example_list(text)) == crops
    assert list(read_example_list(write_example_list([], of_crops=True))) == []
    with pytest.raises(ValueError, match="a line has 6 fields instead of 7"):
        list(read_example_list(text.replace(b",256", b"")))


@pytest.mark.parametrize("text", [b"", b"a,b\n", b"image_id,shard,example,image,mask\na,b,c,d,e\n", b"\xff"])
def test_another_file_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(read_example_list(text))
