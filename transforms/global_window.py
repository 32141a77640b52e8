"""Puts the outputs of a step's `finish_bundle` into the global window, as Beam requires it there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows


def in_global_window(outputs: Iterable[Any]) -> Iterator[Any]:
    """Yields outputs, tagged or not, in the global window."""
    for output in outputs:
        if isinstance(output, beam.pvalue.TaggedOutput):
            yield beam.pvalue.TaggedOutput(output.tag, GlobalWindows.windowed_value(output.value))
        else:
            yield GlobalWindows.windowed_value(output)
