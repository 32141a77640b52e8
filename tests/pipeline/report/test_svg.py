"""What all charts have in common."""

from __future__ import annotations

import pytest

from tests.support.report_pages import need_report

need_report()
from maskmill.pipeline.report.svg import logarithmic_edges, logarithmic_ticks, shorten, whole_ticks, with_own_names  # noqa: E402


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.9, 22, [1, 2, 5, 10, 20]),
        (0.09, 22, [0.1, 1, 10]),
        (1e-5, 99, [1e-5, 1e-3, 1e-1, 10]),
        (3.1, 3.9, []),
        (1, 1, [1]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, ticks: list[float]) -> None:
    assert logarithmic_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [(0, 0, [0]), (1, 1, [1]), (1, 5, [1, 2, 3, 4, 5]), (1, 12, [1, 6, 11]), (0, 59, [0, 20, 40])],
)
def test_ticks_of_whole_numbers_are_whole_and_few(first: int, last: int, ticks: list[int]) -> None:
    assert whole_ticks(first, last) == ticks


def test_a_single_value_has_a_bin_around_it() -> None:
    edges = logarithmic_edges(5, 5, 4)
    assert len(edges) == 5
    assert edges[0] < 5 < edges[-1]


def test_long_names_are_cut_with_a_sign_of_it() -> None:
    assert shorten("class 3") == "class 3"
    assert shorten("a name that is rather long") == "a name that is …"


def test_names_within_a_chart_are_its_own() -> None:
    svg = '<g id="a"><use xlink:href="#a"/><path clip-path="url(#b)"/><clipPath id="b"/></g>'
    assert with_own_names(svg, "x") == (
        '<g id="x-a"><use xlink:href="#x-a"/><path clip-path="url(#x-b)"/><clipPath id="x-b"/></g>'
    )
