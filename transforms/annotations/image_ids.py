"""Finds the files that ImageIds outside of the rows name."""

from __future__ import annotations

from maskmill.transforms.files.file_names import normal_form


def file_named(image_id: str, image_suffix: str) -> str:
    """Returns the name of the file that an ImageId names, in the Unicode form that all its spellings share.

    Args:
        image_id: the name of the file, or the name that rows give it.
        image_suffix: what makes the name of a file of the name in a row; "" if they are the same.
    """
    return normal_form(image_id if image_id.endswith(image_suffix) else image_id + image_suffix)
