"""Finds the parameters that differ between two datasets, as their data_params.json has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from maskmill.pipeline.job.section_models import CropsParams, MaskmillParams, RunsParams, SplitParams

# What says where data are, and not what they are.
_PLACES = frozenset({"input_args.output_dir", "input_args.params", "data_dir"})
# Keys that decide how an example looks, or which rows it has; the others decide which examples there are, and where.
FORM = frozenset(
    {
        *("image_shape", "max_image_shape", "class_id", "num_classes", "loss", "max_image_pixels", "label_dtype"),
        *("colour", "resize", "views"),
        *("csv", "classes", "class_column", "mask_column", "separator"),
        *(f"runs.{name}" for name in RunsParams.model_fields),
        *("crops", *(f"crops.{name}" for name in CropsParams.model_fields)),
    }
)
# Keys that decide the bytes of a shard whose examples are the same.
SHARD = FORM | {"layout"}

# Keys of a split that have an effect.
_OF_SPLIT = frozenset(name for name, field in SplitParams.model_fields.items() if field.description)
# Keys of a split that follow from others; see `params.data_params`.
_FORCED = frozenset({"loss", "convert_to_onehot", "use_bfloat16"})

ChangedParameters = dict[str, tuple[Any, Any]]


def changed_parameters(old: Mapping[str, Any], new: Mapping[str, Any]) -> ChangedParameters:
    """Returns the parameters that differ, with the old and the new value.

    Args:
        old: content of data_params.json of a dataset.
        new: of another.

    Returns:
        old and new value by the path of the key, such as "train_input.image_shape"; None if there is no such key. A
        split of which only one of them has a section is no parameter: `splits`, `folds` or `splits_file` tell of it.
    """
    before, after = (dict(_flatten(_complete(one, other))) for one, other in ((old, new), (new, old)))
    paths = dict.fromkeys([*before, *after])
    return {path: (before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)}


def names_with_effect(changed: ChangedParameters) -> list[str]:
    """Returns the names of the parameters that affect a dataset, each once, without their sections.

    Args:
        changed: old and new values, by path; other names of CSV files alone affect nothing.
    """
    names = dict.fromkeys(_name(path) for path, values in changed.items() if path != "maskmill.csv" or None in values)
    return [name for name in names if name in _EFFECTIVE]


def _name(path: str) -> str:
    section, _, name = path.partition(".")
    return name or section


def _complete(parameters: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Adds the defaults of keys that a file leaves out, and drops what is written by the run.

    Args:
        parameters: to be compared.
        other: with these.
    """
    written = {f"{name}_hdf" for name in parameters}
    complete: dict[str, Any] = {name: section for name, section in parameters.items() if name not in written}
    for name in [name for name in complete if f"{name}_hdf" in {**parameters, **other}]:
        if name not in other:
            del complete[name]
            continue
        # A run changes keys without effect in the sections of its splits.
        is_split = f"{name}_hdf" in parameters and f"{name}_hdf" in other
        section = {
            key: complete[name][key] for key in complete[name] if (is_split and key not in _FORCED) or key in _OF_SPLIT
        }
        complete[name] = {**_defaults(SplitParams), **section}
    ours = parameters.get("maskmill") or {}
    runs = {**_defaults(RunsParams), **(ours.get("runs") or {})}
    complete["maskmill"] = {**_defaults(MaskmillParams), **ours, "runs": runs}
    if ours.get("crops"):
        complete["maskmill"]["crops"] = {**_defaults(CropsParams), **ours["crops"]}
    return complete


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    fields = ((name, field) for name, field in model.model_fields.items() if not field.is_required())
    return {name: _plain(field.default) for name, field in fields if field.description}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value.model_dump() if isinstance(value, BaseModel) else value


def _flatten(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and value and path != "maskmill.splits":
            yield from _flatten(value, f"{path}.")
        elif path not in _PLACES and name not in _PLACES:
            yield path, value


_EFFECTIVE = frozenset(
    {
        *(
            name
            for model in (SplitParams, MaskmillParams)
            for name, field in model.model_fields.items()
            if field.description
        ),
        *(f"runs.{name}" for name in RunsParams.model_fields),
        *(f"crops.{name}" for name in CropsParams.model_fields),
        *("loss", "name", "num_output_files", "num_processes"),
    }
) - {"images"}
