"""Functions that tell how often they were called, so that a test shows that what it patched was in use."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest


def count_calls(patch: pytest.MonkeyPatch, path: str, instead: Callable[..., Any] | None = None) -> list[Any]:
    """Puts a spy in the place of a function.

    Args:
        patch: undoes it.
        path: dotted path of the function, in the module that calls it.
        instead: what the spy calls; None calls the function itself.

    Returns:
        a list that grows by the result of each call.
    """
    module, _, name = path.rpartition(".")
    function = instead or getattr(importlib.import_module(module), name)
    results: list[Any] = []

    def spy(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        results.append(result)
        return result

    patch.setattr(path, spy)
    return results
