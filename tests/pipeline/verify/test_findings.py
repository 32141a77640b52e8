"""What `verify` says of what it has found."""

from __future__ import annotations

import pytest

from maskmill.pipeline.verify.findings import Findings


def findings(*problems: str, has_manifest: bool = True, quick: bool = False) -> Findings:
    return Findings(problems, 1234, 1, 2_500_000, has_manifest, quick)


@pytest.mark.parametrize(
    ("has_manifest", "quick", "line"),
    [
        (True, False, "out is whole: 1,234 examples in 1 shards, 2.5 MB; every byte was read"),
        (True, True, "out is whole: 1,234 examples in 1 shards, 2.5 MB; sizes only"),
        (False, False, "structure and counts were checked and are right, contents cannot be"),
        (False, True, "only names were checked and are right, contents cannot be"),
    ],
)
def test_success_says_what_was_looked_at(has_manifest: bool, quick: bool, line: str) -> None:
    assert findings(has_manifest=has_manifest, quick=quick).success("out").endswith(line)


@pytest.mark.parametrize(
    ("number", "shown", "last"), [(0, 0, None), (1, 1, "p0"), (20, 20, "p19"), (21, 21, "… and 1 more")]
)
def test_twenty_problems_are_shown(number: int, shown: int, last: str | None) -> None:
    lines = findings(*(f"p{index}" for index in range(number))).shown_problems()
    assert len(lines) == shown
    assert lines[-1:] == ([last] if last else [])


def test_a_problem_stays_on_its_line() -> None:
    assert findings("a\nb\x1b[2J: is missing").shown_problems() == ["a?b?[2J: is missing"]


STRAY = "a.h5: is not of this dataset; manifest.json does not list it"
GENERAL = "run the maskmill create that made it, with --verify, or copy it again"


@pytest.mark.parametrize(
    ("problems", "has_manifest", "command", "line"),
    [
        (["p"], True, "do it", "out is damaged: 1 problem; to write again what is damaged, run\ndo it"),
        (["p"] * 1500, True, "do it", "out is damaged: 1,500 problems; to write again what is damaged, run\ndo it"),
        (["p"], True, None, f"out is damaged: 1 problem; to write again what is damaged, {GENERAL}"),
        ([STRAY], True, "do it", "out is damaged: 1 problem; remove the files that are not of this dataset"),
        (
            [STRAY, "p"],
            True,
            "do it",
            "out is damaged: 2 problems; remove the files that are not of this dataset; to write again what is "
            "damaged, run\ndo it",
        ),
        (["p"] * 2, False, None, "out is damaged: 2 problems; make the dataset again, or copy it again from where it"),
    ],
)
def test_failure_says_what_to_do(problems: list[str], has_manifest: bool, command: str | None, line: str) -> None:
    said = findings(*problems, has_manifest=has_manifest).failure("out", command)
    assert said == line or (not has_manifest and said.startswith(line))
