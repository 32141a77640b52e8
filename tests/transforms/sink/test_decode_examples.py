"""Tests of the decoding of examples."""

from __future__ import annotations

import io
from pathlib import Path

import apache_beam as beam
import numpy as np
from apache_beam.testing.util import assert_that, equal_to
from PIL import Image

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.sink.decode_examples import DecodeExamples
from tests.support.builders import HEIGHT, WIDTH, in_process, write_images
from tests.support.records import a_spec

FORM = ExampleFormat((HEIGHT, WIDTH), LabelFormat("bce", 2, HEIGHT, WIDTH, (3,)))


def test_decode_examples_gives_image_and_label_or_says_what_is_wrong(tmp_path: Path) -> None:
    write_images(tmp_path, ["a.jpg", "b.jpg"])
    (tmp_path / "b.jpg").write_bytes(b"not an image")
    expected = np.asarray(Image.open(io.BytesIO((tmp_path / "a.jpg").read_bytes())).convert("L"))

    def check(decoded: list) -> None:
        [(image_id, example)] = decoded
        assert image_id == "a.jpg"
        assert np.array_equal(example.image[0], expected)
        assert example.label.sum() == 2
        assert example.label[0, :2, 0].tolist() == [1, 1]

    with in_process() as pipeline:
        specs = pipeline | beam.Create([a_spec("a.jpg", folder=tmp_path), a_spec("b.jpg", folder=tmp_path)])
        decoded = specs | DecodeExamples(form=FORM)
        assert_that(decoded.examples, check, "examples")
        codes = decoded.rejected | beam.Map(lambda one: (one.source, one.code))
        assert_that(codes, equal_to([(str(tmp_path / "b.jpg"), "IMAGE_NOT_RECOGNISED")]), "rejected")
