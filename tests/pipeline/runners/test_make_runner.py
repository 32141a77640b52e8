"""Which runners `--runner` makes, and why it makes no other."""

from __future__ import annotations

import pytest
from apache_beam.runners.direct.direct_runner import DirectRunner
from apache_beam.runners.portability.flink_runner import FlinkRunner
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.portability.prism_runner import PrismRunner

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.runners.make_runner import make_runner


class OwnRunner(FnApiRunner):
    """A runner of a user."""


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("FlinkRunner", FlinkRunner),
        ("flink", FlinkRunner),
        ("PrismRunner", PrismRunner),
        ("DirectRunner", DirectRunner),
        ("fnapirunner", FnApiRunner),
        ("apache_beam.runners.portability.flink_runner.FlinkRunner", FlinkRunner),
        (f"{__name__}.OwnRunner", OwnRunner),
    ],
)
def test_runners_are_found_as_beam_finds_them(name: str, cls: type) -> None:
    assert type(make_runner(name)) is cls


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("FlinkRuner", "did you mean FlinkRunner"),
        ("dataflowruner", "did you mean DataflowRunner"),
        ("Interactive", "--runner=Interactive is for notebooks"),
        ("my.RenderRunner", "--runner=my.RenderRunner draws pipelines"),
        ("Spark2", "use FnApiRunner"),
        (f"{__name__}.NoRunner", "Apache Beam has no such runner"),
        (f"{__name__}.test_runners_are_found_as_beam_finds_them", "Apache Beam has no such runner"),
        ("builtins.dict", "is not a runner"),
        ("..x", "Apache Beam has no such runner"),
        ("no_such_module.Runner", r"cannot be imported \(No module named 'no_such_module'\)"),
    ],
)
def test_other_names_are_refused_with_what_may_be_meant(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_runner(name)


def test_a_subclass_of_a_runner_that_does_not_suit_does_not_suit_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskmill.pipeline.runners.make_runner._UNSUITED", {"FnApiRunner": "is refused here"})
    with pytest.raises(UsageError, match="OwnRunner is refused here"):
        make_runner(f"{__name__}.OwnRunner")
