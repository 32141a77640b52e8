"""`maskmill create`, from the command line to the files."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import apache_beam as beam
import h5py
import numpy as np
import pytest

from maskmill.pipeline.cli import main
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.params_file import read_params
from maskmill.pipeline.job.read_job import make_job
from maskmill.pipeline.runners.in_process_runner import InProcessRunner
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.shards.hdf5_file import read_shard
from tests.support.builders import A_RUN, HEADER, write_dataset, write_images, write_params
from tests.support.command import create, create_here, digest, manifest, run_here, run_maskmill

ROWS = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdefgh", start=1)]


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def first_pixels(output: Path, split: str, files: int) -> list[int]:
    """The first labelled pixel of each example, by position: it tells which row the example is from."""
    shards = [list(read_shard(str(output / split / f"preprocessed_data-{k}_p0.h5"))) for k in range(files)]
    count = sum(map(len, shards))
    examples = [shards[position % files][position // files] for position in range(count)]
    return [int(np.flatnonzero(example.label[0].T.ravel())[0]) + 1 for example in examples]


def test_examples_are_in_the_order_of_the_csv_and_cut_at_the_share(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, "--num_output_files=3", train_test_split=0.7)
    assert first_pixels(output, "train_input", 3) == [1, 2, 3, 4, 5]
    assert first_pixels(output, "eval_input", 3) == [6, 7, 8]


def test_nothing_but_the_dataset_is_left_in_the_folder(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, "--num_output_files=1")
    assert sorted(path.name for path in output.iterdir()) == [
        "croissant.json",
        "data_params.json",
        "eval_input",
        "examples.csv",
        "history.jsonl",
        "manifest.json",
        "meta_eval_input.dat",
        "meta_train_input.dat",
        "rejected.jsonl",
        "train_input",
    ]


def test_the_same_input_gives_the_same_bytes_for_any_number_of_workers(tmp_path: Path, data: Path) -> None:
    first = create(tmp_path, data, "--workers=1", output="first")
    second = create(tmp_path, data, "--workers=7", output="second")
    assert digest(first) == digest(second)
    assert (first / "manifest.json").read_text().count("sha256") == 27
    again = create(tmp_path, data, output="first")
    assert digest(again) == digest(second)


def test_rows_of_one_image_and_class_are_one_example_with_the_union_of_their_masks(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,9 1", "a.jpg,3,2 4"])
    output = create(tmp_path, data, "--num_output_files=1", train_test_split=1.0)
    masks = [
        example.label[0].T.ravel() for example in read_shard(str(output / "train_input/preprocessed_data-0_p0.h5"))
    ]
    assert [np.flatnonzero(mask).tolist() for mask in masks] == [[0, 1, 2, 3, 4], [8]]
    assert manifest(output)["rows"]["merged"] == 1


def test_minus_one_makes_an_example_with_an_empty_mask_and_nothing_makes_none(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,-1", "b.jpg,3,", "c.jpg,3,4 1"])
    output = create(tmp_path, data, "--num_output_files=1", train_test_split=1.0)
    [first, second] = read_shard(str(output / "train_input/preprocessed_data-0_p0.h5"))
    assert (first.label.sum(), second.label.sum()) == (0, 1)
    assert manifest(output)["rows"]["filtered"] == {"in no split": 0, "without a mask": 1}


def test_original_layout_gives_the_same_dataset_as_the_present_one(tmp_path: Path, data: Path) -> None:
    present = create(tmp_path, data, output="present")
    rows = [f"{row.split(',')[0]}_{k},{row.split(',')[2] if k == 3 else ''}" for row in ROWS for k in (1, 2, 3, 4)]
    (data / "train.csv").write_text("\n".join(["ImageId_ClassId,EncodedPixels", *rows, ""]))
    original = create(tmp_path, data, output="original")
    assert digest(original) == digest(present)


def test_several_files_are_read_in_the_order_given(tmp_path: Path, data: Path) -> None:
    (data / "second.csv").write_text("\n".join([HEADER, *ROWS[:4]]))
    reordered = ["EncodedPixels,more,ClassId,ImageId"]
    reordered += [",".join([row.split(",")[2], '"x,y"', "3", row.split(",")[0]]) for row in ROWS[4:]]
    (data / "first.csv.gz").write_bytes(gzip.compress("\r\n".join(reordered).encode()))
    keys = {"csv": ["first.csv.gz", "second.csv"]}
    output = create(tmp_path, data, "--num_output_files=2", train_test_split=1.0, maskmill=keys)
    assert first_pixels(output, "train_input", 2) == [5, 6, 7, 8, 1, 2, 3, 4]
    glob = create(tmp_path, data, output="glob", maskmill={"csv": "*.csv*"}, train_test_split=1.0)
    assert manifest(glob)["rows"]["merged"] == 8


def test_columns_and_folder_of_images_may_have_other_names(tmp_path: Path, data: Path) -> None:
    expected = digest(create(tmp_path, data))
    (data / "train_images").rename(data / "pictures [1]")
    csv = (data / "train.csv").read_text().replace(HEADER, "file,kind,rle")
    (data / "train.csv").write_text(csv)
    keys = {"images": "pictures [1]", "image_column": "file", "class_column": "kind", "mask_column": "rle"}
    assert digest(create(tmp_path, data, output="other", maskmill=keys)) == expected


def test_folders_and_files_may_have_any_name(tmp_path: Path, data: Path) -> None:
    expected = digest(create(tmp_path, data))
    strange = data.rename(tmp_path / "dätä [ab] #1 *")
    for csv in ("train.csv", "tr*.csv"):
        assert digest(create(tmp_path, strange, output=f"out [{csv[:3]}]", maskmill={"csv": csv})) == expected
    (strange / "train.csv").rename(strange / "train[1].csv")
    assert digest(create(tmp_path, strange, output="out", maskmill={"csv": "train[1].csv"})) == expected


def test_splits_may_differ_in_every_key(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_dataset(tmp_path / "other", ["x.jpg,1,7 1", "y.jpg,1,8 1", "z.jpg,3,9 1"])
    changes = {"data_dir": str(other), "class_id": 1, "image_shape": [8, 30, 1], "train_test_split": 0.0}
    output = create(tmp_path, data, "--num_output_files=1", eval_input=changes, train_test_split=1.0)
    assert [split["examples"] for split in manifest(output)["splits"].values()] == [8, 2]
    [example, _] = read_shard(str(output / "eval_input/preprocessed_data-0_p0.h5"))
    assert example.image.shape == (1, 8, 30)
    assert manifest(output)["rows"]["read"] == 11
    assert manifest(output)["shared_images"] == 0


def test_what_is_named_twice_is_read_once_and_shared_images_are_counted(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same_folder = {"data_dir": str(data / ".." / "data"), "train_test_split": 0.25}
    output = create(tmp_path, data, train_test_split=0.75, eval_input=same_folder)
    rows = manifest(output)["rows"]
    assert (rows["read"], rows["in_examples"]) == (8, 8)
    assert manifest(output)["shared_images"] == 4
    params = tmp_path / "params.yaml"
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "again")]) == 0
    assert "warning: 4 images in more than one split" in capsys.readouterr().out


def test_more_files_than_examples_leave_empty_files(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, "--num_output_files=20")
    counts = []
    for shard in range(20):
        with h5py.File(output / "train_input" / f"preprocessed_data-{shard}_p0.h5") as file:
            counts.append(int(file.attrs["n_examples"]))
    assert counts == [1] * 4 + [0] * 16
    assert (output / "meta_train_input.dat").read_text().splitlines()[-1].endswith("preprocessed_data-19_p0.h5 0")


@pytest.mark.parametrize("share", [0, 1])
def test_a_split_may_be_empty(tmp_path: Path, data: Path, share: int) -> None:
    output = create(tmp_path, data, train_test_split=share)
    assert manifest(output)["splits"]["train_input"]["examples"] == 8 * share
    ranges = json.loads((output / "data_params.json").read_text())["train_input_hdf"]["dataset_range"]
    assert ranges == {"0": [0, 7] if share else []}


def test_images_of_other_sizes_are_read_by_their_own_size(tmp_path: Path) -> None:
    rows = ["a.jpg,3,1 1", "b.jpg,3,1 1"]
    data = write_dataset(tmp_path / "data", rows)
    write_images(data / "train_images", ["b.jpg"], height=40, width=50)
    (data / "train.csv").write_text("\n".join([HEADER, "a.jpg,3,384 1", "b.jpg,3,2000 1"]))
    output = create(tmp_path, data, "--num_output_files=1", train_test_split=1.0)
    assert manifest(output)["splits"]["train_input"]["examples"] == 2
    (data / "train.csv").write_text("\n".join([HEADER, "a.jpg,3,385 1"]))
    create(tmp_path, data, status=3)


def test_a_new_run_takes_the_place_of_the_old_dataset(tmp_path: Path, data: Path) -> None:
    create(tmp_path, data, "--num_output_files=5")
    output = create(tmp_path, data, "--num_output_files=2")
    assert sorted(path.name for path in (output / "train_input").iterdir()) == [
        "preprocessed_data-0_p0.h5",
        "preprocessed_data-1_p0.h5",
    ]


def test_a_failing_run_leaves_the_dataset_that_was_there(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data)
    before = digest(output)
    (data / "train_images" / "c.jpg").write_bytes(b"damaged")
    create(tmp_path, data, status=3)
    assert digest(output) == before
    assert manifest(output)["splits"]["train_input"]["examples"] == 4


def test_hdf5_files_of_somebody_else_are_refused_and_overwritten_on_request(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("preprocessed_data-0_p0.h5", "preprocessed_data-77_p0.h5", "precious.h5"):
        (tmp_path / "out" / "train_input").mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / "train_input" / name).write_text("precious")
    create(tmp_path, data, status=2)
    assert "--overwrite" in capsys.readouterr().err
    output = create(tmp_path, data, "--overwrite", "--num_output_files=1")
    assert "precious.h5" in capsys.readouterr().err
    names = sorted(path.name for path in (output / "train_input").iterdir())
    assert names == ["precious.h5", "preprocessed_data-0_p0.h5"]
    assert (output / "train_input" / "precious.h5").read_text() == "precious"
    assert h5py.is_hdf5(output / "train_input" / "preprocessed_data-0_p0.h5")


def test_summary_says_what_was_read_and_written(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "8 rows read, 8 of them in examples" in out
    assert "train_input: 4 examples in 10 shards" in out
    assert f"the dataset is in {tmp_path / 'out'}" in out


def test_quiet_says_nothing_at_all(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    done = run_maskmill("create", "--params", params, "--output_dir", tmp_path / "out", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_bundles_that_run_twice_give_the_same_dataset(tmp_path: Path, data: Path) -> None:
    once = create(tmp_path, data, output="once")
    job = make_job(
        read_params(str(tmp_path / "params.yaml")),
        ShardLayout("preprocessed_data", 10, 1),
        output_dir=str(tmp_path / "twice"),
        input_args={},
    )
    pipeline = beam.Pipeline(runner=InProcessRunner(bundle_repeat=1))
    build_graph(pipeline, job, Baseline(), A_RUN)
    pipeline.run().wait_until_finish()
    assert digest(tmp_path / "twice") == digest(once)
    assert manifest(tmp_path / "twice")["rows"] == manifest(once)["rows"]
    assert not (tmp_path / "twice" / ".staging").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--runner=BundleBasedDirectRunner"],
        ["--direct_running_mode=multi_threading", "--direct_num_workers=3"],
        ["--direct_running_mode=multi_processing", "--direct_num_workers=2"],
    ],
)
def test_other_runners_give_the_same_dataset(tmp_path: Path, data: Path, options: list[str]) -> None:
    usual = create(tmp_path, data, output="usual")
    create_here(tmp_path / "params.yaml", tmp_path / "other", "--quiet", *options)
    assert digest(tmp_path / "other") == digest(usual)
    assert manifest(tmp_path / "other")["rows"] == manifest(usual)["rows"]


def test_data_params_keep_the_whole_parameter_file_and_the_arguments(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, "--num_output_files=2", "--name=steel")
    content = json.loads((output / "data_params.json").read_text())
    assert content["model"] == {"loss": "bce"}
    assert content["input_args"] == {
        "name": "steel",
        "num_output_files": 2,
        "num_processes": 1,
        "output_dir": str(output),
        "params": str(tmp_path / "params.yaml"),
    }
    assert content["eval_input_hdf"] == {"n_docs": 4, "total_written": 4, "dataset_range": {"0": [0, 3]}}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_within_seconds_and_the_same_command_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    rows = [f"{index:04}.jpg,3,1 2" for index in range(400)]
    data = write_dataset(tmp_path / "data", rows)
    params = write_params(tmp_path / "params.yaml", data, image_shape=[400, 800, 1], max_image_shape=[400, 800])
    output = tmp_path / "out"
    command = [sys.executable, "-m", "maskmill", "create", "--params", params, "--output_dir", output]
    command += ["--num_output_files", "100", "--workers", "1"]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) as process:
        while not list(output.glob(".staging/*/train_input/*.h5.json")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        sent = time.monotonic()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert time.monotonic() - sent < 5
    assert "nothing was published" in err
    assert "of 200 shards are finished" in err
    assert [path.name for path in output.iterdir()] == [".staging"]
    assert not list(output.rglob("*.attempt"))
    finished = {
        summary.stem.split("-", 1)[1]: summary.with_suffix("").stat().st_mtime_ns
        for summary in output.glob(".staging/*/train_input/*.h5.json")
    }
    run_here(*command[3:], "--quiet")
    assert (
        finished.items() <= {path.name: path.stat().st_mtime_ns for path in (output / "train_input").iterdir()}.items()
    )
    shutil.rmtree(output)


def test_read_only_output_folder_is_refused(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    if os.geteuid() == 0:
        read_only = "/proc/self/maskmill"  # file modes do not bind root, but no folder can be made there
    else:
        (tmp_path / "locked").mkdir(mode=0o555)
        read_only = str(tmp_path / "locked" / "out")
    assert main(["create", "--params", str(params), "--output_dir", read_only]) == 1
    err = capsys.readouterr().err
    assert read_only in err
    assert "--output_dir" in err
