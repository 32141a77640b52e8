"""Holds the checked parameters, and makes the tree of data_params.json from them."""

import copy
import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from maskmill.names import EVAL, TRAIN, Loss
from maskmill.pipeline.job.section_models import MaskmillParams, SplitParams
from maskmill.transforms.assignment.strategies import BY_NAME, BY_POSITION

_FORM_KEYS = ("data_dir", "image_shape", "max_image_shape", "class_id", "num_classes")


@dataclass(frozen=True, kw_only=True)
class Params:
    """The content of a parameter file.

    Attributes:
        splits: sections of the splits by name, in the order of the output; with a `splits_file`, all sections that its
            splits may have.
        loss: `model.loss`; it decides the form of the labels.
        maskmill: the section `maskmill`, or its defaults.
        document: the whole file as plain data that JSON can hold.
        warnings: for the person who wrote the file.
        source: path of the file, for messages; "" if there is none.
    """

    splits: Mapping[str, SplitParams]
    loss: Loss
    maskmill: MaskmillParams
    document: dict[str, Any]
    warnings: tuple[str, ...] = ()
    source: str = field(default="", compare=False)

    @property
    def labelled(self) -> bool:
        """Whether examples have labels."""
        return self.maskmill.csv is not None

    @property
    def assignment(self) -> str:
        """Name of the strategy that assigns examples: images without labels have the position of their name."""
        given = self.maskmill.assignment
        return BY_NAME if given == BY_POSITION and not self.labelled else given

    @property
    def negatives(self) -> float | None:
        """Share of the images without a defect that become examples; None keeps those that a row lists (-1).

        Without labels these are all images.
        """
        value = self.maskmill.negatives
        return (
            {"as_listed": None if self.labelled else 1.0, "none": 0.0, "all": 1.0}[value]
            if isinstance(value, str)
            else value
        )

    @property
    def shares(self) -> dict[str, tuple[float, float]]:
        """Part of all examples that each split takes: the shares before its first and after its last example."""
        if self.maskmill.splits_file is not None:
            return dict.fromkeys(self.splits, (0.0, 1.0))  # of those that the file puts there
        if (folds := self.maskmill.folds) is not None:
            return {name: (index / folds, (index + 1) / folds) for index, name in enumerate(self.splits)}
        if (shares := self.maskmill.splits) is None:
            if not self.labelled:
                return dict.fromkeys(self.splits, (0.0, 1.0))
            cuts = {name: self.splits[name].train_test_split for name in (TRAIN, EVAL)}
            return {TRAIN: (0.0, cuts[TRAIN]), EVAL: (cuts[EVAL], 1.0)}
        # Exactly: in floats, 0.7 + 0.2 + 0.1 is less than 1.
        stops = list(itertools.accumulate(Fraction(str(share)) for share in shares.values()))
        bounds = zip([Fraction(0), *stops], stops, strict=False)
        return {name: (float(start), float(stop)) for name, (start, stop) in zip(shares, bounds, strict=True)}


def with_splits(params: Params, names: Iterable[str]) -> Params:
    """Returns the parameters for other splits: each has the section of its name, or else a copy of train_input."""
    names = list(names)
    sections = {name: name if name in params.splits else TRAIN for name in names}
    copies = {name: copy.deepcopy(params.document[section]) for name, section in sections.items()}
    warnings = params.warnings
    if EVAL not in names and (keys := _differing_keys(params.document)):
        warnings += (
            f"{params.source}: no split is {EVAL}, which differs from {TRAIN} in {', '.join(keys)}; splits without a "
            f"section of their own have the keys of {TRAIN}",
        )
    return dataclasses.replace(
        params,
        splits={name: params.splits[section] for name, section in sections.items()},
        document={**params.document, **copies},
        warnings=warnings,
    )


def _differing_keys(document: Mapping[str, Any]) -> list[str]:
    """Returns the keys of an example's form that eval_input gives another value than train_input."""
    train, evaluation = document[TRAIN], document.get(EVAL)
    if not isinstance(evaluation, dict):
        return []
    return [key for key in _FORM_KEYS if train.get(key) != evaluation.get(key)]


def data_params(params: Params, input_args: dict[str, Any]) -> dict[str, Any]:
    """Makes the tree of data_params.json, without what was written (`<split>_hdf`).

    Args:
        params: the parameter file.
        input_args: flags of the command.

    Returns:
        a new tree: the file as it is, the flags, and in each split the values that the original script forces.
    """
    tree = copy.deepcopy(params.document)
    for split in params.splits:
        tree[split].update(
            augment_data=False,
            mixed_precision=False,
            normalize_data_method=None,
            use_worker_cache=False,
            loss=params.loss,
            convert_to_onehot=params.loss == "multilabel_bce",
            use_bfloat16=tree["model"].get("use_bfloat16", False),
        )
    return {**tree, "input_args": copy.deepcopy(input_args)}
