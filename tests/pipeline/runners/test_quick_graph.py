"""Beam builds a graph without needless work, and finds in it all that it finds otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import userstate
from apache_beam.transforms.core import CallableWrapperDoFn
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from maskmill.pipeline.runners import quick_graph
from maskmill.pipeline.runners.in_process_runner import InProcessRunner
from maskmill.transforms.batches import IntoBatches
from maskmill.transforms.codec import Codec

COUNT = ReadModifyWriteStateSpec("count", VarIntCoder())
CODEC = Codec(lambda one: (one,), lambda plain: plain[0], lambda _: 1)


class Numbered(beam.DoFn):
    """Numbers the elements of a key: a step of a user, with state."""

    def process(
        self,
        pair: tuple[str, str],
        count: object = beam.DoFn.StateParam(COUNT),
    ) -> Iterator[tuple[str, int]]:
        number = count.read() or 0
        count.write(number + 1)
        yield pair[1], number


class OfAnother:
    """Has a method that a user may give to `Map`, with state."""

    def number(self, _: object, count: object = beam.DoFn.StateParam(COUNT)) -> list[object]:
        return [count]


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch) -> list[beam.DoFn]:
    """The steps that Beam has inspected, once for each time, since the trick was installed."""
    found: list[beam.DoFn] = []

    def inspect(step: beam.DoFn) -> tuple[set, set]:
        found.append(step)
        return beams_own(step)

    current = userstate.get_dofn_specs
    beams_own = getattr(current, "_inspect", current)
    monkeypatch.setattr(userstate, "get_dofn_specs", inspect)
    return found


def run_graph() -> None:
    with beam.Pipeline(runner=InProcessRunner()) as pipeline:
        batches = pipeline | beam.Create([(1, 2), (1, 3)]) | beam.ParDo(IntoBatches(CODEC))
        batches | beam.GroupByKey() | beam.Map(str)


def test_a_class_of_steps_is_inspected_once(inspected: list[beam.DoFn]) -> None:
    quick_graph.install()
    quick_graph.install()
    run_graph()
    assert sorted(type(one).__name__ for one in inspected) == ["CallableWrapperDoFn", "IntoBatches"]


def test_beam_alone_inspects_each_step_many_times(inspected: list[beam.DoFn]) -> None:
    # If this fails, Beam has become faster itself, and the trick can go.
    run_graph()
    assert sum(isinstance(one, IntoBatches) for one in inspected) > 4


def test_the_state_of_a_users_step_is_found(inspected: list[beam.DoFn]) -> None:
    quick_graph.install()
    for step in (Numbered(), CallableWrapperDoFn(OfAnother().number)):
        assert userstate.get_dofn_specs(CallableWrapperDoFn(str)) == (set(), set())
        assert userstate.get_dofn_specs(step) == ({COUNT}, set())
    assert len(inspected) == 3


def test_a_step_with_state_runs() -> None:
    quick_graph.install()
    with beam.Pipeline(runner=InProcessRunner()) as pipeline:
        numbered = pipeline | beam.Create([("a", "x"), ("a", "x"), ("b", "x")]) | beam.ParDo(Numbered())
        total = numbered | beam.CombinePerKey(sum)
        assert_that(total, equal_to([("x", 1)]))


@pytest.mark.parametrize(
    ("first", "imported"),
    [("", True), ("quick_graph.install()", False), ("import IPython; quick_graph.install()", True)],
)
def test_ipython_is_not_imported_to_be_asked(tmp_path: Path, first: str, imported: bool) -> None:
    # If Beam does without even where nothing is installed, the trick can go.
    (tmp_path / "IPython.py").write_text("asked = []\ndef get_ipython():\n    asked.append(1)\n")
    code = f"""
        import json, sys
        import apache_beam as beam
        from maskmill.pipeline.runners import quick_graph
        from maskmill.pipeline.runners.in_process_runner import InProcessRunner

        {first}
        with beam.Pipeline(runner=InProcessRunner()) as pipeline:
            pipeline | beam.Create([1])
        print(json.dumps("IPython" in sys.modules and len(sys.modules["IPython"].asked) > 0))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) is imported
