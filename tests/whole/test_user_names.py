"""Names as users bring them: no text, litter of other systems, other Unicode forms, not quite those in the folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import yaml

from maskmill import open_dataset
from maskmill.names import MANIFEST
from tests.support.builders import grey_pixels, image_bytes, write_dataset, write_params, zip_bytes
from tests.support.command import create, manifest, run_here, run_maskmill
from tests.support.user_files import TWO_IMAGES, UserFiles, label_runs

HEADER = "ImageId,ClassId,EncodedPixels\n"
ROWS = f"{HEADER}a.jpg,3,1 5\nb.jpg,3,7 2\n"
A, B = TWO_IMAGES.values()
LATIN = "notes_Köln.txt".encode("latin-1")
NFC, NFD = (unicodedata.normalize(form, "Köln.jpg") for form in ("NFC", "NFD"))
# o with dot below and dot above, as nobody writes it: neither of the two forms.
MIXED, MIXED_NFC, MIXED_NFD = "o\u0307\u0323.jpg", "\u1ecd\u0307.jpg", "o\u0323\u0307.jpg"
BOTH = {"a.jpg": [(1, 5)], "b.jpg": [(7, 2)]}
NEGATIVES = {"maskmill": {"negatives": "all"}}
NO_TRACE = ("add the image",)


def named(rows: str, *names: str) -> dict[str, object]:
    """Rows, and images of these names."""
    return {
        "csv": HEADER + rows,
        "images": {name: image_bytes(grey_pixels(seed)) for seed, name in enumerate(names)},
    }


def misnamed(rows: str, *names: str, code: str = "IMAGE_MISSING", count: int = 2, **more: object) -> UserFiles:
    """Rows that end a run because of the names of their images."""
    return UserFiles(**{**named(rows, *names), "status": 3, "codes": {code: count}, "never": NO_TRACE, **more})  # type: ignore[arg-type]


CASES = {
    # Names that are no text.
    "not UTF-8": UserFiles(
        csv=ROWS, images={**TWO_IMAGES, LATIN: b"notes"}, pixels=BOTH, words=("names that are not UTF-8, which are",)
    ),
    "not UTF-8, an image, negatives": UserFiles(
        csv=ROWS, images={**TWO_IMAGES, b"c\xf6.jpg": A}, params=NEGATIVES, pixels=BOTH, words=("left out: 1",)
    ),
    "not UTF-8 in a subfolder, beside the CSV, and of one": UserFiles(
        csv=ROWS,
        files={os.fsdecode(b"K\xf6ln/x.csv.txt"): b"", os.fsdecode(b"train_images/K\xf6/a.jpg"): A, "\udcf6": b""},
        params={"maskmill": {"csv": "*.csv"}},
        pixels=BOTH,
        never=("UTF-8",),
    ),
    "all images not UTF-8": UserFiles(
        csv=ROWS, images={b"a\xf6.jpg": A}, status=2, words=("holds no images with names in UTF-8; rename its files",)
    ),
    "a CSV not UTF-8 that a pattern matches": UserFiles(
        csv=ROWS,
        files={os.fsdecode(b"\xf6.csv"): ROWS.encode()},
        params={"maskmill": {"csv": "*.csv"}},
        status=2,
        words=(r"data/\xf6.csv: the name is not UTF-8; rename it",),
    ),
    # What systems leave behind.
    "litter is no negative": UserFiles(
        csv=f"{HEADER}a.jpg,3,1 5\n",
        images={**TWO_IMAGES, "._a.jpg": b"\0\5\x16\7", ".c.jpg": A, "Thumbs.db": b"x", "desktop.ini": b"x"},
        files={"train_images/.DS_Store": b"x", "train_images/__MACOSX/._b.jpg": b"x", "train_images/~$c.jpg": b"x"},
        params=NEGATIVES,
        pixels={"a.jpg": [(1, 5)], "b.jpg": []},
    ),
    "a row names a hidden image": UserFiles(
        csv=f"{HEADER}.hidden.jpg,3,1 5\n", images={".hidden.jpg": A, "b.jpg": B}, pixels={".hidden.jpg": [(1, 5)]}
    ),
    "a row names a hidden image, negatives": UserFiles(
        csv=f"{HEADER}._a.jpg,3,1 5\n",
        images={"._a.jpg": A, "b.jpg": B, ".c.jpg": B},
        params=NEGATIVES,
        pixels={"._a.jpg": [(1, 5)], "b.jpg": []},
    ),
    "a pattern takes no hidden CSV": UserFiles(
        csv=ROWS,
        files={"._train.csv": b"\0\5\x16\7", ".ipynb_checkpoints/train.csv": ROWS.encode(), "~$x.csv": b"x"},
        params={"maskmill": {"csv": ["*.csv"]}},
        pixels=BOTH,
    ),
    "a pattern of two levels takes no hidden folder": UserFiles(
        csv=None,
        files={"x/1.csv": ROWS.encode(), ".x/2.csv": b"", "x/.3.csv": b"", "__MACOSX/._1.csv": b""},
        params={"maskmill": {"csv": "*/*.csv"}},
        pixels=BOTH,
    ),
    "only hidden CSVs": UserFiles(
        csv=None,
        files={"._train.csv": b"\0\5\x16\7"},
        params={"maskmill": {"csv": "*.csv"}},
        status=2,
        words=("data/*.csv: there is no such CSV file",),
    ),
    "a hidden CSV by its name": UserFiles(
        csv=None, files={".a[1].csv": ROWS.encode()}, params={"maskmill": {"csv": ".a[1].csv"}}, pixels=BOTH
    ),
    "hidden CSVs by a pattern that says so": UserFiles(
        csv=None, files={".t/.a.csv": ROWS.encode()}, params={"maskmill": {"csv": ".t/.*.csv"}}, pixels=BOTH
    ),
    # Unicode forms.
    "NFC in the row, NFD in the folder": UserFiles(
        **named(f"{NFC},3,1 5\n{NFC},3,9 2\n", NFD),  # type: ignore[arg-type]
        pixels={NFD: [(1, 5), (9, 2)]},
        words=("note: rows whose image has their name in another Unicode form (NFC, NFD): 2",),
    ),
    "NFD in the row, NFC in the folder, negatives": UserFiles(
        **named(f"{NFD},3,1 5\n", NFC, "b.jpg"),  # type: ignore[arg-type]
        params=NEGATIVES,
        pixels={NFC: [(1, 5)], "b.jpg": []},
        words=("another Unicode form (NFC, NFD): 1",),
        never=("no negatives",),
    ),
    "both forms in the rows, one in the folder": UserFiles(
        **named(f"{NFC},3,1 5\n{NFD},3,9 2\n", NFD),  # type: ignore[arg-type]
        pixels={NFD: [(1, 5), (9, 2)]},
        words=("another Unicode form (NFC, NFD): 1",),
    ),
    "both forms in the rows and in the folder": UserFiles(
        **named(f"{NFC},3,1 5\n{NFD},3,9 2\n", NFC, NFD),  # type: ignore[arg-type]
        pixels={NFC: [(1, 5)], NFD: [(9, 2)]},
        never=("Unicode",),
    ),
    "the exact name wins, and its other form is no negative": UserFiles(
        **named(f"{NFC},3,1 5\n", NFC, NFD, "b.jpg"),  # type: ignore[arg-type]
        params=NEGATIVES,
        pixels={NFC: [(1, 5)], "b.jpg": []},
        words=("no negatives, because a row may mean them by a similar name: 1",),
    ),
    "two files with other forms of the name": misnamed(
        f"{MIXED},3,1 5\n",
        MIXED_NFC,
        MIXED_NFD,
        code="IMAGE_AMBIGUOUS",
        count=1,
        words=("several that have this name in other Unicode forms (NFC, NFD); keep one of them",),
    ),
    "a bad row in another form": UserFiles(
        **named(f"{NFC},3,1 5 9\n{NFD},3,9 2\nb.jpg,3,1 1\n", NFD, "b.jpg"),  # type: ignore[arg-type]
        flags=("--max_rejected=9",),
        codes={"RLE_ODD_COUNT": 1, "MASK_INCOMPLETE": 1},
        pixels={"b.jpg": [(1, 1)]},
    ),
    # Names that are not quite those in the folder.
    "without ending": misnamed(
        "a,3,1 5\nb,3,1 5\n",
        "a.jpg",
        "b.jpg",
        words=(
            "train.csv:2: a: there is no such file in",
            "which has a.jpg; 2 rows like this, without the ending .jpg: ",
            ".jpg: set maskmill.image_suffix: .jpg (IMAGE_MISSING)",
        ),
        never=(*NO_TRACE, "train.csv:3"),
    ),
    "without ending, several rows of an image": misnamed(
        "a,3,1 5\na,3,9 2\nb,3,1 5\n", "a.png", "b.png", words=("3 rows like this, without the ending .png",)
    ),
    "without ending, in the first layout": UserFiles(
        csv="ImageId_ClassId,EncodedPixels\na_3,1 5\na_4,\nb_3,7 2\n",
        status=3,
        codes={"IMAGE_MISSING": 2},
        words=("2 rows like this, without the ending .jpg: set maskmill.image_suffix: .jpg",),
    ),
    "some without ending": misnamed(
        "a,3,1 5\nb.jpg,3,1 5\n",
        "a.jpg",
        "b.jpg",
        count=1,
        words=("1 row like this, without the ending .jpg: write the names of the files",),
    ),
    "some without ending, and a bad mask whose name is right": misnamed(
        "a,3,1 5\nb.jpg,3,1\n",
        "a.jpg",
        "b.jpg",
        codes={"IMAGE_MISSING": 1, "RLE_ODD_COUNT": 1},
        words=("1 row like this, without the ending .jpg: write the names",),
    ),
    "without ending, and negatives": misnamed(
        "a,3,1 5\nb,3,1 5\n", "a.jpg", "b.jpg", "c.jpg", params=NEGATIVES, words=(".jpg: set maskmill.image_suffix",)
    ),
    "without ending, in other Unicode forms": misnamed(
        f"{NFC[:-4]},3,1 5\n", NFD, count=1, words=("without the ending .jpg: set maskmill.image_suffix: .jpg",)
    ),
    "without endings that differ": misnamed(
        "a,3,1 5\nb,3,1 5\n",
        "a.jpg",
        "b.png",
        words=("1 row like this, without the ending .jpg: write", "1 row like this, without the ending .png: write"),
    ),
    "dots in names without ending": misnamed(
        "1.2.840.1,3,1 5\n1.2.840.12,3,1 5\n",
        "1.2.840.1.png",
        "1.2.840.12.png",
        words=("2 rows like this, without the ending .png: set",),
    ),
    "the wrong suffix": misnamed(
        "a,3,1 5\nb,3,1 5\n",
        "a.jpg",
        "b.jpg",
        params={"maskmill": {"image_suffix": ".png"}},
        words=(
            "2 rows like this, with the ending .png of maskmill.image_suffix, not .jpg: set ",
            "set maskmill.image_suffix: .jpg (",
        ),
    ),
    "a suffix too many": misnamed(
        "a.jpg,3,1 5\nb.jpg,3,1 5\n",
        "a.jpg",
        "b.jpg",
        params={"maskmill": {"image_suffix": ".jpg"}},
        words=("a.jpg.jpg: there", "2 rows like this, with an ending of their own: remove maskmill.image_suffix"),
    ),
    "other ending": misnamed(
        "a.png,3,1 5\nb.png,3,1 5\n",
        "a.jpg",
        "b.jpg",
        words=("2 rows like this, with the ending .png, not .jpg: sed -i.bak",),
    ),
    "another ending in a zip archive, which no command changes": UserFiles(
        csv=zip_bytes({"train.csv": f"{HEADER}a.png,3,1 5\nb.png,3,1 5\n".encode()}),
        status=3,
        words=("2 rows like this, with the ending .png, not .jpg: write the names of the files in the CSV",),
        never=("sed",),
        codes={"IMAGE_MISSING": 2},
    ),
    "ending of another format": misnamed("a.dcm,3,1 5\nb.dcm,3,1 5\n", "a.png", "b.png", words=("sed -i.bak",)),
    "some with another ending": misnamed(
        "a.png,3,1 5\nb.jpg,3,1 5\n", "a.jpg", "b.jpg", count=1, words=("not .jpg: write the names",), never=("sed",)
    ),
    "ending in capitals": misnamed("a.JPG,3,1 5\nb.JPG,3,1 5\n", "a.jpg", "b.jpg", words=("ending .JPG, not .jpg",)),
    "capital letters": misnamed(
        "A.JPG,3,1 5\nB.JPG,3,1 5\n", "a.jpg", "b.jpg", words=("2 rows like this, with capital letters",)
    ),
    "small letters": misnamed(
        "a.jpg,3,1 5\nb.jpg,3,1 5\n", "A.JPG", "B.JPG", words=("2 rows like this, with small letters: sed",)
    ),
    "mixed letters": misnamed(
        "Ab.jpg,3,1 5\n",
        "aB.jpg",
        count=1,
        words=("which has aB.jpg; 1 row like this, with other capital letters than the",),
    ),
    "blanks and zeros": misnamed(
        '7.jpg,3,1 5\n"b .jpg",3,1 5\n',
        "007.jpg",
        "b.jpg",
        words=("which has 007.jpg; 2 rows like this, with names written in another way",),
    ),
    "a folder before": misnamed(
        "train_images/a.jpg,3,1 5\ntrain_images/b.jpg,3,1 5\n",
        "a.jpg",
        "b.jpg",
        code="IMAGE_ID_INVALID",
        words=(
            "train.csv:2: train_images/a.jpg: there is no such file in",
            "which has a.jpg; 2 rows like this, with the folder train_images/ before the name: ",
            "name: sed -i.bak 's#train_images/##'",
        ),
        never=("train.csv:3",),
    ),
    "a folder before, with a backslash": misnamed(
        "x\\y\\a.jpg,3,1 5\n",
        "a.jpg",
        code="IMAGE_ID_INVALID",
        count=1,
        words=(r"1 row like this, with the folder x\y\ before",),
    ),
    "a folder that the image folder has": misnamed(
        "x/a.jpg,3,1 5\n",
        "b.jpg",
        code="IMAGE_ID_INVALID",
        count=1,
        files={"train_images/x/a.jpg": A},
        words=(
            "nor a.jpg; 1 row like this, with",
            "images are read from the folders of maskmill.images: set maskmill.images: [",
            "/train_images/x] (",
        ),
    ),
    "several folders before": misnamed(
        "x/a.jpg,3,1 5\ny/b.jpg,3,1 5\n",
        "a.jpg",
        "b.jpg",
        code="IMAGE_ID_INVALID",
        words=("2 rows like this, with folders before the names: write the names of the files in the CSV",),
    ),
    "out of the folder": misnamed(
        "../a.jpg,3,1 5\n/etc/b.jpg,3,1 5\n",
        "c.jpg",
        code="IMAGE_ID_INVALID",
        files={"a.jpg": A},
        words=("nor a.jpg", "put the image into one of them, or name its folder, too"),
    ),
    "a name that nothing resembles": misnamed(
        "a.jpg,3,1 5\nb,3,1 5\n",
        "c.jpg",
        never=(),
        words=("b: there is no file b in", "add the image, or remove its rows"),
    ),
    # An image that a misnamed row may mean is not taken for one without a defect.
    "misnamed rows and negatives": UserFiles(
        **named("a,3,1 5\nx/b.jpg,3,1 5\nC.JPG,3,1 5 9\n", "a.jpg", "b.jpg", "c.jpg", "d.jpg"),  # type: ignore[arg-type]
        params=NEGATIVES,
        flags=("--max_rejected=9",),
        codes={"IMAGE_MISSING": 1, "IMAGE_ID_INVALID": 1, "RLE_ODD_COUNT": 1},
        pixels={"d.jpg": []},
        words=("no negatives, because a row may mean them by a similar name: 3",),
    ),
    # Folders that are not quite where they should be.
    "train_images/train_images": UserFiles(
        csv=ROWS,
        images={".DS_Store": b"x", "readme.txt": b"x"},
        files={f"train_images/train_images/{name}": image for name, image in TWO_IMAGES.items()},
        status=2,
        words=("holds no images, but its folder train_images does; set maskmill.images: train_images/train_images",),
    ),
    "three folders deep, with a litter folder": UserFiles(
        csv=ROWS,
        images={},
        files={"train_images/x/y/a.jpg": A, "train_images/__MACOSX/x/._a.jpg": b"x", "train_images/.t/a.jpg": A},
        status=2,
        words=("its folder x/y does; set maskmill.images: train_images/x/y\n",),
    ),
    "images in several folders": UserFiles(
        csv=ROWS,
        images={},
        files={"train_images/1/a.jpg": A, "train_images/2/b.jpg": B},
        status=2,
        words=("holds no images, but its folders 1, 2 do; set maskmill.images: [train_images/1, train_images/2]\n",),
    ),
    "no images": UserFiles(csv=ROWS, images={}, status=2, words=("train_images: holds no images; put them there",)),
    "images without endings": UserFiles(
        csv=f"{HEADER}a,3,1 5\n", images={"a": A}, files={"train_images/small/a.jpg": B}, pixels={"a": [(1, 5)]}
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_names(tmp_path: Path, case: str) -> None:
    CASES[case].check(tmp_path)


MENDED_BY_COMMAND = (
    *("other ending", "ending of another format", "ending in capitals", "capital letters", "small letters"),
    *("a folder before", "a folder before, with a backslash", "a folder that the image folder has"),
)


@pytest.mark.parametrize("case", MENDED_BY_COMMAND)
def test_the_command_that_mends_names_works_as_it_stands(tmp_path: Path, case: str) -> None:
    said = CASES[case].check(tmp_path)
    [line] = [line for line in said.err.splitlines() if "sed -i.bak" in line]
    command = line[line.index("sed -i.bak") :].rpartition(" (")[0].split("; images are read")[0]
    assert tmp_path.name in command
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    params = tmp_path / "params.yaml"
    if "set maskmill.images: " in line:
        images = line.split("set maskmill.images: ")[1].rpartition(" (")[0]
        write_params(params, tmp_path / "data", train_test_split=1.0, maskmill={"images": yaml.safe_load(images)})
    run_here("create", "--params", params, "--output_dir", tmp_path / "out")
    assert set(map(tuple, label_runs(tmp_path / "out").values())) == {((1, 5),)}


def test_the_plan_says_so_too(tmp_path: Path) -> None:
    params = CASES["without ending"].write(tmp_path)
    said = run_here("plan", "--params", params, "--output_dir", tmp_path / "out").out
    assert "which has a.jpg; 2 rows like this, without the ending .jpg: set maskmill.image_suffix: .jpg" in said
    planned = json.loads(run_here("plan", "--params", params, "--output_dir", tmp_path / "out", "--json").out)
    assert [line.split("; ")[1] for line in planned["misnamed"]] == [
        "2 rows like this, without the ending .jpg: set maskmill.image_suffix: .jpg (IMAGE_MISSING)"
    ]


def test_a_command_edits_no_file_that_it_would_spoil(tmp_path: Path) -> None:
    rows = "EncodedPixels,ImageId,ClassId\n1 5,a.png,3\n"
    said = UserFiles(csv=rows, status=3, codes={"IMAGE_MISSING": 1}).check(tmp_path)
    assert "1 row like this, with the ending .png, not .jpg: write the names of the files" in said.err
    letters = UserFiles(
        csv=f"{HEADER}A.JPG,crack,1 5\n",
        params={"class_id": "crack", "maskmill": {"classes": ["crack", "dent"]}},
        status=3,
        codes={"IMAGE_MISSING": 1},
    ).check(tmp_path / "letters")
    assert "1 row like this, with capital letters: write the names of the files" in letters.err


@pytest.mark.parametrize("given", ["data", ".", "data/severstal/train_images", "link"])
def test_a_folder_too_high_or_too_low_is_told_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    write_dataset(tmp_path / "data" / "severstal", ["a.jpg,3,1 5"])
    (tmp_path / "data" / ".trash" / "train_images").mkdir(parents=True)
    (tmp_path / "link").symlink_to("data")
    monkeypatch.chdir(tmp_path)
    params = write_params(tmp_path / "params.yaml", Path(given))
    said = run_here("create", "--params", params, "--output_dir", "out", status=2).err
    right = "link/severstal" if given == "link" else "data/severstal"
    assert said == (
        f"maskmill: train_input.data_dir: train.csv and train_images are not in {given}; set data_dir: {right}\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["data", "."])
@pytest.mark.parametrize("mend", ["data_dir", "cd"])
def test_a_relative_data_dir_begins_in_the_working_folder_and_the_error_tells_what_works(
    tmp_path: Path, given: str, mend: str
) -> None:
    project, work = tmp_path / "my project", tmp_path / "work"
    write_dataset(project / given, ["a.jpg,3,1 5"])
    work.mkdir()
    params = write_params(project / "params.yaml", Path(given))
    said = run_maskmill("plan", "--params", "../my project/params.yaml", cwd=work, status=2).stderr
    found = re.fullmatch(
        r"maskmill: train_input\.data_dir: .*; a relative data_dir is looked up from the working folder, (.*), not "
        r"from the parameter file: set data_dir: (.*), or first run (.*) and give (.*)\n",
        said,
    )
    assert found, said
    assert found[1] == str(work)
    if mend == "data_dir":
        write_params(params, Path(found[2]))
        run_maskmill("plan", "--params", "../my project/params.yaml", cwd=work)
    else:
        subprocess.run(
            f"{found[3]} && {shlex.quote(sys.executable)} -m maskmill plan {found[4]}", shell=True, cwd=work, check=True
        )


def test_litter_of_file_managers_changes_nothing(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 5"])
    output = create(tmp_path, data, train_test_split=1.0)
    before = (output / MANIFEST).read_bytes()
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (data / "train_images" / name).write_bytes(b"x")
    history = (output / "history.jsonl").read_bytes()
    assert (create(tmp_path, data, train_test_split=1.0) / MANIFEST).read_bytes() == before
    assert (output / "history.jsonl").read_bytes() == history


def test_an_image_keeps_its_split_when_the_spelling_of_its_rows_is_changed(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{NFD[:-4]}{number}.jpg,3,1 5" for number in range(20)])
    keys = {"maskmill": {"assignment": "hash", "negatives": "all"}, "train_test_split": 0.5}
    ids = []
    for form in ("NFD", "NFC", None):
        text = (data / "train.csv").read_text()
        # Without their rows, images are named by their files alone.
        (data / "train.csv").write_text(
            unicodedata.normalize(form, text) if form else f"{HEADER}{NFD[:-4]}0.jpg,3,1 5\n"
        )
        output = create(tmp_path, data, output=f"out{form}", **keys)
        ids.append([example.image_id for example in open_dataset(output)])
        noted = manifest(output)["notes"].get("rows whose image has their name in another Unicode form (NFC, NFD)", 0)
        assert noted == (20 if form == "NFC" else 0)
    assert sorted(ids[0]) == sorted(ids[1]) == sorted(ids[2])
    assert 4 < len(ids[0]) < 16


KOELN = os.fsdecode("Köln".encode("latin-1"))


@pytest.fixture(name="params")
def write_input(tmp_path: Path) -> Path:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 5"])
    return write_params(tmp_path / "params.yaml", data, train_test_split=1.0)


@pytest.mark.parametrize(
    "command",
    [
        "create --params params.yaml --output_dir {}",
        "create --params params.yaml --output_dir x/{}/out",
        "create --params params.yaml --output_dir link",
        "create --params params.yaml --output_dir out --reuse {}",
        "create --params params.yaml --output_dir out --metrics_file {}",
        "create --params params.yaml --output_dir out --report={}.html",
        "create --params {} --output_dir out",
        "create --params params.yaml --output_dir out --log_format=json --name={}",
        "plan --params params.yaml --output_dir {}",
        "verify {}",
        "show {}",
        "report {}",
        "prune {} --keep 1",
        "sample {}",
    ],
)
def test_a_path_that_is_not_utf_8_is_refused_before_any_work(
    tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / KOELN).mkdir()
    (tmp_path / "link").symlink_to(KOELN)
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    said = run_here(*(part.format(KOELN) for part in shlex.split(command)), status=2)
    assert r"K\xf6ln" in said.err.replace("\\\\", "\\")
    assert "the name is not UTF-8; rename it, or name another path" in said.err
    said.err.encode()
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_data_dir_that_is_not_utf_8_is_refused(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(tmp_path / "data", tmp_path / KOELN)
    (tmp_path / "link").symlink_to(KOELN)
    monkeypatch.chdir(tmp_path)
    params.write_text(params.read_text().replace(str(tmp_path / "data"), "link"))
    said = run_here("create", "--params", "params.yaml", "--output_dir", "out", status=2)
    assert r"K\xf6ln: the name is not UTF-8" in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["create", "plan"])
def test_a_working_folder_that_is_not_utf_8_is_refused(tmp_path: Path, params: Path, command: str) -> None:
    (tmp_path / KOELN).mkdir()
    arguments = [command, "--params", params, "--output_dir", tmp_path / "out"]
    said = run_maskmill(*arguments, status=2, cwd=tmp_path / KOELN)
    assert said.stderr == f"maskmill: {tmp_path}/K\\xf6ln: the name is not UTF-8; rename it, or name another path\n"
    assert not (tmp_path / "out").exists()
    assert "usage:" in run_maskmill("create", "--help", cwd=tmp_path / KOELN).stdout


def test_names_that_are_not_utf_8_among_the_files_of_a_dataset_do_no_harm(tmp_path: Path, params: Path) -> None:
    days = tmp_path / "days"
    run_here("create", "--params", params, "--output_dir", days / "1", "--reuse", days)
    for folder in (days / "1", days / "1" / "train_input", days / "1" / ".staging" / "x"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{KOELN}.h5").write_bytes(b"x")
    (days / KOELN).mkdir()
    (days / KOELN / MANIFEST).write_bytes(b"x")
    run_here("verify", days / "1")
    assert len(open_dataset(days / "1")) == 1
    run_here("create", "--params", params, "--output_dir", days / "1", "--overwrite")
    run_here("create", "--params", params, "--output_dir", days / "2", "--reuse", days)
    run_here("report", days / "2", "--output", tmp_path / "page.html")
    said = run_maskmill("prune", days, "--keep", "1").stdout
    assert said.splitlines()[0] == r"K\xf6ln is left alone: its name is not UTF-8"
    assert "1 is removed" in said


def test_a_name_that_a_terminal_cannot_show_is_shown_escaped(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{NFC},3,1 5"])
    output = create(tmp_path, data, train_test_split=1.0)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    png = str(tmp_path / "a.png")
    command = [sys.executable, "-m", "maskmill", "show", str(output), "--output", png]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert r"K\xf6ln.jpg, with class 3, is drawn in" in done.stdout
