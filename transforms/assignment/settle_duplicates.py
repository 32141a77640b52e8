"""Finds examples whose image files are equal, and drops them or keeps them together.

Only files of the same size can be equal, and the listing of the folders tells which sizes several files share. Of those
files the end is read, where images hardly ever agree, and only files of the same size and end are read as a whole.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np

from maskmill.transforms.annotations.records import FileStatus, ImageFile, ImageKey
from maskmill.transforms.assignment.apply_transform import SELECTED_CODEC, TransformError
from maskmill.transforms.assignment.splits import SelectedExample, Selection
from maskmill.transforms.batches import IntoBatches
from maskmill.transforms.codec import Codec, PackedBatch, Plain, unpack
from maskmill.transforms.examples.rle import EMPTY_RUNS, covered_intervals, unpack_runs
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.read_write import open_read
from maskmill.transforms.global_window import in_global_window
from maskmill.transforms.parallel.look_ahead import LookAhead, shared_pool
from maskmill.transforms.tallies import DROPPED_IMAGES, OF_DUPLICATE, OTHER_MASK, UNITED_IMAGES

# Of the end of a file. JPEGs and PNGs of different images differ there, whatever the metadata at their beginning.
_END_BYTES = 2**12
# Files that are read at the same time: each request to a store waits for its answer.
_READ_AHEAD = 16
# Pairs of images that a warning can name.
SHOWN_PAIRS = 3

# An example with the digest of its file's end.
Alike = tuple[bytes, SelectedExample]
# Two images of the same content: the one that comes first, and one with another mask.
Pair = tuple[str, str]


class SettledExamples(NamedTuple):
    """The outputs of `SettleDuplicates`.

    Attributes:
        examples: those that are left.
        tallies: (name, rows or images).
        pairs: one element, a list of the first `SHOWN_PAIRS` pairs of equal images with different masks, sorted.
    """

    examples: beam.PCollection[SelectedExample]
    tallies: beam.PCollection[tuple[str, int]]
    pairs: beam.PCollection[list[Pair]]


@dataclasses.dataclass
class Settled:
    """What becomes of the examples of equal files.

    Attributes:
        examples: those that are left.
        duplicates: number of files besides the first.
        rows: number of counted rows of the examples that were dropped.
        pairs: of the first file and each that has another mask.
    """

    examples: list[SelectedExample]
    duplicates: int
    rows: int
    pairs: list[Pair]


def settle(examples: Iterable[SelectedExample], selections: Sequence[Selection], *, drop: bool) -> Settled:
    """Settles examples of equal files; a file may have one in each selection.

    Args:
        examples: of two files or more, in any order.
        selections: that the examples are of.
        drop: whether only the first file by ImageId keeps its examples; otherwise all are put into one group.

    Raises:
        TransformError: a transform has put equal files into different groups, or a file of splits into different ones.
    """
    by_file: dict[tuple[str, str], list[SelectedExample]] = defaultdict(list)
    for one in examples:
        by_file[one.spec.image_id, one.spec.image.path].append(one)
    first, *others = sorted(by_file)
    masks = {file: masks_of(of_file, selections) for file, of_file in by_file.items()}
    pairs = [_name(first, other) for other in others if _differ(masks[first], masks[other])]
    if drop:
        rows = sum(one.spec.counted_rows for other in others for one in by_file[other])
        return Settled(by_file[first], len(others), rows, pairs)
    together = _unite([one for file in sorted(by_file) for one in by_file[file]], selections)
    return Settled(together, len(others), 0, pairs)


def masks_of(examples: Iterable[SelectedExample], selections: Sequence[Selection]) -> Mapping[int, bytes]:
    """Returns the masks of a file by class, so that equal masks are equal bytes however rows divide them."""
    runs: dict[int, list[Any]] = {}
    for one in examples:
        for class_id in selections[one.selection].class_ids:
            runs.setdefault(class_id, [])
        for row in one.spec.rows:
            if row.runs != EMPTY_RUNS:
                runs.setdefault(row.class_id, []).append(unpack_runs(row.runs))
    return {class_id: _edges(np.concatenate(parts)) if parts else b"" for class_id, parts in runs.items()}


def _edges(runs: np.ndarray) -> bytes:
    """Returns the pixels where the union of runs begins and ends; where two of them touch, it does neither."""
    pixels, numbers = np.unique(covered_intervals(runs), return_counts=True)
    return bytes(pixels[numbers % 2 == 1].tobytes())


def _differ(one: Mapping[int, bytes], other: Mapping[int, bytes]) -> bool:
    return any(one[class_id] != other[class_id] for class_id in one.keys() & other.keys())


def _name(first: tuple[str, str], other: tuple[str, str]) -> Pair:
    """Names two files by their ImageIds, or by their paths if they are in different folders."""
    same_folder = first[1].removesuffix(first[0]) == other[1].removesuffix(other[0])
    return (first[0], other[0]) if same_folder else (first[1], other[1])


def _unite(examples: Sequence[SelectedExample], selections: Sequence[Selection]) -> list[SelectedExample]:
    """Puts examples into one group: that of the first ImageId, unless a transform has given them another."""
    for one, other in itertools.pairwise(examples):
        splits = selections[one.selection].split, selections[other.selection].split
        if len(set(splits)) > 1:
            raise TransformError(
                f"{one.spec.image_id} and {other.spec.image_id} are equal images, and maskmill.splits_file puts them "
                f"into {splits[0]} and {splits[1]}; put equal images into one split, or set maskmill.duplicates: drop"
            )
    given = sorted({one.spec.group for one in examples} - {""})
    if len(given) > 1:
        names = f"{examples[0].spec.image_id} and {examples[-1].spec.image_id}"
        raise TransformError(
            f"{names} are equal images, and the transform puts them into the groups {given[0]!r} and {given[1]!r}; put "
            "equal images into one group, or set maskmill.duplicates: drop"
        )
    group = given[0] if given else examples[0].spec.image_id
    return [one._replace(spec=one.spec._replace(group=group)) for one in examples]


def settle_alike(
    alike: Sequence[SelectedExample],
    selections: Sequence[Selection],
    *,
    drop: bool,
    digest: Callable[[str], str] = sha256_of,
) -> Iterator[Settled]:
    """Settles examples whose files have the same size and end.

    Args:
        alike: the examples.
        selections: that they are of.
        drop: see `settle`.
        digest: of the content of a file; called for each file, if there are several.

    Yields:
        what becomes of each set of equal files; a file that equals no other is a set of its own.

    Raises:
        OSError: a file cannot be read.
    """
    paths = dict.fromkeys(one.spec.image.path for one in alike)
    digests = {path: digest(path) for path in paths} if len(paths) > 1 else dict.fromkeys(paths, "")
    sets: dict[str, list[SelectedExample]] = defaultdict(list)
    for one in alike:
        sets[digests[one.spec.image.path]].append(one)
    for equal in sets.values():
        if len({one.spec.image.path for one in equal}) > 1:
            yield settle(equal, selections, drop=drop)
        else:
            yield Settled(equal, 0, 0, [])


def digest_of_end(image: ImageFile) -> bytes:
    """Hashes the last bytes of a file.

    Raises:
        OSError: the file cannot be read.
    """
    with as_os_error(image.path), open_read(image.path, _END_BYTES) as file:
        file.seek(max(image.size - _END_BYTES, 0))
        return hashlib.sha256(file.read(_END_BYTES)).digest()


class FindAlike(beam.DoFn):
    """Reads the ends of those files whose size several files have, in threads."""

    def start_bundle(self) -> None:
        """Starts with no file under way."""
        self.ahead: LookAhead[bytes] = LookAhead(shared_pool(_READ_AHEAD, "read"), _READ_AHEAD)
        self.under_way: deque[SelectedExample] = deque()

    def process(self, one: SelectedExample, files_of_size: Mapping[int, int]) -> Iterable[Any]:
        """Yields examples whose files equal no other and, tagged "alike", the others with the digest of the end."""
        # Files without bytes are no images, and each is to be rejected.
        if not one.spec.image.size or one.spec.image.size not in files_of_size:
            yield one
            return
        self.under_way.append(one)
        yield from self._alike(self.ahead.call(digest_of_end, one.spec.image))

    def finish_bundle(self) -> Iterable[Any]:
        """Yields the examples whose files are still under way."""
        return in_global_window(self._alike(self.ahead.finish()))

    def _alike(self, digests: Iterator[bytes]) -> Iterator[Any]:
        for digest in digests:
            yield beam.pvalue.TaggedOutput("alike", (digest, self.under_way.popleft()))


def _alike_to_plain(one: Alike) -> Plain:
    return (one[0], *SELECTED_CODEC.to_plain(one[1]))


def _alike_from_plain(plain: Plain) -> Alike:
    digest, *selected = plain
    return digest, SELECTED_CODEC.from_plain(tuple(selected))


def _size_of_alike(one: Alike) -> int:
    return len(one[0]) + SELECTED_CODEC.size_of(one[1])


ALIKE_CODEC = Codec(_alike_to_plain, _alike_from_plain, _size_of_alike)


def partition_of(one: Alike, partitions: int) -> int:
    """Returns the partition of an example, the same for equal files."""
    return zlib.crc32(one[0]) % partitions


class SettlePartition(beam.DoFn):
    """Settles the examples of a partition."""

    def __init__(self, selections: Sequence[Selection], *, drop: bool) -> None:
        self.selections = list(selections)
        self.drop = drop

    def process(self, partition: tuple[int, Iterable[PackedBatch]]) -> Iterable[Any]:
        """Yields the outputs of `SettleDuplicates`."""
        sets: dict[tuple[int, bytes], list[SelectedExample]] = defaultdict(list)
        for digest, one in unpack(partition[1], ALIKE_CODEC):
            sets[one.spec.image.size, digest].append(one)
        tally: Counter[str] = Counter()
        for alike in sets.values():
            for settled in settle_alike(alike, self.selections, drop=self.drop):
                yield from settled.examples
                tally[DROPPED_IMAGES if self.drop else UNITED_IMAGES] += settled.duplicates
                tally[OF_DUPLICATE] += settled.rows
                tally[OTHER_MASK] += len(settled.pairs)
                yield from (beam.pvalue.TaggedOutput("pairs", pair) for pair in settled.pairs)
        yield from (beam.pvalue.TaggedOutput("tallies", item) for item in tally.items() if item[1])


@dataclasses.dataclass(kw_only=True, eq=False)
class SettleDuplicates(beam.PTransform):
    """Drops all but the first of the examples whose image files are equal, or keeps these in one split.

    Attributes:
        files: output of `ListImages`.
        selections: that the examples are of.
        drop: whether to drop; otherwise equal files become a group.
        partitions: number of groups in the shuffle.
    """

    files: beam.PCollection[tuple[ImageKey, FileStatus]]
    selections: Sequence[Selection]
    drop: bool
    partitions: int

    def expand(self, selected: beam.PCollection[SelectedExample]) -> SettledExamples:
        shared_sizes = (
            self.files
            | "SizeOfFile" >> beam.Map(lambda file: file[1][0]).with_output_types(int)
            | "CountSizes" >> beam.combiners.Count.PerElement()
            | "SharedSizes" >> beam.Filter(lambda size_and_files: size_and_files[1] > 1)
        )  # (size, number of files)
        found = selected | "FindAlike" >> beam.ParDo(FindAlike(), beam.pvalue.AsDict(shared_sizes)).with_outputs(
            "alike", main="others"
        ).with_output_types(SelectedExample)
        batches = IntoBatches(ALIKE_CODEC, functools.partial(partition_of, partitions=self.partitions))
        settled = (
            found.alike
            | "BatchAlike" >> beam.ParDo(batches).with_output_types(tuple[int, PackedBatch])
            | "GroupAlike" >> beam.GroupByKey()
            # (partition, [PackedBatch of Alike])
            | "SettlePartition"
            >> beam.ParDo(SettlePartition(self.selections, drop=self.drop))
            .with_outputs("tallies", "pairs", main="examples")
            .with_output_types(SelectedExample)
        )
        examples = (found.others, settled.examples) | "Examples" >> beam.Flatten()
        pairs = settled.pairs | "FirstPairs" >> beam.combiners.Top.Smallest(SHOWN_PAIRS)
        return SettledExamples(examples, settled.tallies, pairs)
