"""The codes of rejected rows and images."""

from __future__ import annotations

import pickle
import re

from maskmill.transforms.rejected import Code, DataError, RejectedRecord
from tests.support.command import ROOT


def test_every_code_is_explained_and_no_other() -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    section = page.split("## Codes of rejected rows and images\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert [code for code, _, _ in rows] == [code.value for code in Code]


def test_a_code_is_its_own_name() -> None:
    assert all(code.name == code.value for code in Code)


def test_the_keys_of_rejected_jsonl() -> None:
    assert RejectedRecord._fields == ("source", "line", "image_id", "class_id", "code", "message")


def test_an_error_comes_back_from_another_process_as_it_was() -> None:
    error = DataError(Code.RLE_ODD_COUNT, "the mask has 3 numbers", "a.jpg", 3)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), vars(again), str(again)) == (DataError, vars(error), "the mask has 3 numbers")
