"""Imports the compiled inner loops of `kernel.c`.

They are there if a C compiler was when maskmill was installed. Without them, NumPy does the same to the bit, and an
example takes 30 % longer.
"""

from __future__ import annotations

from types import ModuleType

KERNEL: ModuleType | None
try:
    from maskmill.transforms import _kernel
except ImportError:
    KERNEL = None
else:
    KERNEL = _kernel
