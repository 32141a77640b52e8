"""What the launcher of a Flex Template starts: `maskmill create`, with the template's parameters as its options."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from maskmill.pipeline.cli import main

# A parameter always has a value; these options take none.
SWITCHES = ("--checksum", "--overwrite")


def to_arguments(parameters: Iterable[str]) -> list[str]:
    """Makes a command line.

    Args:
        parameters: `--name=value` each; what is not maskmill's is Beam's, from the launcher.
    """
    return ["create", *(argument for parameter in parameters for argument in _to_argument(parameter))]


def _to_argument(parameter: str) -> list[str]:
    name, _, value = parameter.partition("=")
    if name in SWITCHES and value in ("true", "false"):
        return [name] if value == "true" else []
    return [parameter]


if __name__ == "__main__":
    sys.exit(main(to_arguments(sys.argv[1:])))
