"""The version of the format: the one place where it is written down.

It is part of every fingerprint. Read it where it is used (`format_version.CURRENT`), not when a module is imported.
"""

from __future__ import annotations

# Raise it whenever the same input would give other bytes. Versions 1 to 4 can be read.
CURRENT = 4
