"""Has Beam build a graph faster, by leaving out what it does again and again, or for nothing. Tried with Beam 2.77.

- For state and timers it inspects the signatures of all methods of a step some ten times: when the step is made, when
  it is translated, and when a worker gets it. In a graph as small as ours that is a third of all that Beam does.
- To name steps in a notebook by its cells, and at the end, it imports IPython if that is installed, wherever it runs.

The names that are replaced are not documented. If a later Beam does not have them, or does not use them, it only takes
longer.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable
from typing import Any

import apache_beam as beam
from apache_beam import pipeline
from apache_beam.transforms import userstate
from apache_beam.transforms.core import CallableWrapperDoFn
from apache_beam.utils import interactive_utils

# The state and the timers of a step.
Specs = tuple[set[Any], set[Any]]

_OURS = "maskmill."


def install() -> None:
    """Makes Beam faster from now on, for all graphs of this process; a second call changes nothing."""
    with contextlib.suppress(AttributeError):
        if not isinstance(userstate.get_dofn_specs, _InspectOnce):
            userstate.get_dofn_specs = _InspectOnce(userstate.get_dofn_specs)
    for module in (interactive_utils, pipeline):  # the one that names steps, and the one that runs the graph
        with contextlib.suppress(AttributeError):
            if not isinstance(module.is_in_ipython, _AskIfImported):
                module.is_in_ipython = _AskIfImported(module.is_in_ipython)


class _InspectOnce:
    """Inspects a step, unless another one of its class was inspected before.

    Args:
        inspect: Beam's function.
    """

    def __init__(self, inspect: Callable[[beam.DoFn], Specs]) -> None:
        self._inspect = inspect
        self._found: dict[type[beam.DoFn], Specs] = {}

    def __call__(self, step: beam.DoFn) -> Specs:
        if not _has_methods_of_class(step):
            return self._inspect(step)
        if type(step) not in self._found:
            self._found[type(step)] = self._inspect(step)
        states, timers = self._found[type(step)]
        return set(states), set(timers)


def _has_methods_of_class(step: beam.DoFn) -> bool:
    """Returns whether all steps of the class have the same methods; the steps of others may have those of a user's.

    Beam inspects bound methods. The function of a `Map` is one if it is a method of something else.
    """
    known = type(step) is CallableWrapperDoFn or type(step).__module__.startswith(_OURS)
    return known and not any(isinstance(one, types.MethodType) for one in vars(step).values())


class _AskIfImported:
    """Asks IPython, if the program has imported it, whether it runs the program.

    Args:
        ask: Beam's function.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask

    def __call__(self) -> bool:
        return "IPython" in sys.modules and self._ask()
