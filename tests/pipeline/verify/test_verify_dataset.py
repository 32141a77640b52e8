"""`maskmill verify`: a dataset that is whole, and every way in which it may not be."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from maskmill.manifest import seal
from maskmill.names import HISTORY
from maskmill.pipeline.cli import main
from maskmill.pipeline.errors import DamagedError, MaskmillError, UsageError
from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.pipeline.verify import check_files
from maskmill.pipeline.verify.verify_dataset import verify
from maskmill.transforms.files import checksums
from maskmill.transforms.parallel.progress import Progress
from maskmill.transforms.shards.check_shard import check_shard
from tests.support.builders import write_params
from tests.support.command import run_here, run_maskmill
from tests.support.datasets import SHARD, create, edit_text, make_dataset, manifest_of, refuse_to_open, reseal

Damage = Callable[[Path], Any]


@pytest.mark.parametrize(("loss", "num_classes"), [("bce", 2), ("multilabel_bce", 3), ("ssce", 2)])
def test_what_create_has_made_is_whole(tmp_path: Path, loss: str, num_classes: int) -> None:
    root = make_dataset(tmp_path, loss=loss, num_classes=num_classes)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and path.name != HISTORY)
    for quick in (False, True):
        report = verify(str(root), quick=quick)
        assert report == ((), 8, 8, size, True, quick)


def test_a_dataset_with_fewer_examples_than_positions_is_whole(dataset: Path) -> None:
    entry = json.loads((dataset / "data_params.json").read_text())["train_input_hdf"]
    assert entry["n_docs"] > entry["total_written"]
    assert verify(str(dataset)).problems == ()


def places_to_flip(files: Sequence[Path], number: int) -> Iterator[tuple[Path, int]]:
    """Bytes of files: the last one, eight more of each file, and the rest in proportion to the sizes."""
    choice = random.Random(4)
    sizes = [path.stat().st_size for path in files]
    for path, size in zip(files, sizes, strict=True):
        yield path, size - 1
        yield from ((path, choice.randrange(size)) for _ in range(8))
    for path in choice.choices(files, sizes, k=number - 9 * len(files)):
        yield path, choice.randrange(path.stat().st_size)


@pytest.mark.parametrize("flips", [150, pytest.param(1500, marks=pytest.mark.slow)])
def test_each_flipped_bit_is_found_and_its_file_named(tmp_path: Path, flips: int) -> None:
    copy = make_dataset(tmp_path)
    write_params(tmp_path / "params.yaml", tmp_path / "data", train_test_split=0.67, batch_size=9)
    create(tmp_path)
    assert len((copy / HISTORY).read_text().splitlines()) == 2
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
    assert len(files) == 16
    choice = random.Random(5)
    places = list(places_to_flip(files, flips))
    assert len(places) == flips
    for path, place in places:
        whole, bit = path.read_bytes(), 1 << choice.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        problems = verify(str(copy)).problems
        name = str(path.relative_to(copy))
        assert any(problem.startswith(f"{name}: ") for problem in problems), f"{name}, byte {place}, bit {bit}"
        path.write_bytes(whole)
    assert verify(str(copy)).problems == ()


def assert_problems(problems: Sequence[str], expected: Sequence[str]) -> None:
    """Each problem begins as the expression says."""
    assert len(problems) == len(expected), problems
    for problem, pattern in zip(problems, expected, strict=True):
        assert re.match(pattern, problem), problem


def swap_lines(root: Path) -> None:
    first, second, *rest = (root / "meta_train_input.dat").read_text().splitlines(keepends=True)
    (root / "meta_train_input.dat").write_text("".join([second, first, *rest]))
    reseal(root)


def set_sum(key: str, value: int) -> Damage:
    return lambda root: reseal(root, lambda manifest: manifest["splits"]["eval_input"].update({key: value}))


def set_statistic(name: str, value: object) -> Damage:
    return lambda root: reseal(
        root, lambda manifest: manifest["splits"]["eval_input"]["statistics"].update({name: value})
    )


def in_data_params(old: str, new: str) -> Damage:
    return lambda root: edit_text(root, "data_params.json", old, new)


def in_meta(old: str, new: str) -> Damage:
    return lambda root: edit_text(root, "meta_train_input.dat", old, new)


def describe(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Changes croissant.json, and has the manifest say so."""

    def damage(root: Path) -> None:
        path = root / "croissant.json"
        content = json.loads(path.read_text())
        change(content)
        text = json.dumps(content).encode()
        path.write_bytes(text)
        entry = {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        changed = {**manifest_of(root)}
        changed["files"]["croissant.json"] = entry
        (root / "manifest.json").write_bytes(seal(changed))

    return damage


def append(root: Path) -> None:
    with (root / SHARD).open("ab") as file:
        file.write(b"x")


def truncate(root: Path) -> None:
    (root / SHARD).write_bytes((root / SHARD).read_bytes()[:-1])


NAMES_AND_SIZES: dict[str, tuple[Damage, list[str]]] = {
    "shard missing": (lambda root: (root / SHARD).unlink(), [f"{SHARD}: is missing"]),
    "folder missing": (lambda root: shutil.rmtree(root / "eval_input"), ["eval_input/preprocessed_data-0_p0.h5: is m"]),
    "list missing": (lambda root: (root / "meta_eval_input.dat").unlink(), ["meta_eval_input.dat: is missing"]),
    "rejected missing": (lambda root: (root / "rejected.jsonl").unlink(), ["rejected.jsonl: is missing"]),
    "truncated": (truncate, [f"{SHARD}: has .* bytes instead of "]),
    "longer": (append, [f"{SHARD}: has .* bytes instead of "]),
    "emptied": (lambda root: (root / SHARD).write_bytes(b""), [f"{SHARD}: has 0 bytes instead of "]),
    "stray shard": (
        lambda root: shutil.copy(root / SHARD, root / "eval_input/preprocessed_data-7_p0.h5"),
        ["eval_input/preprocessed_data-7_p0.h5: is not of this dataset; manifest.json does not list it"],
    ),
    "attempt beside": (
        lambda root: (root / "manifest.json.0f.attempt").touch(),
        ["manifest.json.0f.attempt: is not of this dataset"],
    ),
    "attempt in split": (
        lambda root: (root / "train_input/x.h5.0f.attempt").touch(),
        ["train_input/x.h5.0f.attempt: is not of this dataset"],
    ),
    "sum of examples": (set_sum("examples", 4), ["manifest.json: eval_input has 4 examples, its shards together 3"]),
    "sum of bytes": (set_sum("bytes", 4), ["manifest.json: eval_input has 4 bytes, its shards together "]),
    "rows": (
        lambda root: reseal(root, lambda manifest: manifest["rows"].update(read=10)),
        ["manifest.json: 10 rows were read, and 9 are in examples, filtered or rejected"],
    ),
    "manifest cut": (
        lambda root: (root / "manifest.json").write_text("{"),
        ["manifest.json: was changed after it was written"],
    ),
    "manifest changed": (
        lambda root: (root / "manifest.json").write_text(
            (root / "manifest.json").read_text().replace('"shared_images": 0', '"shared_images": 1')
        ),
        ["manifest.json: was changed after it was written"],
    ),
    "manifest of something else": (
        lambda root: reseal(root, lambda manifest: manifest.pop("rows")),
        ["manifest.json: does not hold what a manifest does"],
    ),
}
CONTENTS: dict[str, tuple[Damage, list[str]]] = {
    "statistics": (
        set_statistic("mean", 1.0),
        ["manifest.json: the statistics of eval_input do not follow from its shards"],
    ),
    "statistics of no class": (
        set_statistic("pos_weight", {}),
        ["manifest.json: the statistics of eval_input do not follow from its shards"],
    ),
    "lines swapped": (
        swap_lines,
        [
            "meta_train_input.dat: line 1 is .*/train_input/preprocessed_data-1_p0.h5 0, and should end with "
            "train_input/preprocessed_data-0_p0.h5 2",
            "meta_train_input.dat: line 2 is ",
        ],
    ),
    "count in a line": (
        in_meta("0_p0.h5 2", "0_p0.h5 3"),
        ["meta_train_input.dat: line 1 is .*0_p0.h5 3, and should end with train_input/preprocessed_data-0_p0.h5 2"],
    ),
    "line missing": (in_meta("-3_p1.h5 1\n", "-3_p1.h5 1"), ["meta_train_input.dat: line 4 is "]),
    "line too many": (in_meta("-3_p1.h5 1\n", "-3_p1.h5 1\nx\n"), ["meta_train_input.dat: line 5 is one too many"]),
    "another folder": (
        in_meta("train_input/preprocessed_data-2", "other/train_input/preprocessed_data-2"),
        ["meta_train_input.dat: names different folders"],
    ),
    "total_written": (
        in_data_params('"total_written": 3', '"total_written": 4'),
        ["data_params.json: eval_input_hdf.total_written is 4, and the shards have 3 examples"],
    ),
    "n_docs": (
        in_data_params('"n_docs": 3', '"n_docs": 2'),
        [
            "data_params.json: eval_input_hdf.n_docs is 2, and the split has 3 positions",
        ],
    ),
    "dataset_range": (
        in_data_params('"1": [', '"2": ['),
        ["data_params.json: eval_input_hdf.dataset_range does not cut 3 positions into consecutive ranges"],
    ),
    "file not in the description": (
        describe(lambda content: content["distribution"].pop()),
        ["croissant.json: does not list the files in manifest.json, with their sizes and checksums"],
    ),
    "no description": (
        describe(lambda content: content["distribution"][0].pop("sha256")),
        [r"croissant.json: does not describe a dataset \(KeyError: 'sha256'\)"],
    ),
    "written missing": (in_data_params("eval_input_hdf", "eval_input"), ["data_params.json: does not say what was wr"]),
    "unknown loss": (in_data_params('"loss": "bce"\n', '"loss": "?"\n'), ["data_params.json: does not say what was"]),
    "data_params no JSON": (in_data_params("{", ""), ["data_params.json: does not say what was written"]),
    "image_shape": (
        in_data_params("16,", "17,"),
        [rf"eval_input/preprocessed_data-{k}_p{k // 2}.h5: example_0/(image|label): is " for k in (0, 0, 2, 2, 3, 3)],
    ),
}


@pytest.mark.parametrize("case", [*NAMES_AND_SIZES, *CONTENTS])
def test_damage_is_named(copy: Path, case: str) -> None:
    damage, expected = {**NAMES_AND_SIZES, **CONTENTS}[case]
    damage(copy)
    assert_problems(verify(str(copy)).problems[: len(expected)], expected)
    if case != "folder missing":
        assert len(verify(str(copy)).problems) == len(expected)


@pytest.mark.parametrize("case", [*NAMES_AND_SIZES, *CONTENTS])
def test_quick_sees_names_and_sizes_and_reads_no_contents(copy: Path, case: str) -> None:
    damage, _ = {**NAMES_AND_SIZES, **CONTENTS}[case]
    damage(copy)
    assert bool(verify(str(copy), quick=True).problems) == (case in NAMES_AND_SIZES)


def test_quick_opens_nothing_but_the_manifest(copy: Path) -> None:
    for path in copy.rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            path.write_bytes(bytes(path.stat().st_size))
    assert verify(str(copy), quick=True).problems == ()
    assert len(verify(str(copy)).problems) == 15


def test_hdf5_files_of_other_names_are_left_out_of_account(copy: Path) -> None:
    for name in ("other.h5", "mine-0_p0.h5", "notes.txt"):
        (copy / "train_input" / name).write_text("of somebody else")
    (copy / "preprocessed_data-9_p0.h5").touch()
    (copy / ".staging" / "key").mkdir(parents=True)
    (copy / ".staging" / "key" / "x.attempt").touch()
    assert verify(str(copy)).problems == ()


def test_a_dataset_may_be_moved_and_named_by_a_link(copy: Path, tmp_path: Path) -> None:
    copy.rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to("moved")
    assert verify(str(tmp_path / "moved")).problems == ()
    assert verify(str(tmp_path / "link")).problems == ()


def test_further_keys_of_the_manifest_are_no_damage(copy: Path) -> None:
    def add(manifest: dict[str, Any]) -> None:
        manifest["new"] = manifest["splits"]["eval_input"]["shards"][0]["new"] = manifest["rows"]["new"] = 1

    reseal(copy, add)
    assert verify(str(copy)).problems == ()


def test_a_later_format_version_is_refused_and_not_called_damage(copy: Path) -> None:
    reseal(copy, lambda manifest: manifest.update(format_version=99))
    with pytest.raises(MaskmillError, match="is of format version 99, and this maskmill knows none above") as caught:
        verify(str(copy))
    assert caught.value.exit_status == 1


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_to_open(monkeypatch, SHARD)
    assert_problems(verify(str(dataset)).problems, [rf"{SHARD}: cannot be read \(.*Permission denied"])


def test_a_split_folder_that_cannot_be_listed_is_a_problem_of_its_own(copy: Path) -> None:
    shutil.rmtree(copy / "train_input")
    (copy / "train_input").write_text("a file")
    problems = verify(str(copy)).problems
    assert_problems(problems[:2], ["train_input: cannot be listed", f"{SHARD}: is missing"])
    assert len(problems) == 5


def test_a_shard_elsewhere_is_fetched_and_looked_into(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(file: Any, *arguments: Any) -> list[str]:
        assert not isinstance(file, str)
        looked.append(file)
        return check_shard(file, *arguments)

    looked: list[Any] = []
    monkeypatch.setattr(checksums, "is_local", lambda path: False)
    monkeypatch.setattr(check_files, "check_shard", look)
    assert verify(str(dataset)).problems == ()
    assert len(looked) == 8
    assert all(file.closed for file in looked)


def test_progress_is_in_bytes_of_what_is_read(dataset: Path) -> None:
    progress = Progress()
    report = verify(str(dataset), progress=progress)
    size = report.bytes - (dataset / "manifest.json").stat().st_size
    assert (progress.expected, progress.done) == (size, size)


def test_where_there_is_no_dataset_it_says_so(tmp_path: Path, copy: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DamagedError, match=f"no dataset in {tmp_path / 'empty'}"):
        verify(str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="there is no such folder"):
        verify(str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="there is no such folder"):
        verify(str(copy / "manifest.json"))
    (copy / "manifest.json").unlink()
    with pytest.raises(DamagedError, match="which maskmill writes last"):
        verify(str(copy))
    (copy / ".staging").mkdir()
    (copy / ".staging" / "publishing.json").write_text("{}")
    with pytest.raises(DamagedError, match="publishing was interrupted; run the same command again"):
        verify(str(copy))


def test_the_command_says_that_a_dataset_is_whole(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(dataset)]) == 0
    assert main(["verify", str(dataset), "--quick"]) == 0
    full, quick = capsys.readouterr().out.splitlines()
    size = format_bytes(verify(str(dataset)).bytes)
    assert full == f"{dataset} is whole: 8 examples in 8 shards, {size}; every byte was read"
    assert quick == f"{dataset} is whole: 8 examples in 8 shards, {size}; sizes only"
    assert main(["verify", str(dataset), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_command_shows_its_progress_in_bytes(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("maskmill.pipeline.messages.progress_bar.LINE_SECONDS", 0.001)
    assert main(["verify", str(dataset)]) == 0
    assert "B of " in capsys.readouterr().err


def test_the_command_shows_twenty_problems_and_counts_them_all(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(10, 32):
        (copy / "train_input" / f"preprocessed_data-{number}_p0.h5").touch()
    assert main(["verify", str(copy), "--quiet"]) == 4
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("train_input/preprocessed_data-10_p0.h5: ")
    assert lines[20:] == ["… and 2 more"]
    assert err == f"maskmill: {copy} is damaged: 22 problems; remove the files that are not of this dataset\n"


def test_a_name_with_a_line_end_stays_on_one_line(
    dataset: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "train_input" / "x\n.attempt").touch()
    assert main(["verify", str(copy)]) == 4
    assert capsys.readouterr().out.splitlines()[0].startswith("train_input/x?.attempt: is not of this dataset")


def test_ctrl_c_waits_for_no_file(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    def leave(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr("maskmill.pipeline.verify.verify_dataset.verify", interrupt)
    monkeypatch.setattr("os._exit", leave)
    with pytest.raises(SystemExit, match="130"):
        main(["verify", str(dataset)])
    assert capsys.readouterr().err == "\nstopped\n"


def test_exit_statuses_of_the_program(dataset: Path, copy: Path, tmp_path: Path) -> None:
    (copy / SHARD).unlink()
    assert run_here("verify", dataset).out.endswith("every byte was read\n")
    assert "is damaged: 1 problem;" in run_maskmill("verify", copy, "--quick", status=4).stderr
    run_here("verify", tmp_path / "nothing", status=2)
    run_here("verify", status=2)
    run_here("verify", dataset, "--quik", status=2)


def test_removing_what_is_named_and_creating_again_repairs_a_dataset(tmp_path: Path) -> None:
    root = make_dataset(tmp_path)
    before = manifest_of(root)
    for name in (SHARD, "meta_eval_input.dat"):
        (root / name).write_bytes(bytes((root / name).stat().st_size))
    named = {problem.split(":")[0] for problem in verify(str(root)).problems}
    assert named == {SHARD, "meta_eval_input.dat"}
    for name in named:
        (root / name).unlink()
    assert create(tmp_path) == root
    assert verify(str(root)).problems == ()
    assert manifest_of(root) == before
