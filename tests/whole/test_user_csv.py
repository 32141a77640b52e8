"""CSV files as people have them: out of spreadsheets, archives and joins, under names that do not say what they are."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import zip_bytes
from tests.support.command import manifest, run_here
from tests.support.user_files import TWO_IMAGES, UserFiles, label_runs

TABLE = "ImageId,ClassId,EncodedPixels\na.jpg,3,1 2 40 5\nb.jpg,3,7 1\n"
PIXELS = {"a.jpg": [(1, 2), (40, 5)], "b.jpg": [(7, 1)]}
ONE_DEFECT = {"a.jpg": [(1, 2)], "b.jpg": []}


def ours(**keys: Any) -> dict[str, Any]:
    """A parameter file with these keys in the section maskmill."""
    return {"maskmill": keys}


def is_read(csv: str | bytes, **keys: Any) -> UserFiles:
    """A file that is read to the pixel."""
    params = {**ours(**keys), "class_id": 3 if keys.get("class_column", "ClassId") else 1} if keys else {}
    return UserFiles(csv=csv, params=params, pixels=PIXELS)


def is_refused(csv: str | bytes, *words: str, **keys: Any) -> UserFiles:
    """A file that is refused before any work."""
    return UserFiles(csv=csv, params=ours(**keys) if keys else {}, status=2, words=("train.csv", *words))


def rejects(row: str, code: str, *words: str, params: dict[str, Any] | None = None, header: str = "") -> UserFiles:
    """A row that is rejected, in line 2."""
    text = f"{header or 'ImageId,ClassId,EncodedPixels'}\n{row}\n"
    words = ("train.csv:2: ", f"({code})", *words)
    return UserFiles(csv=text, params=params or {}, status=3, words=words, codes={code: 1})


def of_nuts(rows: str, images: tuple[str, ...], pixels: dict[str, list[tuple[int, int]]], *classes: str) -> UserFiles:
    """A joined column of image and class."""
    files = dict(zip(images, TWO_IMAGES.values(), strict=False))
    params = {**ours(classes=list(classes)), "class_id": "all", "num_classes": len(classes) + 1}
    return UserFiles(csv=f"ImageId_ClassId,EncodedPixels\n{rows}\n", images=files, params=params, pixels=pixels)


def without_class(row: str, negatives: object = "all", pixels: Any = None, **changes: Any) -> UserFiles:
    """A row without a class after one with a defect."""
    text = f"ImageId,ClassId,EncodedPixels\na.jpg,3,1 2\n{row}\n"
    params = {**ours(negatives=negatives), **changes}
    return UserFiles(csv=text, params=params, pixels=ONE_DEFECT if pixels is None else pixels)


NO_B = {"a.jpg": [(1, 2)]}
BOM = "\ufeff"
HEADER, *ROWS = TABLE.splitlines()
QUOTED = "\n".join(f'"{line}"' for line in TABLE.splitlines())
# Pairs of numbers that are exactly 32,767 characters long, in an image of 16 x 24: runs may overlap.
CUT_EVEN = "1 2 " * 8190 + "10 1000"
CUT_ODD = "1 2 " * 8191 + "100"

CASES = {
    # the end of a joined column is one of the classes
    "class with an underscore": of_nuts(
        "img_7.png_hex_nut,1 2\nimg_7.png_ring,9 1", ("img_7.png",), {"img_7.png": [(1, 2), (9, 1)]}, "hex_nut", "ring"
    ),
    "the longest class that fits": UserFiles(
        csv="ImageId_ClassId,EncodedPixels\nimg_7.png_hex_nut,1 2\nb.png_nut,9 1\n",
        images=dict(zip(("img_7.png", "b.png"), TWO_IMAGES.values(), strict=True)),
        params={**ours(classes=["nut", "hex_nut", "ring"]), "class_id": "hex_nut"},
        pixels={"img_7.png": [(1, 2)]},
    ),
    "class that begins with an underscore": UserFiles(
        csv="ImageId_ClassId,EncodedPixels\na.png__x,1 2\nb.png_x,9 1\n",
        images=dict(zip(("a.png", "b.png"), TWO_IMAGES.values(), strict=True)),
        params={**ours(classes=["x", "_x"]), "class_id": "_x"},
        pixels={"a.png": [(1, 2)]},
    ),
    "a shorter class that leaves an image": of_nuts("_hex_nut,1 2", ("_hex",), {"_hex": [(1, 2)]}, "hex_nut", "nut"),
    "no image before the class": rejects(
        "_hex_nut,1 2",
        "IMAGE_ID_INVALID",
        "'_hex_nut' does not name an image and, after a _, its class",
        params=ours(classes=["hex_nut", "ring", "disc"]),
        header="ImageId_ClassId,EncodedPixels",
    ),
    "no class fits": rejects(
        "img_7.png_hex_bolt,1 2",
        "CLASS_INVALID",
        "the class is 'bolt'; it must be hex_nut, ring or disc",
        params=ours(classes=["hex_nut", "ring", "disc"]),
        header="ImageId_ClassId,EncodedPixels",
    ),
    # rows of images without a defect
    "neither class nor mask": without_class("b.jpg,,"),
    "NaN": without_class("b.jpg,NaN,nan"),
    "class 0": without_class("b.jpg,0,"),
    "class 0.0": without_class("b.jpg,0.0,"),
    "class -1": without_class("b.jpg,-1,-1"),
    "class background": without_class("b.jpg,Background,"),
    "class None, a share": without_class("b.jpg,None,", 1.0),
    "no class, all classes": without_class("b.jpg,,", class_id="all", num_classes=5),
    "no class, as listed": without_class("b.jpg,,", "as_listed", NO_B),
    "no class, -1, as listed": without_class("b.jpg,,-1", "as_listed"),
    "no class, -1, none": without_class("b.jpg,,-1", "none", NO_B),
    "no class beside a defect": without_class("a.jpg,,\nb.jpg,0,-1\nb.jpg,3,9 1", pixels={**NO_B, "b.jpg": [(9, 1)]}),
    "no class in a joined column": UserFiles(
        csv="ImageId_ClassId,EncodedPixels\na.jpg_3,1 2\nb.jpg_,\n", params=ours(negatives="all"), pixels=ONE_DEFECT
    ),
    "class 0 in a joined column": UserFiles(
        csv="ImageId_ClassId,EncodedPixels\na.jpg_3,1 2\nb.jpg_0,-1\n", pixels=ONE_DEFECT
    ),
    "class 0 is a class where it is declared": UserFiles(
        csv="ImageId,ClassId,EncodedPixels\na.jpg,0,1 2\nb.jpg,1,-1\n",
        params={**ours(classes=["0", "1"]), "class_id": "all", "num_classes": 3},
        pixels=ONE_DEFECT,
    ),
    "a mask without a class": rejects(
        "b.jpg,,1 2", "CLASS_INVALID", "the class is '' and the row has a mask; it must be 1, 2, 3 or 4"
    ),
    "a class with decimals": rejects("b.jpg,3.5,1 2", "CLASS_INVALID", "the class is '3.5'"),
    "no class, and no image": UserFiles(
        csv="ImageId,ClassId,EncodedPixels\na.jpg,3,1 2\nz.jpg,,\n",
        params=ours(negatives="all"),
        status=3,
        words=("train.csv:3: z.jpg: there is no file z.jpg",),
        codes={"IMAGE_MISSING": 1},
    ),
    # separators
    "semicolons": is_refused(TABLE.replace(",", ";"), "separated by semicolons", "maskmill.separator: semicolon"),
    "tabs": is_refused(TABLE.replace(",", "\t"), "separated by tabs", "save it with commas", "separator: tab"),
    "pipes": is_refused(TABLE.replace(",", "|"), "separated by pipes", "maskmill.separator: pipe"),
    "semicolons are read": is_read(TABLE.replace(",", ";"), separator="semicolon"),
    "a semicolon is read": is_read(TABLE.replace(",", ";"), separator=";"),
    "tabs are read": is_read(TABLE.replace(",", "\t"), separator="tab"),
    "a tab is read": is_read(TABLE.replace(",", "\t"), separator="\t"),
    "the escape of a tab is read": is_read(TABLE.replace(",", "\t"), separator="\\t"),
    "pipes are read": is_read(TABLE.replace(",", "|").replace("\n", "\r\n"), separator="Pipe"),
    "a pipe is read, with quotes": is_read(
        "\n".join(f'"{line}"' for line in TABLE.splitlines()).replace(",", '"|"'), separator="|"
    ),
    "commas where semicolons are expected": is_refused(TABLE, "by commas, not semicolons", separator=";"),
    "an unknown separator": UserFiles(
        csv=TABLE, params=ours(separator=":"), status=2, words=("maskmill.separator", "give comma, semicolon, tab")
    ),
    "a row with semicolons": rejects("b.jpg;3;1 2", "CSV_FIELD_COUNT", "it is separated by semicolons"),
    "a row with tabs": rejects("b.jpg\t3\t1 2", "CSV_FIELD_COUNT", "it is separated by tabs"),
    "a row in quotes": rejects('"b.jpg,3,1 2"', "CSV_FIELD_COUNT", "the whole line is in quotes"),
    "rows with CR alone": rejects("b.jpg,3,1 2\rb.jpg,3,9 1", "CSV_FIELD_COUNT", "(CR alone)"),
    "a row in Windows-1252": UserFiles(
        csv=f"{HEADER}\nbléch.jpg,3,1 2\n".encode("latin-1"),
        status=3,
        words=("train.csv:2: ", "perhaps Windows-1252 (bléch.jpg,3,1 2)", "save the file as UTF-8"),
        codes={"CSV_NOT_UTF8": 1},
    ),
    # ends of lines and encodings
    "CR alone": is_refused(TABLE.replace("\n", "\r"), "the lines end in CR alone", r"tr '\r' '\n' < "),
    "UTF-16 with mark": is_refused(TABLE.encode("utf-16"), "is in UTF-16", "iconv -f UTF-16 -t UTF-8 < "),
    "UTF-16 little endian": is_refused(TABLE.encode("utf-16-le"), "is in UTF-16LE", "iconv -f UTF-16LE"),
    "UTF-16 big endian": is_refused(TABLE.encode("utf-16-be"), "is in UTF-16BE", "iconv -f UTF-16BE"),
    "UTF-32": is_refused(TABLE.encode("utf-32"), "is in UTF-32", "iconv -f UTF-32 -t UTF-8"),
    "a header in Windows-1252": is_refused(f"Größe,{TABLE}".encode("cp1252"), "Windows-1252", "iconv -f WINDOWS-1252"),
    # compressed
    "zip": is_read(zip_bytes({"train.csv": TABLE.encode()})),
    "zip without compression": is_read(zip_bytes({"x": TABLE.encode()}, zipfile.ZIP_STORED)),
    "zip of a Mac": is_read(
        zip_bytes({"d/": b"", "d/train.csv": TABLE.encode(), "__MACOSX/d/._train.csv": b"\0", "d/.DS_Store": b"\0"})
    ),
    "zip of two files": is_refused(
        zip_bytes({"train.csv": b"", "test.csv": b""}), "is a zip archive of 2 files (train.csv, test.csv)", "unpack it"
    ),
    "zip of nothing": is_refused(zip_bytes({"__MACOSX/._train.csv": b"\0"}), "is a zip archive of no file"),
    "zip of a zip": is_refused(zip_bytes({"a.zip": zip_bytes({"b": b""})}), "is a zip file within a zip file"),
    "zip of another kind": is_refused(
        zip_bytes({"train.csv": TABLE.encode()}, zipfile.ZIP_LZMA), "compressed in an unusual way (lzma)", "unpack it"
    ),
    "zip that is encrypted": is_refused(
        zip_bytes({"train.csv": TABLE.encode()}).replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
        "is an encrypted zip archive",
    ),
    "zip that is cut off": is_refused(zip_bytes({"train.csv": TABLE.encode()})[:-30], "the compressed file is damaged"),
    "zip with semicolons": is_refused(
        zip_bytes({"train.csv": TABLE.replace(",", ";").encode()}), "separated by semicolons"
    ),
    "gzip under another name": is_read(gzip.compress(TABLE.encode())),
    "gzip of gzip": is_refused(gzip.compress(gzip.compress(TABLE.encode())), "is a gzip file within a gzip file"),
    "gzip of a page": is_refused(gzip.compress(b"<!DOCTYPE html><html>"), "holds a file that is an HTML page"),
    "plain text named .gz": UserFiles(
        csv=None, files={"train.csv.gz": TABLE.encode()}, params=ours(csv="train.csv.gz"), pixels=PIXELS
    ),
    "a zip in place of the CSV": UserFiles(
        csv=None,
        files={"train.csv.zip": zip_bytes({"train.csv": TABLE.encode()})},
        status=2,
        words=("train.csv: there is no such CSV file; there is train.csv.zip: set maskmill.csv: train.csv.zip",),
    ),
    "a name in other letters": UserFiles(
        csv=None, files={"Train.CSV": TABLE.encode()}, status=2, words=("there is Train.CSV: set maskmill.csv",)
    ),
    "a folder of that name": UserFiles(
        csv=None,
        files={"train.csv/train.csv": TABLE.encode()},
        status=2,
        words=("train.csv: there is no such CSV file; that is a folder: set maskmill.csv: train.csv/train.csv",),
    ),
    "a column without a name": is_read("\n".join(f",{line}" for line in TABLE.splitlines())),
    "a column without a name, and no class": is_read(
        ",ImageId,EncodedPixels\n0,a.jpg,1 2 40 5\n1,b.jpg,7 1\n", class_column=None
    ),
    "a zip by its name": UserFiles(
        csv=None,
        files={"train.csv.zip": zip_bytes({"train.csv": TABLE.encode()})},
        params=ours(csv="train.csv.zip"),
        pixels=PIXELS,
    ),
    "bzip2": is_refused(bz2.compress(TABLE.encode()), "is a bzip2 archive", "bzip2 -dc < "),
    "xz": is_refused(lzma.compress(TABLE.encode()), "is an xz archive", "xz -dc < "),
    # other files under the name of a CSV
    "xlsx": is_refused(
        zip_bytes({"[Content_Types].xml": b"", "xl/workbook.xml": b""}),
        "is an Excel workbook (.xlsx)",
        "save the table",
    ),
    "ods": is_refused(zip_bytes({"mimetype": b"", "content.xml": b""}), "OpenDocument"),
    "xls": is_refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "is an old Excel workbook (.xls)"),
    "Parquet": is_refused(b"PAR1" + bytes(500), "is a Parquet file", "export its table as CSV"),
    "a page": is_refused("\n<!DOCTYPE html>\n<html>", "is an HTML page", "download the file again"),
    "XML": is_refused('<?xml version="1.0"?><Error>', "is an XML file"),
    "JSON": is_refused('{"images": []}', "is a JSON file, such as annotations in the form of COCO"),
    "a pointer of Git LFS": is_refused(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of Git LFS", "git lfs pull"
    ),
    # headers
    "lower letters": is_refused(TABLE.lower(), "maskmill.image_column: imageid, maskmill.class_column: classid"),
    "snake case": is_refused(
        TABLE.replace(HEADER, "image_id,class_id,encoded_pixels"),
        "did you mean 'image_id', 'class_id', 'encoded_pixels'? Set maskmill.image_column: image_id",
    ),
    "one name in other letters": is_refused(
        TABLE.replace("ClassId", "Class ID"), "Set maskmill.class_column: Class ID"
    ),
    "blanks around names are no matter": is_read(TABLE.replace(HEADER, " ImageId , ClassId,\tEncodedPixels")),
    "names in quotes are no matter": is_read(TABLE.replace(HEADER, f'{BOM}"ImageId","ClassId","EncodedPixels"')),
    "a joined name": is_refused(
        "Image_Label,EncodedPixels\na.jpg_3,1 2\n", "Set maskmill.image_column: Image, maskmill.class_column: Label"
    ),
    "no class column": is_refused("ImageId,EncodedPixels\na.jpg,1 2\n", "set maskmill.class_column: null"),
    "no header": is_refused("\n".join(ROWS), "there is no header", "{ echo ImageId,ClassId,EncodedPixels; cat; } < "),
    "a whole line in quotes": is_refused(f'"{HEADER}"\n', "the whole line is in quotes"),
    "blank lines before": is_refused(f"\n\n{TABLE}", "remove what stands before the header: tail -n +3 < "),
    "a line for Excel before": is_refused(f"sep=,\n{TABLE}", "not the header but 'sep=,'", "tail -n +2 < "),
    "comments before": is_refused(f"# made by x\n# on a day\n{TABLE}", "tail -n +3 < "),
    "a header as a comment": is_refused(f"# {TABLE}", "the header begins with the mark of a comment"),
    "a header without rows": is_refused(f"{HEADER}\n\n \n", "there is no row after the header"),
    "an empty file": is_refused("", "train.csv:1: the file is empty"),
    "a file of blanks": is_refused(" \n\n\t\n", "train.csv:1: the file holds nothing but blanks"),
    # files that were joined
    "a header again": UserFiles(
        csv=TABLE + TABLE,
        status=3,
        words=("train.csv:4: the line repeats the header: several files were put into one",),
        codes={"CSV_FILES_JOINED": 1},
    ),
    "a header again, in another order": UserFiles(
        csv=f"{TABLE}EncodedPixels,Remark,ImageId,ClassId\n",
        status=3,
        words=("train.csv:4: the line repeats the header",),
        codes={"CSV_FILES_JOINED": 1},
    ),
    "a mark in the middle": UserFiles(
        csv=f"{BOM}{TABLE}{BOM}{ROWS[1]}\n",
        status=3,
        words=("train.csv:4: b.jpg: the line begins with a byte order mark",),
        # The mask of b.jpg is not made of its other row alone.
        codes={"CSV_FILES_JOINED": 1, "MASK_INCOMPLETE": 1},
    ),
    # what spreadsheets do to masks
    "a mask that is cut off": rejects(f"b.jpg,3,{CUT_EVEN}", "RLE_CUT_OFF", "a cell of Excel", "exactly 32767"),
    "a mask that is cut off at an odd place": rejects(
        f"b.jpg,3,{CUT_ODD}", "RLE_CUT_OFF", "its first number with a leading 0"
    ),
    "a mask that is cut off after a blank": rejects(f'b.jpg,3,"{"1 2 " * 8191}10 "', "RLE_CUT_OFF"),
    "a whole mask of that length": UserFiles(
        csv=f"{HEADER}\na.jpg,3,0{'1 2 ' * 8191}1 3\nb.jpg,3,{'1 2 ' * 8190}10 100\n",
        pixels={"a.jpg": [(1, 3)], "b.jpg": [(1, 2), (10, 100)]},
    ),
    "a rounded number": rejects("b.jpg,3,1.00E+05 2", "RLE_NOT_NUMBERS", "a spreadsheet has rounded a number"),
    "thousands": rejects('b.jpg,3,"1,234 5"', "RLE_NOT_NUMBERS", "separators between thousands"),
    "a date": rejects("b.jpg,3,2001-02-03", "RLE_NOT_NUMBERS", "has made a date of numbers"),
    "a narrow column": rejects("b.jpg,3,#####", "RLE_NOT_NUMBERS", "a column that was too narrow"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_csv_file_gives_the_right_masks_or_a_clear_word(tmp_path: Path, case: UserFiles) -> None:
    case.check(tmp_path)


def test_the_masks_that_are_taken_for_cut_off_are_as_long_as_a_cell() -> None:
    assert len(CUT_EVEN) == len(CUT_ODD) == 32_767
    assert [len(mask.split()) % 2 for mask in (CUT_EVEN, CUT_ODD)] == [0, 1]


@pytest.mark.parametrize(
    ("negatives", "mask", "images"),
    [
        ("as_listed", "", ["a.jpg"]),
        ("as_listed", "-1", ["a.jpg", "b.jpg", "d.jpg"]),
        ("none", "", ["a.jpg"]),
        ("none", "-1", ["a.jpg"]),
        ("all", "", ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]),
        ("all", "-1", ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]),
    ],
)
def test_no_row_without_a_class_is_lost(tmp_path: Path, negatives: str, mask: str, images: list[str]) -> None:
    rows = ["a.jpg,3,1 2", f"a.jpg,,{mask}", f"b.jpg,0,{mask}", f"b.jpg,0,{mask}", "c.jpg,4,7 2", f"d.jpg,NaN,{mask}"]
    UserFiles(
        csv="\n".join([HEADER, *rows]),
        images={f"{letter}.jpg": TWO_IMAGES["a.jpg"] for letter in "abcd"},
        params={
            "eval_input": {"class_id": [4, 1], "num_classes": 3, "train_test_split": 0.0},
            **ours(negatives=negatives),
        },
        pixels={name: [(1, 2)] if name == "a.jpg" else [] for name in images},
    ).check(tmp_path)
    # In eval_input a.jpg is a negative only as any image is: its rows without a class stand beside a defect.
    of_eval = {*images, "c.jpg"} - ({"a.jpg"} if negatives != "all" else set())
    expected = {name: [(7, 2)] if name == "c.jpg" else [] for name in of_eval}
    assert label_runs(tmp_path / "out", "eval_input") == expected
    found = manifest(tmp_path / "out")["rows"]
    assert (found["read"], found["rejected"]) == (len(rows), 0)
    assert found["in_examples"] + sum(found["filtered"].values()) == len(rows)


def commands_in(text: str) -> str:
    """The command at the end of a message."""
    [line] = [line for line in text.splitlines() if " && mv " in line]
    return line.rsplit(": ", 1)[1]


@pytest.mark.parametrize(
    "csv",
    [
        TABLE.replace("\n", "\r").encode(),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        "\n".join([*ROWS, ""]).encode(),
        "\n".join([*ROWS, ""]).encode("utf-8-sig"),
        f"\n\n{TABLE}".encode(),
        f"\n{ROWS[0]}\n{ROWS[1]}\n".encode(),
        f"{BOM}sep=,\r\n{TABLE}".encode(),
        f"#{TABLE}".encode(),
        f"{BOM}# {TABLE}".encode(),
        bz2.compress(TABLE.encode()),
        lzma.compress(TABLE.encode()),
    ],
    ids=lambda csv: repr(csv[:20]),
)
def test_the_command_of_a_message_mends_the_file(tmp_path: Path, csv: bytes) -> None:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    params = UserFiles(csv=csv).write(folder)
    create = ["create", "--params", params, "--output_dir", folder / "out"]
    said = run_here(*create, status=2)
    subprocess.run(["sh", "-c", commands_in(said.err)], check=True, capture_output=True)
    run_here(*create)
    assert label_runs(folder / "out") == PIXELS


def test_a_part_without_rows_is_no_fault_beside_one_with_rows(tmp_path: Path) -> None:
    parts = {"part-0.csv": f"{HEADER}\n".encode(), "part-1.csv": TABLE.encode()}
    UserFiles(csv=None, files=parts, params=ours(csv="part-*.csv"), pixels=PIXELS).check(tmp_path)


def test_images_without_rows_need_no_row(tmp_path: Path) -> None:
    UserFiles(csv=f"{HEADER}\n", params=ours(negatives="all")).check(tmp_path)
    assert label_runs(tmp_path / "out") == {"a.jpg": [], "b.jpg": []}
