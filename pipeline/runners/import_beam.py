"""Imports Beam faster: without its slow optional dependencies, and without the garbage collector. Tried with Beam 2.77.

Beam imports pandas (data frames), pyarrow (Parquet), pymongo and bson (MongoDB) and BigQuery's client if they are
installed, and does without if they are not. None is needed here, and they take half of the time. Beam makes some 80,000
objects that stay: the collector would visit them while they are made, during the run, and once more at its end.

If Beam cannot be imported in this way, it is imported in the usual one.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
import threading

_OF_BEAM = ("apache_beam.io.gcp.bigquery",)
_UNNEEDED = ("pandas", "pyarrow", "pymongo", "bson", *_OF_BEAM)
# Instead of 700: a run makes many tuples that stay for a while, and hardly anything that only the collector finds.
_OBJECTS_BETWEEN_COLLECTIONS = 10_000
_lock = threading.Lock()


def import_beam(*, own_process: bool = True) -> None:
    """Imports Beam; afterwards everything can be imported as before.

    Args:
        own_process: whether the process has nothing else to do. In the process of another program, whose objects may be
            garbage, nothing is kept from the collector; and while it has other threads, which may import pandas at this
            moment, only modules of Beam are left out.
    """
    with _lock:
        if "apache_beam" in sys.modules:
            return
        alone = own_process or threading.active_count() == 1
        try:
            _import_without(_UNNEEDED if alone else _OF_BEAM)
        except Exception:  # noqa: BLE001 - whatever a later Beam makes of modules that are missing
            _forget_beam()
            importlib.import_module("apache_beam")
        if own_process:
            gc.freeze()
            gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
            atexit.register(gc.freeze)


def _import_without(names: tuple[str, ...]) -> None:
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    modules.update(dict.fromkeys(hidden))  # None: as if it were not installed
    collects = gc.isenabled()
    gc.disable()
    try:
        importlib.import_module("apache_beam")
    finally:
        if collects:
            gc.enable()
        for name in hidden:
            del modules[name]


def _forget_beam() -> None:
    for name in [name for name in sys.modules if name == "apache_beam" or name.startswith("apache_beam.")]:
        del sys.modules[name]
