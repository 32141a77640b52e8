"""Replaces the Model Zoo's `Hdf5DataProcessor`: the same parameters and batches, read in another way."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskmill.augment import augment, normalize
from maskmill.dataset import open_dataset
from maskmill.names import LOSSES
from maskmill.torch import BatchDataset, BatchLoader


class Hdf5DataProcessor:
    """Loads batches according to the parameters of a section such as `train_input`.

    It reads data_dir (folder of the split, or a list of such folders in one dataset), loss, image_shape, batch_size,
    shuffle, shuffle_buffer, shuffle_seed, drop_last, augment_data, normalize_data_method, num_workers, prefetch_factor,
    persistent_workers, mixed_precision, use_bfloat16, with the defaults of the original. Labels keep their stored
    shape, so multilabel_bce works, which the original's reader cannot use. They have the dtype of the original even if
    they are stored as uint8: int32 for ssce, else that of mixed precision, or float32.

    Args:
        params: a section of the parameter file.
        window: number of shards that are mixed at a time, in place of shuffle_buffer; see `EpochPlan`.
        cache: `cache` and `cache_bytes` of `open_dataset`.

    Raises:
        ValueError: the examples have no labels, or another shape than `image_shape`, the loss is unknown, or the
            folders of data_dir are of several datasets.
        DatasetError: data_dir is not a split of a finished dataset.
    """

    def __init__(self, params: Mapping[str, Any], *, window: int | None = None, **cache: Any) -> None:
        if params["loss"] not in LOSSES:
            raise ValueError(f"loss is {params['loss']!r}; it must be one of {', '.join(LOSSES)}")
        self._params = params
        self._window = window
        root, splits = _dataset_of(params["data_dir"])
        self._examples = open_dataset(root, splits, **cache)
        if not self._examples.labelled:
            raise ValueError(
                f"{params['data_dir']}: the examples have no labels (csv: null), which training needs; read them for "
                "prediction with maskmill.open_dataset or maskmill.torch.ExampleDataset"
            )
        height, width = params["image_shape"][:2]
        if self._examples.image_shape[1:] != (height, width):
            found = " x ".join(map(str, self._examples.image_shape[1:]))
            raise ValueError(f"{params['data_dir']}: images are {found}, but image_shape says {height} x {width}")

    def create_dataloader(self, is_training: bool = True) -> BatchLoader:
        """Returns a loader of (images, labels); `is_training` has no effect, as in the original."""
        params = self._params
        batches = BatchDataset(
            self._examples,
            params["batch_size"],
            transform=functools.partial(
                _transform, method=params.get("normalize_data_method"), augments=params.get("augment_data", True)
            ),
            shuffle=params.get("shuffle", True),
            buffer=None if self._window else params.get("shuffle_buffer", 10 * params["batch_size"]),
            window=self._window,
            seed=params.get("shuffle_seed") or 0,
            drop_last=params.get("drop_last", True),
        )
        workers = params.get("num_workers", 0)
        options: dict[str, Any] = {"num_workers": workers}
        if workers:
            options["prefetch_factor"] = params.get("prefetch_factor", 10)
            options["persistent_workers"] = params.get("persistent_workers", True)
        cast = functools.partial(_cast, image_dtype=self._mixed_dtype, label_dtype=self._label_dtype)
        return BatchLoader(batches, collate_fn=cast, **options)

    @property
    def _mixed_dtype(self) -> torch.dtype | None:
        if not self._params.get("mixed_precision"):
            return None
        return torch.bfloat16 if self._params.get("use_bfloat16") else torch.float16

    @property
    def _label_dtype(self) -> torch.dtype:
        return torch.int32 if self._params["loss"] == "ssce" else self._mixed_dtype or torch.float32


def _dataset_of(data_dir: str | Sequence[str]) -> tuple[str, list[str]]:
    """Returns the folder of the dataset, and the names of the splits in it."""
    folders = [data_dir] if isinstance(data_dir, str) else list(data_dir)
    parts = [os.path.split(one.rstrip("/") if "://" in one else os.path.normpath(one)) for one in folders]
    roots = list(dict.fromkeys(root for root, _ in parts))
    if len(roots) != 1:
        raise ValueError(f"data_dir is {data_dir!r}; name the folder of a split, or several in one dataset")
    return roots[0] or ".", [split for _, split in parts]


def _transform(
    image: NDArray[Any], label: NDArray[Any], random: np.random.Generator, *, method: str | None, augments: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    image = normalize(image, method)
    return augment(image, label, random) if augments else (image, label)


def _cast(
    batch: tuple[Tensor, Tensor], *, image_dtype: torch.dtype | None, label_dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Converts images and labels to the dtypes of the network; None leaves images as they are."""
    images, labels = batch
    return images.to(image_dtype or images.dtype), labels.to(label_dtype)
