"""Problems of a file's sections, at any depth: the line, the key, what to do, and each once."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maskmill.pipeline.job.section_problems import nearest_key, section_problems
from maskmill.pipeline.job.yaml_file import load_yaml

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class Runs(BaseModel):
    model_config = STRICT

    encoding: Literal["pairs", "relative"] = Field(default="pairs", description="give pairs or relative")
    first: int = Field(default=1, ge=0, le=1, description="give 0 or 1")


class Layer(BaseModel):
    model_config = STRICT

    runs: Runs = Field(description="give a section with encoding")


class Ours(BaseModel):
    model_config = STRICT

    images: str = Field(default="images", description="give a folder")
    runs: Runs = Field(default=Runs(), description="give a section with keys, or remove it")
    other: Runs | None = Field(default=None, description="give a section, or null")
    layers: list[Layer] = Field(default=[], description="give a list of sections")
    limits: dict[str, int] = Field(default={}, description="give names with numbers")


class Split(BaseModel):
    model_config = STRICT

    shape: int = Field(description="give a number")
    batch: object = None


class File(BaseModel):
    model_config = STRICT

    ours: Ours = Field(default=Ours(), description="give a section")
    first_input: Split = Field(description="give a split")
    second_input: Split = Field(description="give another split")


SPLITS = "first_input: {shape: 1}\nsecond_input: {shape: 1}\n"


def problems(text: str) -> list[str]:
    tree = load_yaml(text, "p")
    with pytest.raises(ValidationError) as caught:
        File.model_validate(tree.document)
    return [str(problem) for problem in section_problems(caught.value, tree, File)]


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ("  imagse: x", "4: ours.imagse: unknown key; did you mean images?"),
        ("  runs:\n    encodng: pairs", "5: ours.runs.encodng: unknown key; did you mean encoding?"),
        ("  runs:\n    Encoding: pairs", "5: ours.runs.Encoding: unknown key; did you mean encoding?"),
        ("  runs: {xyz: 1}", "4: ours.runs.xyz: unknown key; known keys: encoding, first"),
        ("  runs:\n    first: 2", "5: ours.runs.first: 2 is above 1; give 0 or 1"),
        ("  runs:\n    encoding: rle", '5: ours.runs.encoding: "rle" is not supported; give pairs or relative'),
        ("  runs: pairs", '4: ours.runs: "pairs" is not a mapping; give a section with keys, or remove it'),
        ("  runs:", "4: ours.runs: null is not a mapping; give a section with keys, or remove it"),
        ("  other: {frist: 0}", "4: ours.other.frist: unknown key; did you mean first?"),
        ("  other: {first: x}", '4: ours.other.first: "x" is not a whole number; give 0 or 1'),
        (
            "  layers:\n  - runs: {}\n  - runs:\n      encodin: pairs",
            "7: ours.layers[1].runs.encodin: unknown key; did you mean encoding?",
        ),
        ("  layers:\n  - {}", "5: ours.layers[0].runs: missing; give a section with encoding"),
        ("  layers:\n  - run: {}", "5: ours.layers[0].run: unknown key; did you mean runs?"),
        ("  limits: {a: b}", '4: ours.limits.a: "b" is not a whole number; give names with numbers'),
        ("  encoding: pairs", "4: ours.encoding: unknown key; did you mean ours.runs.encoding?"),
        ("  runs: {images: x}", "4: ours.runs.images: unknown key; did you mean ours.images?"),
        ("  shape: 3", "4: ours.shape: unknown key; did you mean first_input.shape?"),
    ],
)
def test_a_problem_at_any_depth_has_its_line_its_keys_and_its_advice(ours: str, expected: str) -> None:
    assert problems(f"{SPLITS}ours:\n{ours}\n") == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first_input: &a\n  shape: x\nsecond_input: *a\n", ["2: first_input.shape"]),
        ("first_input: &a\n  shape: x\nsecond_input:\n  <<: *a\n", ["2: first_input.shape"]),
        ("first_input: &a\n  batch: 1\nsecond_input:\n  <<: *a\n", ["1: first_input.shape: missing"]),
        ("first_input:\n  shape: &s x\nsecond_input:\n  shape: *s\n", ["2: first_input.shape"]),
        ("first_input: &a\n  shap: 1\nsecond_input:\n  <<: *a\n", ["2: first_input.shap: unknown"]),
        # What is written twice is wrong twice, even on one line.
        ("{first_input: {shape: x}, second_input: {shape: x}}", ["1: first_input.shape", "1: second_input.shape"]),
        (
            "first_input: {shap: &s 1}\nsecond_input: {shap: *s}",
            ["1: first_input.shap: unknown", "2: second_input.shap: unknown"],
        ),
        ("first_input: {batch: 1}\nsecond_input: {batch: 1}", ["1: first_input.shape", "2: second_input.shape"]),
        ("first_input: &a\n  shape: x\nsecond_input:\n  <<: *a\n  shape: y", ["2: first", "5: second"]),
    ],
)
def test_what_an_anchor_repeats_is_told_once(text: str, expected: list[str]) -> None:
    found = problems(text)
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("first_input", "Shape"), ("first_input", "shape")),
        (("first_input", "shapes"), ("first_input", "shape")),
        (("first_input", "images"), ("ours", "images")),
        # A key without an effect is meant by none.
        (("first_input", "bach"), None),
        (("first_input", "num_steps"), None),
        (("first_input", "first"), None),
        (("first_input", "ours"), ("ours",)),
        (("outs",), None),
        (("first-input",), ("first_input",)),
        (("steelbeam",), ("maskmill",)),
    ],
)
def test_the_key_that_is_meant(path: tuple[str, ...], expected: tuple[str, ...] | None) -> None:
    assert nearest_key(path, File) == expected
