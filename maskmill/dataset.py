"""Reads the examples of a split by index."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray

from maskmill.catalog import Shard, find_several
from maskmill.epochs import order_by_shards
from maskmill.errors import DatasetError
from maskmill.fetch_ahead import FetchAhead, uses_of
from maskmill.folder import Folder, folder_of
from maskmill.join_splits import join_splits
from maskmill.measures import SplitMeasures, read_measures
from maskmill.names import IMAGE, LABEL, TRAIN
from maskmill.open_shards import OpenShards
from maskmill.positions import places_of
from maskmill.shard_cache import CachedFolder, ShardCache
from maskmill.statistics import Statistics
from maskmill.views import View, Views, empty_views

# Images that are read at the same time; bounds the memory for what is stored in another form than it is returned in.
_AT_ONCE_BYTES = 2**25
# Of labels in memory, as NumPy aligns arrays of its own.
_ALIGNMENT = 64


class _Example(NamedTuple):
    image: NDArray[np.uint8]
    label: Any  # an array, or None
    image_id: str


class Example(_Example):
    """An example; it unpacks to its image, label and image_id.

    Attributes:
        image: uint8 [1, H, W], or [3, H, W] with colours.
        label: float32 [1, H, W] for the loss bce, float32 [classes, H, W] for multilabel_bce, int32 [H, W] for ssce;
            None in a dataset without labels (`csv: null`).
        image_id: file name of the image; "" in a dataset of create_hdf5_files.py, which does not record it.
        view: what the example shows of the image file; None if the dataset does not record it.
    """

    view: View | None = None

    @property
    def crop(self) -> tuple[int, int] | None:
        """First row and column of its image that the example shows; None if the dataset does not record it."""
        return None if self.view is None else (self.view.shown.top, self.view.shown.left)


class _Batch(NamedTuple):
    images: NDArray[np.uint8]
    labels: Any  # an array, or None
    image_ids: list[str]


class Batch(_Batch):
    """Several examples; it unpacks to images, labels and image_ids.

    Attributes:
        images: uint8 [n, 1, H, W], or [n, 3, H, W] with colours.
        labels: [n, …], each as in `Example`; None in a dataset without labels.
        image_ids: n file names.
        views: what the examples show of the image files; None if the dataset does not record it.
    """

    views: Views | None = None


def open_dataset(
    path: str | os.PathLike[str],
    split: str | Sequence[str] = TRAIN,
    *,
    label_dtype: DTypeLike | None = None,
    cache: str | os.PathLike[str] | None = None,
    cache_bytes: int | None = None,
) -> Dataset:
    """Opens a split of a finished dataset, or several as one.

    Args:
        path: folder of the dataset; local, or with a scheme that fsspec knows, such as `gs://…`.
        split: name of the split; or a list of names: the examples of these splits follow each other.
        label_dtype: dtype to convert labels to; None keeps the stored one.
        cache: local folder for copies of shards, which all processes of the machine, and all datasets, may share. A
            shard is fetched as a whole when one of its examples is read, and checked against the manifest's sha256;
            later it is read from the copy. None reads from `path`.
        cache_bytes: most bytes in that folder; the copies used least recently are removed. None is without a limit.

    Raises:
        DatasetError: there is no such dataset or split, or it is not whole: a listed file is missing or has the wrong
            size, an unlisted shard is there, manifest.json was changed, or a run is still writing the dataset. Or the
            cache cannot be written, or the dataset lists no checksums. Or the examples of the splits differ in shape,
            dtype or classes.
        ValueError: `cache` is not local, or `cache_bytes` is less than a shard has; or no split is named, or one twice.
    """
    name, splits = os.fspath(path), _split_names(split)
    folder = folder_of(name)
    found = dict(zip(splits, find_several(folder, name, splits), strict=True))
    shards, class_names = join_splits(folder, name, found)
    dtype = None if label_dtype is None else np.dtype(label_dtype)
    examples = Dataset(name, ", ".join(splits), shards, dtype, _new_cache(cache, cache_bytes), class_names)
    if examples.cache is not None:
        examples.cache.check(name, shards)
    return examples


def _split_names(split: str | Sequence[str]) -> list[str]:
    names = [split] if isinstance(split, str) else list(split)
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"split names {twice} twice; name each split once")
    if not names:
        raise ValueError("split is an empty list; name at least one split")
    return names


def _new_cache(folder: str | os.PathLike[str] | None, most_bytes: int | None) -> ShardCache | None:
    if folder is None:
        if most_bytes is not None:
            raise ValueError("cache_bytes needs a folder: set cache, too")
        return None
    name = os.fspath(folder)
    if "://" in name:
        raise ValueError(f"cache is {name!r}; it must be a local folder")
    return ShardCache(name, most_bytes)


def _open_folder(path: str, shards: Sequence[Shard], cache: ShardCache | None) -> Folder:
    folder = folder_of(path)
    return folder if cache is None else CachedFolder(folder, shards, cache)


class Dataset(Sequence[Example]):
    """A split of a dataset, several as one, or a part of these; see `open_dataset`.

    It may be passed to other processes, forked or spawned: each opens the files itself. Its pickle is small; that of a
    part holds 8 bytes an example. Do not read from several threads of one process at the same time.

    Attributes:
        path: folder of the dataset, as given.
        split: name of the split; those of several are joined by commas.
        cache: where copies of its shards are kept; None if they are read from `path`.
        class_names: names of the classes that labels distinguish, in the order of `areas`: for the loss bce one, which
            names them all. Without labels, those that a model is to find. Empty if the dataset does not say, or the
            split has no examples.
        labelled: whether examples have labels; those of a dataset with `csv: null` have none.
    """

    def __init__(
        self,
        path: str,
        split: str,
        shards: Sequence[Shard],
        label_dtype: np.dtype[np.generic] | None = None,
        cache: ShardCache | None = None,
        class_names: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.split = split
        self.cache = cache
        self.class_names = class_names
        self.labelled = all(shard.labelled for shard in shards)
        self._shards = tuple(shards)
        self._label_dtype = label_dtype
        # Indices in the split or splits, if this is a part.
        self._part: NDArray[np.int64] | None = None
        self._begin()

    def _begin(self) -> None:
        """Sets up what is not passed to other processes."""
        self._places = places_of(self._shards)
        self._open = OpenShards(functools.partial(_open_folder, self.path, self._shards, self.cache))
        self._forms: dict[str, tuple[np.dtype[np.generic], tuple[int, ...]]] = {}
        # Of the whole split, once they were read; parts share them.
        self._measures: list[SplitMeasures] = []

    def __len__(self) -> int:
        return len(self._places if self._part is None else self._part)

    @overload
    def __getitem__(self, position: int) -> Example: ...

    @overload
    def __getitem__(self, position: slice | Sequence[int] | NDArray[np.integer[Any]]) -> Dataset: ...

    def __getitem__(self, position: int | slice | Sequence[int] | NDArray[np.integer[Any]]) -> Example | Dataset:
        """Returns an example, given its index; or a part of the dataset, given a slice or indices."""
        if isinstance(position, int | np.integer):
            batch = self.read([int(position)])
            example = Example(batch.images[0], batch.labels[0] if self.labelled else batch.labels, batch.image_ids[0])
            example.view = batch.views and batch.views.of(0)
            return example
        part = Dataset.__new__(Dataset)
        part.__dict__.update(
            self.__dict__, _part=(np.arange(len(self)) if self._part is None else self._part)[position]
        )
        return part

    def read(self, positions: Sequence[int] | NDArray[np.integer[Any]]) -> Batch:
        """Reads examples in the given order.

        Raises:
            IndexError: an index is out of range.
            DatasetError: a shard is damaged, or was replaced after the dataset was opened.
            OSError: a shard cannot be read.
        """
        places = self._places[positions if self._part is None else self._part[positions]].tolist()
        batch = self._new_batch(len(places))
        # By shard and place in it; no more at a time than shards may be open.
        rows = sorted(range(len(places)), key=places.__getitem__)
        at_once = min(self._open.most, 1 + _AT_ONCE_BYTES // batch.images[0].nbytes) if rows else 1
        for first in range(0, len(rows), at_once):
            self._read_rows(batch, places, rows[first : first + at_once])
        return batch

    def _new_batch(self, size: int) -> Batch:
        """Makes a batch whose arrays are to be filled.

        They share one piece of memory. With several of about the same size, malloc gives the memory back to the system
        with each batch, and to get it again takes longer than to read.
        """
        if not self.labelled:
            return Batch(np.empty((size, *self.image_shape), np.uint8), None, [""] * size)
        shapes = ((size, *self.image_shape), (size, *self.label_shape))
        images = math.prod(shapes[0])
        start = -(-images // _ALIGNMENT) * _ALIGNMENT
        memory = np.empty(start + math.prod(shapes[1]) * self.label_dtype.itemsize, np.uint8)
        labels = memory[start:].view(self.label_dtype).reshape(shapes[1])
        return Batch(memory[:images].reshape(shapes[0]), labels, [""] * size)

    def _read_rows(self, batch: Batch, places: Sequence[tuple[int, int]], rows: Sequence[int]) -> None:
        """Fills some rows of a batch; `places` are those of all its rows."""
        begun = []
        for row in rows:
            number, example = places[row]
            reader = self._open.reader(self._shards[number])
            targets = {IMAGE: batch.images[row]}
            if self.labelled:
                targets[LABEL] = batch.labels[row]
            begun.append(reader.begin(example, targets))
            if reader.image_ids:
                batch.image_ids[row] = reader.image_ids[example]
            if reader.views is not None:
                batch.views = batch.views or empty_views(len(places))
                for target, of_shard in zip(batch.views, reader.views, strict=True):
                    target[row] = of_shard[example]
        self._open.folder().read_all([read for one in begun for read in one.reads])
        for one in begun:
            one.finish()

    def read_each(self, batches: Iterable[Sequence[int] | NDArray[np.integer[Any]]]) -> Iterator[Batch]:
        """Reads one batch after the other, each given by its indices; a cache fetches shards ahead of them.

        Args:
            batches: indices of the examples of each batch.

        Raises:
            as `read`. ValueError: the cache cannot hold the shards that are in use at the same time.
        """
        folder = self._open.folder()
        if not isinstance(folder, CachedFolder):
            yield from map(self.read, batches)
            return
        steps = [np.asarray(positions, np.int64) for positions in batches]
        numbers = self.shard_numbers
        with FetchAhead(folder, uses_of(self._shards, [numbers[step] for step in steps])) as ahead:
            for step, positions in enumerate(steps):
                ahead.advance(step)
                yield self.read(positions)

    def batches(
        self,
        size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        window: int | None = None,
    ) -> Iterator[Batch]:
        """Yields all examples once, in batches.

        Args:
            size: examples in a batch; the last one may have fewer.
            shuffle: reads in a random order instead of index order.
            seed: of that order; pass another seed in each epoch.
            drop_last: leaves out a last batch that has fewer.
            window: number of shards that shuffling mixes at a time, see `maskmill.epochs.order_by_shards`; None mixes
                all examples.
        """
        order = np.arange(len(self))
        if shuffle:
            random = np.random.default_rng(seed)
            order = random.permutation(order) if window is None else order_by_shards(self.shard_numbers, window, random)
        starts = range(0, len(self) - (size - 1 if drop_last else 0), size)
        yield from self.read_each(order[start : start + size] for start in starts)

    @property
    def shard_numbers(self) -> NDArray[np.int32]:
        """Index of the shard of each example, int32 [n]; the shards of several splits are counted on."""
        return (self._places if self._part is None else self._places[self._part])[:, 0]

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of an image, (channels, H, W); there is 1 channel, or 3 with colours."""
        return self._form(IMAGE)[1]

    @property
    def label_shape(self) -> tuple[int, ...]:
        """Shape of a label."""
        return self._form(LABEL)[1]

    @property
    def label_dtype(self) -> np.dtype[np.generic]:
        """dtype of a label."""
        return self._label_dtype or self._form(LABEL)[0]

    @property
    def areas(self) -> NDArray[np.int32]:
        """Number of pixels of each class in the label of each example, int32 [n, classes]; see `class_names`.

        Like `image_hashes` and `statistics` it is recorded in the shards: no image or label is read or cached.

        Raises:
            DatasetError: an earlier maskmill, or create_hdf5_files.py, made the dataset; or a shard is damaged.
        """
        return self._measured().areas

    @property
    def image_hashes(self) -> NDArray[np.uint64]:
        """Difference hash of each image, uint64 [n]: those of similar images differ in few bits. Raises as `areas`."""
        return self._measured().image_hashes

    @property
    def image_ids(self) -> list[str]:
        """File name of the image of each example. Raises as `areas`."""
        return [name.decode() for name in self._measured().image_ids.tolist()]

    @property
    def of_crops(self) -> bool:
        """Whether the examples are crops of their images; those of an image are neighbours."""
        return any(shard.images is not None for shard in self._shards)

    @property
    def views(self) -> Views | None:
        """What the examples show of their image files; None if the dataset does not record it. Raises as `areas`."""
        return self._measured().views

    @property
    def statistics(self) -> Statistics:
        """Mean and standard deviation of the pixels, and the share of each class; of a part, those of its examples.

        Raises:
            DatasetError: there are no examples; or as `areas`.
        """
        if not len(self):
            raise DatasetError(f"{self.path}: {self.split}, or this part of it, has no examples to compute them of")
        return self._measured().statistics()

    def close(self) -> None:
        """Closes the files; reading the next example opens them again."""
        self._open.close()

    def __repr__(self) -> str:
        return f"<{self.split} of {self.path}: {len(self):,} examples>"

    def __getstate__(self) -> dict[str, Any]:
        own = {"_places", "_open", "_forms", "_measures"}
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def _measured(self) -> SplitMeasures:
        if not self._measures:
            self._measures.append(read_measures(folder_of(self.path), self._shards))
        return self._measures[0].part(np.arange(len(self._places)) if self._part is None else self._part)

    def _form(self, name: str) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
        if name == LABEL and not self.labelled:
            raise DatasetError(f"{self.path}: {self.split} has no labels, as it was made with csv: null")
        if name not in self._forms:
            filled = next((shard for shard in self._shards if shard.examples), None)
            if filled is None:
                raise DatasetError(f"{self.path}: {self.split} has no examples")
            self._forms[name] = self._open.reader(filled).form(name)
        return self._forms[name]
