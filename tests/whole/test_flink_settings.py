"""The settings of Flink: those of `config.yaml` are those of the cluster on Kubernetes."""

from __future__ import annotations

import yaml

from tests.support.command import ROOT

FLINK = ROOT / "configs" / "flink"
# The operator sets them by the memory of each pod.
MEMORY = {"jobManager": "jobmanager.memory.process.size", "taskManager": "taskmanager.memory.process.size"}


def read(name: str) -> dict:
    """A YAML file, every value as it is written."""
    return yaml.load((FLINK / name).read_text(), Loader=yaml.BaseLoader)


def test_the_deployment_has_the_settings_of_the_configuration() -> None:
    expected = read("config.yaml")
    deployment = read("flink_deployment.yaml")["spec"]
    memory = {setting: deployment[process]["resource"]["memory"] for process, setting in MEMORY.items()}
    assert {**deployment["flinkConfiguration"], **memory} == expected
