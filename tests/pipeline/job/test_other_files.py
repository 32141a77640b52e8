"""Files that are no parameter file, or one for other data: what they are, and what to give instead."""

from __future__ import annotations

from typing import Any

import pytest

from maskmill.pipeline.job.other_files import other_bytes, other_document, other_text

SECTIONS = ("model", "maskmill", "train_input", "eval_input")
OURS = {"data_processor": "SeverstalBinaryClassDataProcessor"}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"%PDF-1.7", "a PDF document"),
    ],
)
def test_a_binary_file_is_known_by_its_first_bytes(data: bytes, kind: str) -> None:
    assert (other_bytes(data) or "").startswith(f"this is {kind}, not a parameter file; give a file with the sections")
    assert other_bytes(b"train_input: {}") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ImageId,ClassId,EncodedPixels\na.jpg,1,1 2\n", "a CSV file"),
        ('"ImageId";"ClassId"\r\n', "a CSV file"),
        ("ImageId\tClassId", "a CSV file"),
        ("\n<!DOCTYPE html>\n<html>", "an HTML or XML page"),
        ("train_input: [1, 2\n", None),
        ("- a, b\n", None),
        ("{a, b", None),
        ("# a, b\ntrain_input: {", None),
    ],
)
def test_text_of_another_kind_is_known_by_its_first_line(text: str, words: str | None) -> None:
    found = other_text(text)
    assert (found is None) if words is None else (found or "").startswith(f"this is {words}, not a parameter file")


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ({"trainer": {"fit": {"train_dataloader": OURS}}}, ("trainer",), "release 2.3 and later"),
        ({"trainer": [{"trainer": {}}]}, ("trainer",), "release 2.3 and later"),
        ({"trainer": None, "model": {}}, ("trainer",), "release 2.3 and later"),
        (
            {"trainer": {"fit": {"train_dataloader": {"data_processor": "GptHDF5MapDataProcessor"}}}},
            ("trainer", "fit", "train_dataloader", "data_processor"),
            '"GptHDF5MapDataProcessor" is for other data',
        ),
        (
            {"train_input": {"data_processor": "InriaAerialDataProcessor"}, "model": {}},
            ("train_input", "data_processor"),
            '"InriaAerialDataProcessor" is for other data',
        ),
        (
            {"train_input": OURS, "eval_input": {"data_processor": "Hdf5DataProcessor"}},
            ("eval_input", "data_processor"),
            "Hdf5DataProcessor reads a dataset that is made already",
        ),
        ({"images": [], "annotations": [], "categories": []}, (), "this is COCO annotations"),
        ({"model_type": "bert", "architectures": []}, (), "this is a model's configuration"),
        ({"format_version": 4, "splits": {}}, (), "this is the manifest.json of a dataset"),
        ({"name": "x", "on": "push"}, (), "this is not a parameter file"),
        ({"train_input": OURS, "train_input_hdf": {}, "input_args": {"params": "p.yaml"}}, (), '"p.yaml"'),
    ],
)
def test_a_document_for_something_else_is_named(document: Any, path: tuple[str, ...], words: str) -> None:
    found = other_document(document, SECTIONS)
    assert found is not None
    assert found[0] == path
    assert words in found[1]


@pytest.mark.parametrize(
    "document",
    [
        {"train_input": OURS},
        {"eval_inptu": {}},
        {"train_input": OURS, "trainer": {"init": {}}},
        {"train_input": {"data_processor": "SeverstalBinaryClassDataProcesor"}},
        {"train_input": {"data_processor": 3}},
        {"train_input": None, "model": [1]},
    ],
)
def test_a_parameter_file_with_mistakes_is_one(document: Any) -> None:
    assert other_document(document, SECTIONS) is None
