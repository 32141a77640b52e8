"""Makes the runner that `--runner` names, or says why none is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from apache_beam.options.pipeline_options import StandardOptions
from apache_beam.runners import PipelineRunner, create_runner

from maskmill.pipeline.errors import UsageError, last_line

# Not DirectRunner, which first tries to download another runner.
DEFAULT_RUNNER = "FnApiRunner"

_SUITED = f"{DEFAULT_RUNNER} (the default, in this process), FlinkRunner, DataflowRunner or PrismRunner"
# Runners of Beam that do not run a whole pipeline to its end.
_UNSUITED: Mapping[str, str] = {
    "InteractiveRunner": "is for notebooks",
    "RenderRunner": "draws pipelines, and does not run them",
    "TrivialRunner": "is an example, which lacks most of what a pipeline needs",
    "KafkaStreamsRunner": "is for endless streams, and no release of Apache Beam holds what it needs",
}


def make_runner(name: str) -> PipelineRunner:
    """Makes a runner.

    Args:
        name: value of `--runner`: a name that Beam knows, or the dotted path of a class.

    Raises:
        UsageError: there is no such runner, or it does not suit.
    """
    _refuse_unsuited(name, name.rpartition(".")[2])
    try:
        runner = create_runner(name)
    except ImportError as error:
        # Of a dotted path, or of what a runner of Beam needs.
        raise UsageError(f"--runner={name} cannot be imported ({last_line(error)}); use {_SUITED}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"--runner={name}: Apache Beam has no such runner; {_advise(name)}") from error
    if not isinstance(runner, PipelineRunner):
        raise UsageError(f"--runner={name} is not a runner; use {_SUITED}")
    for cls in type(runner).__mro__:
        _refuse_unsuited(name, cls.__name__)
    return runner


def _refuse_unsuited(name: str, cls: str) -> None:
    if why := _UNSUITED.get(cls):
        raise UsageError(f"--runner={name} {why}; use {_SUITED}")


def _advise(name: str) -> str:
    known = {one.lower(): one for one in StandardOptions.KNOWN_RUNNER_NAMES if one not in _UNSUITED}
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.8)
    return f"did you mean {known[near[0]]}?" if near else f"use {_SUITED}"
