"""The fingerprint of a shard changes with everything that decides its bytes, and with nothing else."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.records import ImageFile
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.rejected import Line
from maskmill.transforms.shards.fingerprint import version_of_shard
from tests.support.shards import FORM, spec_of


def fingerprint(*examples: ExampleSpec, form: ExampleFormat = FORM) -> str:
    return version_of_shard(examples, form, [example.image.modified for example in examples]).fingerprint


A, B = spec_of("/images/a"), spec_of("/images/b")


@pytest.mark.parametrize(
    "changed",
    [
        B,
        spec_of("/images/a", rows=2),
        A._replace(image=ImageFile("/images/a", 101, 0.0)),
        A._replace(image=ImageFile("/images/a", 100, 1.0)),
        spec_of("/images/a", runs="1 3"),
        A._replace(rows=tuple(row._replace(class_id=2) for row in A.rows)),
    ],
)
def test_it_tells_every_change_of_an_example(changed: ExampleSpec) -> None:
    assert fingerprint(changed) != fingerprint(A)
    assert fingerprint(spec_of("/images/a")) == fingerprint(A)


def test_it_tells_the_order_and_the_number_of_the_examples() -> None:
    assert len({fingerprint(A, B), fingerprint(B, A), fingerprint(A), fingerprint(A, A), fingerprint()}) == 5


def test_it_tells_another_form_and_another_version_of_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(A)
    assert fingerprint(A, form=FORM._replace(resized=(8, 8))) != before
    assert fingerprint(A, form=FORM._replace(label=FORM.label._replace(loss="ssce"))) != before
    assert fingerprint(A, form=FORM._replace(by_rows=True)) != before
    assert fingerprint(A, form=FORM._replace(records_views=True)) != before
    assert fingerprint(A, form=FORM._replace(layout="arrays")) != before
    monkeypatch.setattr("maskmill.format_version.CURRENT", 0)
    assert fingerprint(A) != before


def test_a_later_field_of_the_form_changes_nothing_where_it_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    # As format version 6 first had it: a change here would write every shard of every dataset again.
    monkeypatch.setattr("maskmill.format_version.CURRENT", 6)
    assert fingerprint(A) == "1897276ebdc1b75f5d5c2e79384eea858b36aaf4306d22776e3feeb7777d57f1"


def test_the_place_and_the_order_of_the_rows_do_not_count() -> None:
    rows = (A.rows[0], B.rows[0]._replace(class_id=4))
    moved = tuple(row._replace(line=Line("other.csv", 9, 9)) for row in reversed(rows))
    assert fingerprint(A._replace(rows=rows)) == fingerprint(A._replace(rows=moved, counted_rows=0))


def test_an_image_counts_by_its_version_and_not_by_its_folder() -> None:
    moved = A._replace(image=A.image._replace(path="/elsewhere/a"))
    assert fingerprint(moved) == fingerprint(A)
    assert version_of_shard([A], FORM, ["content"]) != version_of_shard([A], FORM, ["other content"])
