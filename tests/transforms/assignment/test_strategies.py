"""Tests of the registry of assignment strategies."""

from __future__ import annotations

import subprocess
import sys

import pytest

from maskmill import transforms
from maskmill.transforms.assignment.assign_examples import AssignExamples
from maskmill.transforms.assignment.strategies import STRATEGIES, strategy
from tests.support.command import ROOT


def test_every_strategy_is_a_public_transform_that_says_what_it_does() -> None:
    assert STRATEGIES == ("position", "hash", "stratified")
    for name in STRATEGIES:
        found = strategy(name)
        assert issubclass(found, AssignExamples)
        assert getattr(transforms, found.__name__) is found
        assert (found.by_hash, found.keeps_groups) in {(False, False), (True, False), (True, True)}


def test_what_others_need_to_know_of_a_strategy() -> None:
    assert [name for name in STRATEGIES if strategy(name).by_hash] == ["hash", "stratified"]
    assert [name for name in STRATEGIES if strategy(name).keeps_groups] == ["hash"]


def test_an_unknown_name_is_no_strategy() -> None:
    with pytest.raises(KeyError, match="random"):
        strategy("random")


def test_the_names_are_known_without_beam() -> None:
    code = "import sys, maskmill.transforms.assignment.strategies; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_docs_explain_every_strategy() -> None:
    page = (ROOT / "docs" / "classes_and_splits.md").read_text(encoding="utf-8")
    assert [name for name in STRATEGIES if f"| `{name}`" not in page] == []
