"""Bad parameter files, and parameters that name no input: exit status 2, one clear message, before any work."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from tests.support.bad_input import Bomb, run, three_images
from tests.support.builders import write_params

HUGE = "1" + "0" * 400
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        # a wrong type
        ({"image_shape": "16x24"}, ["train_input.image_shape", '"16x24" is not a list']),
        ({"image_shape": [16, 24]}, ["image_shape", "has length 2"]),
        ({"image_shape": [16, 24.5, 1]}, ["image_shape[1]", "24.5 is not a whole number"]),
        ({"class_id": "Fish"}, ["class_id", '"Fish" is not a class; the classes are 1, 2, 3, 4']),
        ({"class_id": 3.0}, ["class_id", "3.0 is not a class"]),
        ({"class_id": True}, ["class_id", "true is not a class"]),
        ({"class_id": [[3]]}, ["class_id", "[3] is not a class"]),
        ({"train_test_split": "most"}, ["train_test_split", '"most" is not a number']),
        ({"data_dir": 3}, ["data_dir", "3 is not a string"]),
        ({"data_dir": None}, ["data_dir", "null is not a string"]),
        ({"num_classes": None}, ["num_classes", "null is not a whole number"]),
        ({"maskmill": [1]}, ["maskmill", "[1] is not a mapping"]),
        ({"maskmill": {"csv": {"a": 1}}}, ["maskmill.csv"]),
        ({"maskmill": {"max_image_pixels": "many"}}, ["max_image_pixels", '"many" is not a whole number']),
        ({"maskmill": {"max_image_pixels": 1.5}}, ["max_image_pixels", "1.5 is not a whole number"]),
        # out of range
        ({"train_test_split": 1.5}, ["params.yaml:", "train_test_split", "between 0 and 1"]),
        ({"train_test_split": -0.1}, ["params.yaml:", "train_test_split", "-0.1 is below 0"]),
        ({"train_test_split": float("nan")}, ["train_test_split", "is not a number"]),
        ({"image_shape": [0, 16, 1]}, ["image_shape[0]", "0 is below 1"]),
        ({"image_shape": [16, -24, 1]}, ["image_shape[1]", "-24 is below 1"]),
        ({"image_shape": [10**6, 10**6, 1]}, ["image_shape", "1000000 x 1000000 is above"]),
        ({"class_id": 0}, ["class_id", "0 is not a class"]),
        ({"class_id": 5}, ["class_id", "5 is not a class"]),
        ({"num_classes": 0}, ["num_classes", "0 is below 1"]),
        ({"num_classes": 1, "loss": "multilabel_bce"}, ["num_classes", "1 is too few"]),
        ({"loss": "mse"}, ["model.loss", '"mse" is not supported', "bce"]),
        ({"data_processor": "Other"}, ["data_processor", "SeverstalBinaryClassDataProcessor"]),
        ({"maskmill": {"max_image_pixels": 0}}, ["0 is below 1; give a whole number from 1 to 2147483646"]),
        ({"maskmill": {"max_image_pixels": 2**31}}, ["2147483648 is above 2147483646"]),
        ({"maskmill": {"max_shard_bytes": 0}}, ["maskmill.max_shard_bytes", "0 is below 1; give a number of bytes"]),
        ({"maskmill": {"max_shard_bytes": "1 GB"}}, ["maskmill.max_shard_bytes", '"1 GB" is not a whole number']),
        ({"maskmill": {"assignment": "random"}}, ["maskmill.assignment", '"random" is not supported', "hash"]),
        ({"maskmill": {"colour": "bgr"}}, ["maskmill.colour", '"bgr" is not supported; give grey or rgb']),
        ({"maskmill": {"resize": "fit"}}, ["maskmill.resize", '"fit" is not supported; give stretch, pad or crop']),
        (
            {"maskmill": {"resize": "pad"}, "max_image_shape": [10, 90]},
            ["max_image_shape", "[10, 90] tiles examples of 16 x 24, which maskmill.resize: pad does not; remove this"],
        ),
        ({"maskmill": {"salt": 7}}, ["maskmill.salt", "7 is not a string; give a text"]),
        # unknown keys
        ({"imge_shape": [1, 1, 1]}, ["imge_shape", "did you mean image_shape?"]),
        ({"maskmill": {"max_image_pixel": 5}}, ["maskmill.max_image_pixel", "did you mean max_image_pixels?"]),
        ({"eval_input": {"class_ids": 4}}, ["eval_input.class_ids", "did you mean class_id?"]),
        ({"maskmill": {"weather": 1}}, ["maskmill.weather", "unknown key; known keys: "]),
        ({"maskmill": {"color": "rgb"}}, ["maskmill.color", "did you mean colour?"]),
        # input that is not there
        ({"data_dir": "/nowhere"}, ["train_input.data_dir: there is no folder /nowhere"]),
        ({"maskmill": {"images": "x"}}, ["data/x: there is no such folder of images"]),
        ({"maskmill": {"images": "train.csv"}}, ["data/train.csv: there is no such folder of images"]),
        ({"maskmill": {"csv": "*.tsv"}}, ["*.tsv: there is no such CSV file"]),
        ({"maskmill": {"csv": "train_images"}}, ["train_images: there is no such CSV file"]),
        ({"data_dir": "/first", "eval_input": {"data_dir": "/second"}}, ["/first", "/second"]),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, changes: dict[str, object], words: list[str]) -> None:
    three_images(tmp_path)
    run(write_params(tmp_path / "params.yaml", tmp_path / "data", **changes), 2, *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("eval_input:", "eval_inptu:", ["eval_inptu: unknown key; did you mean eval_input?"]),
        ("train_input:", "optimizer:", ["train_input: missing"]),
        ("class_id: 3", "class_id: 3\n  class_id: 4", ["class_id: given twice"]),
        ("class_id: 3", "class_id: *three", ["three"]),
        ("class_id: 3", "class_id: &three [*three]", ["holds itself through an alias"]),
        ("class_id: 3", "\tclass_id: 3", ["indent with spaces, not tabs"]),
        ("class_id: 3", "class_id: [3", ["not YAML"]),
        ("class_id: 3", f"class_id: {HUGE}", ["does not fit in 64 bits"]),
        ("class_id: 3", "3: class_id", ["the key is not a string"]),
        ("class_id: 3", "class_id: !!int x", ['"x" cannot be read as int']),
        ("class_id: 3", 'class_id: !!python/object/apply:os.mkdir ["owned"]', ["tag", "is not allowed; remove it"]),
        ("class_id: 3", 'class_id: !!python/object/new:os.system ["mkdir owned"]', ["is not allowed"]),
        ("class_id: 3", "class_id: !!python/name:os.system", ["is not allowed"]),
        ("class_id: 3", "class_id: 3\n  shuffle: " + "[" * 1000 + "]" * 1000, ["levels deep"]),
        ("class_id: 3", "class_id: 3\n---\nclass_id: 4", ["not YAML"]),
        ("class_id: 3", "class_id: \x07", ["U+0007 cannot stand in YAML"]),
    ],
)
def test_what_is_no_plain_yaml_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    params = write_params(tmp_path / "params.yaml", three_images(tmp_path))
    params.write_text(params.read_text().replace(old, new, 1))
    run(params, 2, *words)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["the file is empty"]),
        (b"# nothing\n", ["the file is empty"]),
        (b"- a\n- b\n", ["is not a mapping"]),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["this is a PNG image, not a parameter file"]),
        (b"\xe4: 1\n", ["not UTF-8"]),
        (bytes(64), ["U+0000 cannot stand in YAML"]),
        ("train_input: {}".encode("utf-16"), ["not UTF-8"]),
        (pickle.dumps(Bomb()), ["params.yaml: this is a Python pickle, not a parameter file"]),
        (pickle.dumps(Bomb(), 0), ["params.yaml:1"]),
        (LAUGHS.encode(), ["use fewer aliases"]),
        (b"a: 1\n" * 10_000_000, ["over 1 MiB"]),
    ],
    ids=[
        "empty",
        "comment",
        "list",
        "PNG",
        "Latin 1",
        "zeros",
        "UTF-16",
        "pickle",
        "text pickle",
        "billion laughs",
        "50 MB",
    ],
)
def test_what_is_no_parameter_file_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    params = tmp_path / "params.yaml"
    params.write_bytes(content)
    run(params, 2, "params.yaml:", *words)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, lambda path: path.symlink_to(path)])
def test_a_parameter_file_that_is_none_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "params.yaml")
    run(tmp_path / "params.yaml", 2, "params.yaml: cannot be read", "give the path of a parameter file")


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = write_params(tmp_path / "params.yaml", three_images(tmp_path))
    (tmp_path / "out").write_text("a file")
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out")]) == 2
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "a file"
