"""Makes datasets of masks and images, and reads them.

import maskmill

result = maskmill.create("params.yaml", "severstal_hdf5")
examples = maskmill.open_dataset("severstal_hdf5", split="train_input")
image, label, image_id = examples[0]

Reading needs only NumPy and h5py, and reads the datasets of create_hdf5_files.py, too.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskmill.dataset import Batch, Dataset, Example, open_dataset
    from maskmill.errors import DatasetError
    from maskmill.pipeline.api import create, plan, report, verify
    from maskmill.pipeline.errors import (
        ChangedTooMuchError,
        DamagedError,
        MaskmillError,
        TooManyRejectedError,
        UsageError,
    )
    from maskmill.pipeline.messages.plan import Plan
    from maskmill.pipeline.messages.result import Result
    from maskmill.pipeline.verify.findings import Findings
    from maskmill.statistics import Statistics
    from maskmill.stitching import stitch
    from maskmill.write_submission import submission

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "ChangedTooMuchError",
    "DamagedError",
    "Dataset",
    "DatasetError",
    "Example",
    "Findings",
    "MaskmillError",
    "Plan",
    "Result",
    "Statistics",
    "TooManyRejectedError",
    "UsageError",
    "create",
    "open_dataset",
    "plan",
    "report",
    "stitch",
    "submission",
    "verify",
]

# Modules of the public names; those of `maskmill.dataset` are not listed.
_HOMES = {
    "DatasetError": "maskmill.errors",
    "Findings": "maskmill.pipeline.verify.findings",
    "Plan": "maskmill.pipeline.messages.plan",
    "Result": "maskmill.pipeline.messages.result",
    "Statistics": "maskmill.statistics",
    "stitch": "maskmill.stitching",
    "submission": "maskmill.write_submission",
    **dict.fromkeys(("create", "plan", "report", "verify"), "maskmill.pipeline.api"),
    **dict.fromkeys(
        ("ChangedTooMuchError", "DamagedError", "MaskmillError", "TooManyRejectedError", "UsageError"),
        "maskmill.pipeline.errors",
    ),
}


def __getattr__(name: str) -> object:
    """Imports a public name on first use: the command line and the pool's processes need neither NumPy nor h5py."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "maskmill.dataset")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
