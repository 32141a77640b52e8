"""Tests of the names that columns may have instead."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.column_names import explain_missing_columns
from maskmill.transforms.annotations.columns import RowFormat

NO_CLASS = "if rows have no class because there is only one, set maskmill.class_column: null"


@pytest.mark.parametrize(
    ("header", "advice"),
    [
        ("ImageId,ClassId,EncodedPixels", ""),
        ("ImageId_ClassId,EncodedPixels", ""),
        ("x,y,z", ""),
        ("imageid,ClassId,EncodedPixels", "did you mean 'imageid'? Set maskmill.image_column: imageid"),
        ("Image Id,ClassId,EncodedPixels", "did you mean 'Image Id'? Set maskmill.image_column: Image Id"),
        ("IMAGE-ID,ClassId,EncodedPixels", "did you mean 'IMAGE-ID'? Set maskmill.image_column: IMAGE-ID"),
        ("ImageId,ClassId,EncodedPixel", "did you mean 'EncodedPixel'? Set maskmill.mask_column: EncodedPixel"),
        ("file name,ClassId,rle:mask", 'Set maskmill.image_column: file name, maskmill.mask_column: "rle:mask"'),
        ("ImageId,y,EncodedPixels", NO_CLASS),
        ("ImageId,EncodedPixels", NO_CLASS),
        ("id,rle", f"Set maskmill.image_column: id, maskmill.mask_column: rle; {NO_CLASS}"),
        ("x,ClassId,rle", "Set maskmill.mask_column: rle; name the other column with maskmill.image_column"),
        ("Image_Label,EncodedPixels", "Set maskmill.image_column: Image, maskmill.class_column: Label"),
        ("image_id_class_id,EncodedPixels", "maskmill.image_column: image_id, maskmill.class_column: class_id"),
        ("ImageId_ClassId,encodedpixels", "did you mean 'encodedpixels'? Set maskmill.mask_column: encodedpixels"),
        # The column that is nearer comes first.
        ("id,ImageID,ClassId,EncodedPixels", "did you mean 'ImageID'? Set maskmill.image_column: ImageID"),
    ],
)
def test_names_in_other_letters_are_found(header: str, advice: str) -> None:
    found = explain_missing_columns(header.split(","), RowFormat())
    assert found.endswith(advice) if advice else found == ""


def test_the_column_of_the_group_is_found_in_other_letters() -> None:
    form = RowFormat(group="CoilId")
    found = explain_missing_columns(["ImageId", "ClassId", "EncodedPixels", "coil_id"], form)
    assert found == "did you mean 'coil_id'? Set maskmill.group_column: coil_id"


def test_a_name_that_yaml_takes_for_something_else_is_quoted() -> None:
    form = RowFormat(class_id="YES")
    assert explain_missing_columns(["ImageId", "yes", "EncodedPixels"], form).endswith('maskmill.class_column: "yes"')
