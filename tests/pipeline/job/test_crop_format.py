"""How images are cut follows from the parameters, as a file or data_params.json gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.crop_format import check_crops, crop_format
from maskmill.pipeline.job.params_file import check_params
from maskmill.transforms.examples.crops import CropFormat
from tests.support.builders import params_of

CROPS = {"size": [8, 10], "source": [16, 24]}
PLAIN = CropFormat((8, 10), (8, 10), "shift", 1.0, (16, 24))


def document(crops: Any, **ours: Any) -> dict[str, Any]:
    return params_of(Path("data"), maskmill={"crops": crops, **ours})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, None),
        ({"maskmill": None}, None),
        (document(None), None),
        (document(CROPS), PLAIN),
        (document(CROPS, salt="s"), PLAIN),  # which chooses nothing
        (document({**CROPS, "stride": None, "empty": "all"}), PLAIN),
        (document({**CROPS, "stride": [4, 5], "edge": "pad"}), PLAIN._replace(stride=(4, 5), edge="pad")),
        (document({**CROPS, "empty": "none"}, salt="s"), PLAIN._replace(empty=0.0)),
        (document({**CROPS, "empty": 0}), PLAIN._replace(empty=0.0)),
        (document({**CROPS, "empty": 1}), PLAIN),
        (document({**CROPS, "empty": 0.25}, salt="s"), PLAIN._replace(empty=0.25, salt="s")),
    ],
)
def test_images_are_cut_as_the_parameters_say(content: dict[str, Any], expected: CropFormat | None) -> None:
    assert crop_format(content) == expected
    if "train_input" in content:
        check_params(content)


@pytest.mark.parametrize(
    ("crops", "problem"),
    [
        (3, "maskmill.crops: 3 is not a mapping; give a section with keys, or null"),
        ({"size": [8, 8]}, "maskmill.crops.source: missing; give [height, width] of the images"),
        ({"source": [8, 8]}, "maskmill.crops.size: missing; give [height, width] in pixels"),
        ({**CROPS, "size": [8]}, "maskmill.crops.size: [8] has length 1"),
        ({**CROPS, "size": [8, 0]}, "maskmill.crops.size[1]: 0 is below 1"),
        ({**CROPS, "size": 8}, "maskmill.crops.size: 8 is not a list"),
        ({**CROPS, "stride": [8, 11]}, "maskmill.crops.stride: [8, 11] is above the size of a crop"),
        ({**CROPS, "edge": "clip"}, 'maskmill.crops.edge: "clip" is not supported; give shift, drop or pad'),
        ({**CROPS, "empty": 1.5}, "maskmill.crops.empty: 1.5 is not supported; give all, none, or a share"),
        ({**CROPS, "empty": True}, "maskmill.crops.empty: true is not supported"),
        ({**CROPS, "source": [7, 24]}, "[7, 24] is smaller than a crop of [8, 10]; set edge: pad, or a smaller size"),
        ({**CROPS, "size": [1, 1], "source": [999, 999]}, "gives some 998001 crops an image, more than the 16384"),
        ({**CROPS, "size": [1, 1], "source": [10**12, 1]}, "gives some 1000000000000 crops an image"),
        ({**CROPS, "steps": [1, 1]}, "maskmill.crops.steps: unknown key"),
    ],
)
def test_what_cannot_be_cut_is_refused(crops: Any, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_params(document(crops))
    assert problem in str(caught.value)


def test_an_image_may_be_smaller_than_a_crop_that_is_padded() -> None:
    check_params(document({**CROPS, "edge": "pad", "source": [7, 3]}))


@pytest.mark.parametrize("resize", ["pad", "crop"])
def test_crops_that_would_be_padded_or_cropped_again_are_refused(resize: str) -> None:
    with pytest.raises(UsageError, match=rf"maskmill\.crops: does not go with resize: {resize}; remove resize"):
        check_crops(check_params(document(CROPS, resize=resize)))


def test_crops_that_would_be_tiled_are_refused() -> None:
    ours = {"crops": CROPS}
    check_crops(check_params(params_of(Path("data"), maskmill=ours)))
    check_crops(check_params(params_of(Path("data"), max_image_shape=[4, 4])))
    with pytest.raises(UsageError, match=r"eval_input\.image_shape is above its max_image_shape, 16 x 23"):
        check_crops(check_params(params_of(Path("data"), maskmill=ours, eval_input={"max_image_shape": [16, 23]})))
