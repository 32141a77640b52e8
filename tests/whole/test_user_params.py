"""Parameter files as users bring them: classes named by numbers, keys and forms of the Model Zoo, other files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from maskmill.pipeline.report.source import read_source
from tests.support.builders import HEADER, params_of, write_dataset, write_params
from tests.support.command import manifest, run_here
from tests.support.datasets import reseal
from tests.support.user_files import UserFiles, label_runs


def csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows, ""])


FROM_ZERO = csv("a.jpg,0,1 1", "a.jpg,1,2 2", "a.jpg,2,10 3", "a.jpg,3,20 4", "a.jpg,4,40 5")
ZERO_TO_FOUR = {"classes": ["0", "1", "2", "3", "4"]}
ONE_ROW = csv("a.jpg,3,1 2")
LISTED = "the classes are 0, 1, 2, 3, 4"


def numbered(class_id: Any, classes: Any = ZERO_TO_FOUR["classes"], **params: Any) -> dict[str, Any]:
    return {"class_id": class_id, "maskmill": {"classes": classes}, **params}


@pytest.mark.parametrize(
    "case",
    [
        # One value, two readings: the name of a class, or its position.
        pytest.param(
            UserFiles(
                csv=FROM_ZERO,
                params=numbered(3),
                words=("  class 3: 1 row\n", "  4 filtered: of another class"),
                pixels={"a.jpg": [(20, 4)]},
            ),
            id="a number is the class of that name",
        ),
        pytest.param(
            UserFiles(csv=FROM_ZERO, params=numbered("3"), words=("  class 3: 1 row\n",), pixels={"a.jpg": [(20, 4)]}),
            id="the same in quotes",
        ),
        pytest.param(
            UserFiles(
                csv=FROM_ZERO,
                params=numbered([0, 3]),
                words=("  class 0: 1 row\n  class 3: 1 row\n",),
                pixels={"a.jpg": [(1, 1), (20, 4)]},
            ),
            id="a list of numbers",
        ),
        pytest.param(
            UserFiles(csv=FROM_ZERO, params=numbered(0), pixels={"a.jpg": [(1, 1)]}), id="class 0, not a position"
        ),
        pytest.param(
            UserFiles(csv=FROM_ZERO, params=numbered(3, [0, 1, 2, 3, 4]), pixels={"a.jpg": [(20, 4)]}),
            id="names that YAML reads as numbers",
        ),
        pytest.param(
            UserFiles(csv=FROM_ZERO, params=numbered(3, [4, 3, 2, 1, 0]), pixels={"a.jpg": [(20, 4)]}),
            id="names in another order",
        ),
        pytest.param(
            UserFiles(csv=FROM_ZERO, params=numbered(5), status=2, words=("class_id: 5 is not a class", LISTED)),
            id="a number that is no name is no position",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,01,1 1", "a.jpg,02,2 2"),
                params=numbered(1, ["01", "02"]),
                status=2,
                words=("1 is not a class; the classes are 01, 02",),
            ),
            id="names with a nought before them",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,01,1 1", "a.jpg,02,2 2"), params=numbered("02", ["01", "02"]), pixels={"a.jpg": [(2, 2)]}
            ),
            id="names with a nought before them, in quotes",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,Fish,1 1", "b.jpg,Sugar,2 2"),
                params=numbered(2, ["Fish", "Sugar"]),
                words=("  class Sugar: 1 row\n",),
                pixels={"b.jpg": [(2, 2)]},
            ),
            id="a position among names that are words",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,Fish,1 1", "b.jpg,7,2 2"),
                params=numbered(2, ["Fish", "7"]),
                status=2,
                words=("2 is not a class; the classes are Fish, 7",),
            ),
            id="words and a number",
        ),
        pytest.param(
            UserFiles(csv=csv("a.jpg,1.0,1 1", "a.jpg,3.0,5 2"), pixels={"a.jpg": [(5, 2)]}),
            id="classes of the CSV as decimals",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,1.0,1 1", "a.jpg,3.0,5 2"),
                params=numbered("3.0", ["1.0", "3.0"]),
                pixels={"a.jpg": [(5, 2)]},
            ),
            id="names as decimals",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,no,1 1", "b.jpg,yes,2 2"),
                params=numbered(True, ["no", "yes"]),
                status=2,
                words=("true is not a class; the classes are no, yes", "put a class of such a name in quotes"),
            ),
            id="yes without quotes as class_id",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,no,1 1"),
                params=numbered("no", [False, True]),
                status=2,
                words=("maskmill.classes: false is no name, as YAML reads it: put names such as no",),
            ),
            id="no without quotes as a name",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,no,1 1", "b.jpg,yes,2 2"),
                params=numbered("no", ["no", "yes"]),
                pixels={"a.jpg": [(1, 1)]},
            ),
            id="no in quotes",
        ),
        pytest.param(
            UserFiles(
                csv=FROM_ZERO, params=numbered(1, [1, "1"]), status=2, words=("2 classes are not all different",)
            ),
            id="the same name as number and text",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,all,1 1", "b.jpg,some,2 2"),
                params=numbered("all", ["all", "some"]),
                status=2,
                words=("all is the name of a class, too: for this class alone write [all]",),
            ),
            id="a class named all",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,all,1 1", "b.jpg,some,2 2"),
                params=numbered(["all"], ["all", "some"]),
                pixels={"a.jpg": [(1, 1)]},
            ),
            id="a class named all, in brackets",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,1,1 1", "a.jpg,1,5 2", "b.jpg,2,3 1"),
                params=numbered([0, 1], [0, 1, 2, 3]),
                words=(
                    "  class 0: 0 rows\n  class 1: 2 rows\n",
                    "warning: no row is of class 0, which class_id asks for; classes with rows: 1 (2 rows), 2 (1 row)",
                ),
                pixels={"a.jpg": [(1, 1), (5, 2)]},
            ),
            id="a class without a row beside one with rows",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,1,1 1", "b.jpg,2,3 1"),
                params=numbered(0, [0, 1, 2]),
                status=1,
                words=("no row of class 0 in", "classes with rows: 1 (1 row), 2 (1 row)"),
            ),
            id="only a class without a row",
        ),
        pytest.param(
            UserFiles(
                csv=csv("a.jpg,3,1 1", "b.jpg,3,1 2 3"),
                flags=("--max_rejected=1",),
                words=("  class 3: 2 rows\n",),
                never=("no row is of class",),
                codes={"RLE_ODD_COUNT": 1},
                pixels={"a.jpg": [(1, 1)]},
            ),
            id="rejected rows count in their class",
        ),
        # Heights, widths and channels.
        pytest.param(
            UserFiles(
                csv=ONE_ROW,
                params={"image_shape": [1, 16, 24]},
                status=2,
                words=("image_shape: [1, 16, 24] has 24 channels; did you mean [16, 24, 1]?",),
            ),
            id="channels first",
        ),
        pytest.param(
            UserFiles(
                csv=ONE_ROW,
                params={"max_image_shape": [3, 16, 24]},
                status=2,
                words=("max_image_shape: [3, 16, 24] has 24 channels; did you mean [16, 24, 3]?",),
            ),
            id="channels first in max_image_shape",
        ),
        pytest.param(
            UserFiles(csv=ONE_ROW, params={"image_shape": [16, 24, 3]}, pixels={"a.jpg": [(1, 2)]}), id="three channels"
        ),
        pytest.param(
            UserFiles(
                csv=ONE_ROW, params={"image_shape": [16, 24, 2]}, status=2, words=("[16, 24, 2] has 2 channels; give",)
            ),
            id="two channels",
        ),
        # Keys that the Model Zoo has and maskmill does not need.
        pytest.param(
            UserFiles(
                csv=ONE_ROW,
                params={
                    "micro_batch_size": "auto",
                    "shuffle_buffer": 100,
                    "overfit": False,
                    "overfit_num_batches": 2,
                    "drop_last": True,
                },
                never=("unknown key", "warning"),
                pixels={"a.jpg": [(1, 2)]},
            ),
            id="keys that the Model Zoo documents",
        ),
        pytest.param(
            UserFiles(
                csv=ONE_ROW,
                params={"num_steps": 3, "sampler": None, "eval_input": {"repeat": True}},
                words=(
                    "unknown keys, which have no effect here and are copied to data_params.json: "
                    "eval_input.num_steps (line ",
                    "eval_input.repeat (line ",
                    "train_input.sampler (line ",
                ),
                pixels={"a.jpg": [(1, 2)]},
            ),
            id="keys that nobody documents",
        ),
        *[
            pytest.param(
                UserFiles(
                    csv=ONE_ROW,
                    params={"eval_input": {slip: 4}},
                    status=2,
                    words=(f"eval_input.{slip}: unknown key; did you mean {meant}?",),
                ),
                id=slip,
            )
            for slip, meant in {
                "clas_id": "class_id",
                "class_ids": "class_id",
                "ClassId": "class_id",
                "class": "class_id",
                "image_shpe": "image_shape",
                "img_shape": "image_shape",
                "image_size": "image_shape",
                "max_image_shap": "max_image_shape",
                "data_dirr": "data_dir",
                "data-dir": "data_dir",
                "train_test_splits": "train_test_split",
                "train_split": "train_test_split",
                "n_classes": "num_classes",
                "data_procesor": "data_processor",
                "csv": "maskmill.csv",
                "negatives": "maskmill.negatives",
                "folds": "maskmill.folds",
                "splits_file": "maskmill.splits_file",
                "maskmill": "maskmill",
            }.items()
        ],
        *[
            pytest.param(
                UserFiles(
                    csv=ONE_ROW, params={"maskmill": {key: 1}}, status=2, words=(f"maskmill.{key}: unknown key; {end}",)
                ),
                id=f"maskmill.{key}",
            )
            for key, end in {
                "num_steps": "known keys: csv, images",
                "micro_batch_size": "known keys: csv, images",
                "class_id": "did you mean train_input.class_id?",
                "loss": "did you mean model.loss?",
                "fold": "did you mean folds?",
                "color": "did you mean colour?",
                "crop": "did you mean crops?",
                "layouts": "did you mean layout?",
                "license": "did you mean licence?",
                "num_folds": "did you mean folds?",
                "split_file": "did you mean splits_file?",
                "split": "did you mean splits?",
            }.items()
        ],
        # Values that the keys do not have, and keys that do not go together.
        *[
            pytest.param(UserFiles(csv=ONE_ROW, params={"maskmill": ours}, status=2, words=(words,)), id=words)
            for ours, words in (
                ({"colour": "RGB"}, 'maskmill.colour: "RGB" is not supported; give grey or rgb'),
                ({"resize": "fit"}, 'maskmill.resize: "fit" is not supported; give stretch, pad or crop'),
                ({"layout": "rows"}, 'maskmill.layout: "rows" is not supported; give groups or arrays'),
                ({"views": 1}, "maskmill.views: 1 is neither true nor false; give true or false"),
                ({"licence": ""}, 'maskmill.licence: "" is blank; give a name such as CC-BY-4.0, or a URL'),
                ({"folds": 1}, "maskmill.folds: 1 is below 2; give a whole number from 2 to 100"),
                ({"crops": {"size": [8, 8]}}, "maskmill.crops.source: missing; give [height, width] of the images"),
                ({"crops": [8, 8]}, "maskmill.crops: [8, 8] is not a mapping; give a section with keys, or null"),
                (
                    {"crops": {"size": [32, 32], "source": [16, 24]}},
                    "maskmill.crops.source: [16, 24] is smaller than a crop of [32, 32]; set edge: pad",
                ),
                (
                    {"crops": {"size": [8, 8], "stride": [8, 9], "source": [16, 24]}},
                    "maskmill.crops.stride: [8, 9] is above the size of a crop, so that pixels would be in none",
                ),
                (
                    {"crops": {"size": [8, 8], "source": [16, 24], "empty": 2}},
                    "maskmill.crops.empty: 2 is not supported; give all, none, or a share between 0 and 1",
                ),
                (
                    {"crops": {"size": [8, 8], "source": [16, 24]}, "resize": "pad"},
                    "maskmill.crops: does not go with resize: pad",
                ),
                ({"csv": None, "negatives": "none"}, "maskmill.negatives: with csv: null every image is without a"),
                ({"csv": None, "assignment": "stratified"}, "there are no classes to stratify by"),
                ({"csv": None, "folds": 2}, "maskmill.folds: with csv: null all images go to one split"),
                ({"csv": None, "group_column": "g"}, "maskmill.group_column: with csv: null there are no rows"),
                ({"images": ["train_images", "train_images"]}, "maskmill.images names this folder twice; name it once"),
                ({"images": ["train_images", "nowhere"]}, "nowhere: there is no such folder of images"),
                (
                    {"images": []},
                    "maskmill.images: [] has length 0; give the name of the image folder, or a list of names",
                ),
                ({"folds": 2, "splits_file": "splits.csv"}, "keep one of them"),
            )
        ],
    ],
)
def test_a_parameter_file_is_read_as_it_is_meant_or_questioned(tmp_path: Path, case: UserFiles) -> None:
    case.check(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "trainer:\n  init:\n    model: {name: unet, loss: bce}\n  fit:\n    train_dataloader: &d\n"
            "      data_processor: SeverstalBinaryClassDataProcessor\n    val_dataloader: *d\n",
            ":1: trainer: this is the form of Model Zoo release 2.3 and later",
        ),
        (
            "trainer:\n  fit:\n    train_dataloader:\n      data_processor: GptHDF5MapDataProcessor\n",
            ':4: trainer.fit.train_dataloader.data_processor: "GptHDF5MapDataProcessor" is for other data',
        ),
        (
            "train_input:\n  data_processor: SkmDataProcessor\n  echo_type: echo1\neval_input:\n"
            "  data_processor: SkmDataProcessor\nmodel:\n  loss: ssce\n",
            ':2: train_input.data_processor: "SkmDataProcessor" is for other data; give a file with the sections',
        ),
        (
            "train_input: &t\n  data_processor: Hdf5DataProcessor\n  data_dir: x\neval_input: *t\nmodel: {loss: bce}\n",
            ":2: train_input.data_processor: Hdf5DataProcessor reads a dataset that is made already",
        ),
        ("train_input: {batch_size: 1, data_processor: BertCSVDataProcessor}\n", '"BertCSVDataProcessor" is for other'),
        ("ImageId,ClassId,EncodedPixels\na.jpg,1,1 2\n", "this is a CSV file, not a parameter file"),
        ('ImageId;ClassId\n"a.jpg: x";1\n', "this is a CSV file, not a parameter file"),
        ('{"images": [], "annotations": [], "categories": []}', ":1: this is COCO annotations, not a parameter file"),
        ('{"architectures": ["Bert"], "model_type": "bert"}', "this is a model's configuration, not a parameter file"),
        ("<!DOCTYPE html>\n<html lang='en'>\n", "this is an HTML or XML page, not a parameter file"),
        ("version: 3\nservices: {}\n", ":1: this is not a parameter file; give a file with the sections train_input"),
        (b"\x89HDF\r\n\x1a\n" + bytes(2**21), "this is an HDF5 file, not a parameter file"),
    ],
    ids=[
        "trainer",
        "trainer of a language model",
        "other data",
        "HDF5 reader",
        "language model",
        "CSV",
        "CSV with semicolons",
        "COCO",
        "model",
        "web page",
        "other YAML",
        "HDF5",
    ],
)
def test_another_file_is_recognised_and_named_in_one_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    params = tmp_path / "params.yaml"
    params.write_bytes(text if isinstance(text, bytes) else text.encode())
    for command in ("create", "plan"):
        said = run_here(command, "--params", params, "--output_dir", tmp_path / "out", status=2).err
        assert words in said
        assert said.count("\n") == 1
        assert "missing" not in said


@pytest.mark.parametrize("merge", ["*train_input", "\n  <<: *train_input"])
def test_an_anchor_repeats_neither_problems_nor_warnings(tmp_path: Path, merge: str) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2"])
    content = params_of(data, train_test_split=1.0, clas_id=3, num_steps=1)
    lines = yaml.safe_dump({"train_input": content["train_input"], "model": content["model"]}, sort_keys=False)
    text = lines.replace("train_input:", "train_input: &train_input", 1) + f"eval_input: {merge}\n"
    params = tmp_path / "params.yaml"
    params.write_text(text)
    said = run_here("plan", "--params", params, status=2).err
    assert said.count("did you mean class_id?") == 1
    params.write_text(text.replace("  clas_id: 3\n", ""))
    said = run_here("plan", "--params", params).err
    assert said.count("num_steps") == said.count("warning") == 1
    assert "train_input.num_steps (line 12)" in said


@pytest.mark.parametrize("merge", [" *train_input", "\n  <<: *train_input", "\n  <<: *train_input\n  batch_size: 8"])
def test_each_of_many_problems_is_told_once_though_an_anchor_repeats_them(tmp_path: Path, merge: str) -> None:
    wrong = {"image_shape": [256], "clas_id": 3, "data_dir": 7, "train_test_split": 3, "num_classes": 0}
    content = params_of(tmp_path, **wrong)
    del content["eval_input"]
    text = yaml.safe_dump(content).replace("train_input:", "train_input: &train_input", 1) + f"eval_input:{merge}\n"
    params = tmp_path / "params.yaml"
    params.write_text(text)
    for command in ("create", "plan", "preview"):
        lines = run_here(command, "--params", params, status=2).err.splitlines()
        assert sorted(re.findall(r"train_input\.(\w+): ", "\n".join(lines))) == sorted(wrong)
        assert len(lines) == len(wrong)


def test_the_plan_and_the_log_for_programs_say_what_people_read(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,1,1 2", "a.jpg,2,5 1", "b.jpg,1,3 1"])
    maskmill = {"classes": [0, 1, 2]}
    params = write_params(
        tmp_path / "params.yaml", data, class_id=[0, 1], maskmill=maskmill, num_steps=1, train_test_split=1.0
    )
    arguments = ["--params", params, "--output_dir", tmp_path / "out"]
    said = run_here("plan", *arguments)
    assert "  class 0: 0 rows\n  class 1: 2 rows\n" in said.out
    assert said.err.count("warning: ") == 2
    assert "no row is of class 0" in said.err
    assert json.loads(run_here("plan", *arguments, "--json").out)["rows"]["classes"] == {"0": 0, "1": 2, "2": 1}
    said = run_here("create", *arguments, "--quiet", "--log_format=json")
    warnings = [entry["message"] for entry in map(json.loads, said.err.splitlines()) if entry["event"] == "warning"]
    assert len(warnings) == 2
    assert "train_input.num_steps" in warnings[0]
    assert "classes with rows: 1 (2 rows), 2 (1 row)" in warnings[1]
    assert manifest(tmp_path / "out")["rows"]["classes"] == {"0": 0, "1": 2, "2": 1}
    passed = json.loads((tmp_path / "out" / "data_params.json").read_text())
    assert passed["train_input"]["num_steps"] == passed["eval_input"]["num_steps"] == 1


def test_the_pixels_of_every_class_that_is_numbered_from_zero(tmp_path: Path) -> None:
    expected = {0: (1, 1), 1: (2, 2), 2: (10, 3), 3: (20, 4), 4: (40, 5)}
    for class_id, run in expected.items():
        folder = tmp_path / str(class_id)
        folder.mkdir()
        UserFiles(csv=FROM_ZERO, params=numbered(class_id)).check(folder)
        assert label_runs(folder / "out") == {"a.jpg": [run]}


def test_a_dataset_of_an_earlier_version_keeps_the_classes_that_its_manifest_lists(tmp_path: Path) -> None:
    """There, `class_id: 3` was a position although classes had numbers for names, and classes were not counted."""
    data = write_dataset(tmp_path / "data", ["a.jpg,2,1 2", "b.jpg,6,1 2"])
    changes = {"maskmill": {"classes": ["2", "4", "6"]}, "train_test_split": 1.0}
    params = write_params(tmp_path / "params.yaml", data, class_id="6", **changes)
    output = tmp_path / "out"
    arguments = ["--params", params, "--output_dir", output]
    run_here("create", *arguments)
    record = output / "data_params.json"
    record.write_text(record.read_text().replace('"class_id": "6"', '"class_id": 3'))
    reseal(output, lambda content: content["rows"].pop("classes"))
    run_here("verify", output)
    assert read_source(str(output)).classes["train_input"] == ["class 6"]
    assert "nothing to do" in run_here("create", *arguments).out
    # Made again, the number is the name.
    write_params(params, data, class_id=2, **changes)
    run_here("create", *arguments)
    assert list(label_runs(output)) == ["a.jpg"]
