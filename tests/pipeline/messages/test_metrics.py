"""`--metrics_file`: read by the parser of Prometheus itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from maskmill.pipeline.messages.metrics import series_of
from tests.support.builders import write_dataset, write_images, write_params
from tests.support.command import ROOT, create


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", [f"{index}.jpg,3,{1 + index} 2" for index in range(4)])


def read_metrics(path: Path) -> dict[tuple[str, ...], float]:
    """Values by the name of the metric and its labels, without the dataset."""
    families = list(text_string_to_metric_families(path.read_text()))
    assert all(family.type == "gauge" and family.documentation for family in families)
    return {
        (sample.name, *(value for key, value in sorted(sample.labels.items()) if key != "dataset")): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_run_that_succeeds_says_what_it_has_done(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "maskmill.prom"
    before = time.time()
    with open(data / "train.csv", "a") as csv:
        csv.write("missing.jpg,3,1 1\n")
    output = create(tmp_path, data, "--num_output_files=2", "--max_rejected=1", f"--metrics_file={path}")
    metrics = read_metrics(path)
    assert metrics["maskmill_last_run_success",] == 1
    assert before <= metrics["maskmill_last_run_timestamp_seconds",] <= time.time()
    assert metrics["maskmill_last_run_duration_seconds",] > 0
    assert metrics["maskmill_rows",] == 5
    assert metrics["maskmill_examples", "train_input"] == 2
    assert metrics["maskmill_shards", "train_input", "written"] == 2
    assert metrics["maskmill_rejected", "IMAGE_MISSING"] == 1
    size = sum(shard.stat().st_size for shard in output.glob("train_input/*.h5"))
    assert metrics["maskmill_dataset_bytes", "train_input"] == size
    create(tmp_path, data, "--num_output_files=2", "--max_rejected=1", f"--metrics_file={path}")
    metrics = read_metrics(path)
    assert metrics["maskmill_last_run_success",] == 1
    assert metrics["maskmill_shards", "train_input", "written"] == 0
    assert metrics["maskmill_shards", "train_input", "kept"] == 2
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("maskmill.prom")] == ["maskmill.prom"]


def test_a_run_that_fails_says_so_with_the_codes(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "maskmill.prom"
    (data / "train_images" / "0.jpg").write_bytes(b"")
    create(tmp_path, data, f"--metrics_file={path}", status=3)
    metrics = read_metrics(path)
    assert metrics["maskmill_last_run_success",] == 0
    assert metrics["maskmill_rejected", "IMAGE_EMPTY"] == 1
    assert ("maskmill_last_success_timestamp_seconds",) not in metrics


def test_a_run_that_fails_keeps_the_time_of_the_last_success(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "maskmill.prom"
    create(tmp_path, data, f"--metrics_file={path}", output="monday")
    succeeded = read_metrics(path)
    last = succeeded["maskmill_last_success_timestamp_seconds",]
    assert last == succeeded["maskmill_last_run_timestamp_seconds",]
    (data / "train_images" / "0.jpg").write_bytes(b"")
    for _ in range(2):
        create(tmp_path, data, f"--metrics_file={path}", output="tuesday", status=3)
        failed = read_metrics(path)
        assert failed["maskmill_last_run_success",] == 0
        assert failed["maskmill_last_run_timestamp_seconds",] > last
        assert failed["maskmill_last_success_timestamp_seconds",] == last
    (data / "train_images" / "0.jpg").write_bytes((data / "train_images" / "1.jpg").read_bytes())
    create(tmp_path, data, f"--metrics_file={path}", output="tuesday")
    assert read_metrics(path)["maskmill_last_success_timestamp_seconds",] > last


def test_a_dataset_a_day_is_one_series(tmp_path: Path, data: Path) -> None:
    path, days = tmp_path / "x.prom", tmp_path / "days"
    flags, series = (f"--metrics_file={path}", f"--reuse={days}"), []
    for day, images, status in (("2026-11-22", 4, 0), ("2026-11-23", 3, 3), ("2026-11-24", 4, 0)):
        (data / "train_images" / "0.jpg").write_bytes(
            b"" if images == 3 else (data / "train_images/1.jpg").read_bytes()
        )
        create(tmp_path, data, *flags, output=f"days/{day}", status=status)
        families = text_string_to_metric_families(path.read_text())
        series.append({(one.name, *sorted(one.labels.items())) for family in families for one in family.samples})
        assert "2026-11" not in path.read_text()
    first, failed, second = series
    assert first == second
    assert {labels[1] for labels in first if len(labels) == 2} == {("dataset", str(days))}
    assert ("maskmill_last_success_timestamp_seconds", ("dataset", str(days))) in failed


def test_the_folder_of_datasets_is_the_label_only_of_datasets_in_it() -> None:
    assert series_of("days/2026-11-22", "days") == "days"
    assert series_of("gs://bucket/days/2026-11-22/", "gs://bucket/days") == "gs://bucket/days"
    assert series_of("out", None) == "out"
    assert series_of("out", "days/2026-11-22") == "out"
    assert series_of("days/2026/11", "days") == "days/2026/11"


def test_wrong_input_is_a_failure_too(tmp_path: Path, data: Path) -> None:
    (data / "train.csv").unlink()
    create(tmp_path, data, f"--metrics_file={tmp_path / 'x.prom'}", status=2)
    assert read_metrics(tmp_path / "x.prom")["maskmill_last_run_success",] == 0


def test_a_run_that_is_stopped_is_a_failure_too(tmp_path: Path) -> None:
    names = [f"{index}.jpg" for index in range(400)]
    data = write_dataset(tmp_path / "data", [f"{name},3,1 1" for name in names[:1]])
    write_images(data / "train_images", names, 256, 1600)
    (data / "train.csv").write_text("ImageId,ClassId,EncodedPixels\n" + "".join(f"{name},3,1 1\n" for name in names))
    params = write_params(tmp_path / "params.yaml", data, image_shape=[256, 1600, 1])
    path = tmp_path / "x.prom"
    command = ["create", "--params", params, "--output_dir", tmp_path / "out", f"--metrics_file={path}"]
    process = subprocess.Popen([sys.executable, "-m", "maskmill", *map(str, command)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "out").glob(".staging/*/*/*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
    assert read_metrics(path)["maskmill_last_run_success",] == 0


def test_a_dataset_of_any_name_can_be_read(tmp_path: Path, data: Path) -> None:
    name = 'a "b" \\c'
    create(tmp_path, data, f"--metrics_file={tmp_path / 'x.prom'}", output=name)
    [family, *_] = text_string_to_metric_families((tmp_path / "x.prom").read_text())
    assert family.samples[0].labels["dataset"] == str(tmp_path / name)


def test_a_place_for_no_file_is_found_before_any_work(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, words in {
        tmp_path: "is a folder; give the path of a file, such as",
        data / "train.csv" / "x.prom": "train.csv is a file, and no folder",
        "gs://b/x.prom": "is not a path on this machine",
    }.items():
        create(tmp_path, data, f"--metrics_file={path}", status=2)
        assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_missing_folder_is_made(tmp_path: Path, data: Path) -> None:
    create(tmp_path, data, f"--metrics_file={tmp_path / 'a' / 'b' / 'x.prom'}")
    assert read_metrics(tmp_path / "a" / "b" / "x.prom")["maskmill_last_run_success",] == 1
