"""The names of steps, as a runner's page, metrics and errors show them."""

from __future__ import annotations

import re
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor

from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.job import make_job
from maskmill.pipeline.job.params_file import read_params
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.strategies import STRATEGIES
from tests.support.builders import A_RUN, write_dataset, write_params

OURS = ("maskmill.",)
CAMEL_CASE = re.compile("([A-Z][a-z]+)+")


class _Steps(PipelineVisitor):
    """Collects the steps that are applied by code of ours, and not by Beam's inside of its own transforms."""

    def __init__(self) -> None:
        self.found: list[AppliedPTransform] = []

    def enter_composite_transform(self, node: AppliedPTransform) -> None:
        self._note(node)

    def visit_transform(self, node: AppliedPTransform) -> None:
        self._note(node)

    def _note(self, node: AppliedPTransform) -> None:
        if node.parent is not None and (
            node.parent.parent is None or type(node.parent.transform).__module__.startswith(OURS)
        ):
            self.found.append(node)


@pytest.fixture(name="steps", params=STRATEGIES)
def find_steps(request: pytest.FixtureRequest, tmp_path: Path) -> list[AppliedPTransform]:
    """Steps of a graph that has all there are, for each assignment: two classes, whose splits may share images."""
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,4,1 2"])
    ours = {"assignment": request.param}
    written = write_params(tmp_path / "params.yaml", data, eval_input={"class_id": 4}, maskmill=ours)
    params = read_params(str(written))
    job = make_job(params, ShardLayout("data", 2, 1), output_dir=str(tmp_path / "out"), input_args={})
    pipeline = beam.Pipeline()
    build_graph(pipeline, job, Baseline(), A_RUN)
    steps = _Steps()
    pipeline.visit(steps)
    return steps.found


def test_every_step_has_a_name_in_camel_case(steps: list[AppliedPTransform]) -> None:
    labels = [step.full_label.removeprefix(f"{step.parent.full_label}/") for step in steps]
    assert len(labels) > 30
    assert {"CountSharedImages", "WriteShard"} <= set(labels)
    assert [label for label in labels if not CAMEL_CASE.fullmatch(label)] == []


def test_no_step_of_beams_is_left_with_beams_own_name(steps: list[AppliedPTransform]) -> None:
    beams = [step for step in steps if type(step.transform).__module__.startswith("apache_beam.")]
    assert len(beams) > 20
    defaults = [step.full_label for step in beams if step.full_label.endswith(f"/{step.transform.default_label()}")]
    assert defaults == []
