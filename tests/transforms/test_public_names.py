"""Tests of the names that `maskmill.transforms` exports."""

from __future__ import annotations

import importlib
import pkgutil

import apache_beam as beam

from maskmill import transforms


def test_every_public_transform_is_exported() -> None:
    modules = [found.name for found in pkgutil.walk_packages(transforms.__path__, "maskmill.transforms.")]
    assert "maskmill.transforms.assignment.ranks" in modules
    public = {
        name
        for module in map(importlib.import_module, modules)
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, beam.PTransform) and value.__module__ == module.__name__
        if not name.startswith("_")
    }
    assert "WriteShards" in public
    assert public - set(transforms.__all__) == set()


def test_every_exported_name_exists() -> None:
    assert [name for name in transforms.__all__ if getattr(transforms, name).__name__ != name] == []
