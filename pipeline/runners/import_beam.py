"""Apache Beam without what it takes along where it is installed, and nothing here needs: half of the time it takes.

It makes some hundred thousand objects that stay. Python's collector of garbage would look at them all again and again:
while they are made, during the run, and once more at its end.
"""

from __future__ import annotations

import atexit
import gc
import sys

# Beam looks for them for data frames, Parquet, MongoDB and BigQuery, and does without where they are not there.
_UNNEEDED = ("pandas", "pyarrow", "pymongo", "apache_beam.io.gcp.bigquery")


def import_beam() -> None:
    """Imports Beam; afterwards all is to be imported as before."""
    hidden = [name for name in _UNNEEDED if name not in sys.modules]
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    # None: as if it were not installed.
    modules.update(dict.fromkeys(hidden))
    gc.disable()
    try:
        import apache_beam  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()
        atexit.register(gc.freeze)
        for name in hidden:
            del modules[name]
