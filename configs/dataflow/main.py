"""Runs `maskmill create` in the launcher of a Flex Template, with the template's parameters as options."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from maskmill.pipeline.cli import main

# Parameters always have a value; these options have none.
SWITCHES = ("--checksum", "--verify", "--overwrite", "--no_lock")


def to_arguments(parameters: Iterable[str]) -> list[str]:
    """Converts the parameters of a template to a command line.

    Args:
        parameters: each is `--name=value`; the launcher adds options of Beam.
    """
    return ["create", *(argument for parameter in parameters for argument in _to_argument(parameter))]


def _to_argument(parameter: str) -> list[str]:
    name, _, value = parameter.partition("=")
    if name in SWITCHES and value in ("true", "false"):
        return [name] if value == "true" else []
    return [parameter]


if __name__ == "__main__":
    sys.exit(main(to_arguments(sys.argv[1:])))
