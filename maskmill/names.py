"""Formats and parses every name in a dataset's folder; nothing else writes them down.

    <output_dir>/
      manifest.json, data_params.json, meta_<split>.dat, examples.csv, rejected.jsonl, croissant.json,
      history.jsonl, report.html, .lock
      <split>/<name>-<number>_p<range>.h5     groups example_<i>, each with image and label; or arrays images, labels
      .staging/publishing.json
      .staging/<key>/outcome.json
      .staging/<key>/<split>/<fingerprint>-<name>-<number>_p<range>.h5 (and its record, .h5.json)

A folder of datasets holds latest.json. The names of shards, groups, arrays, of `n_examples`, data_params.json and
meta_<split>.dat are those of create_hdf5_files.py (Cerebras Model Zoo, release 2.0.3).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, get_args

MANIFEST = "manifest.json"
DATA_PARAMS = "data_params.json"
EXAMPLES = "examples.csv"
REJECTED = "rejected.jsonl"
CROISSANT = "croissant.json"
HISTORY = "history.jsonl"
REPORT = "report.html"
LOCK = ".lock"
STAGING = ".staging"
# In the staging folder: what a dataset consists of while publishing has taken its manifest away.
JOURNAL = f"{STAGING}/publishing.json"
# In the staging folder of a run: why it published nothing.
OUTCOME = "outcome.json"
# In a folder of datasets: which one is the newest.
LATEST = "latest.json"
# Suffix of files and folders that are not complete yet.
ATTEMPT = ".attempt"

# Attributes of a shard, and the arrays of each of its examples.
N_EXAMPLES = "n_examples"
IMAGE_IDS = "image_ids"
AREAS = "areas"
PIXEL_SUMS = "pixel_sums"
IMAGE_HASHES = "image_hashes"
IMAGE_SIZES = "image_sizes"
SHOWN = "shown"
VALID = "valid"
# Channels of an image with colours, in order.
RGB = ("red", "green", "blue")
IMAGE = "image"
LABEL = "label"
# Layouts of a shard: a group for each example, or two arrays with a row for each.
GROUPS, ARRAYS = "groups", "arrays"
LAYOUTS = (GROUPS, ARRAYS)
# With the layout `arrays`: the array that has an image, or a label, in each row.
ROWS_OF = {IMAGE: "images", LABEL: "labels"}

# The splits of create_hdf5_files.py.
TRAIN, EVAL = "train_input", "eval_input"
# The split of images without labels, if the parameter file has a section of this name.
TEST = "test_input"
# Names of splits: of their sections in a parameter file, and of their folders.
SPLIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*_input")
FOLD_NAME = re.compile(r"fold_(0|[1-9][0-9]*)")

Loss = Literal["bce", "multilabel_bce", "ssce"]
LOSSES: tuple[Loss, ...] = get_args(Loss)

_FINGERPRINT_DIGITS = 16
_SHARD_NAME = re.compile(r"(?P<name>.+)-(?P<number>\d+)_p(?P<range>\d+)\.h5", re.DOTALL)
_META_FILE = re.compile(r"meta_(?P<split>.+)\.dat")
_META_LINE = re.compile(r"(?:.*[/\\])?(?P<file>[^/\\]+) (?P<examples>\d+)")


def is_utf8(name: str) -> bool:
    """Returns whether the name of a file, as Python reads it from a file system, is UTF-8; all names of ours are."""
    try:
        return name.isascii() or bool(name.encode())
    except UnicodeEncodeError:
        return False


def fold_name(number: int) -> str:
    """Name of a fold, from 0."""
    return f"fold_{number}"


def is_split_name(name: str) -> bool:
    """Whether a split can have this name."""
    return bool(SPLIT_NAME.fullmatch(name) or FOLD_NAME.fullmatch(name))


class ShardName(NamedTuple):
    """The parts of a shard's file name.

    Attributes:
        name: first part, `--name`.
        number: index of the shard in its split.
        range: index of the range of positions that the shard belongs to.
    """

    name: str
    number: int
    range: int

    def __str__(self) -> str:
        return f"{self.name}-{self.number}_p{self.range}.h5"


def parse_shard_name(path: str) -> ShardName | None:
    """Inverse of `str(ShardName)`, for a file name or a path; None if it does not name a shard."""
    match = _SHARD_NAME.fullmatch(path.rpartition("/")[2])
    return ShardName(match["name"], int(match["number"]), int(match["range"])) if match else None


def shard_path(split: str, file_name: str) -> str:
    """Path of a shard in its dataset."""
    return f"{split}/{file_name}"


def split_of(path: str) -> str:
    """Split of a shard, given its path in the dataset."""
    return path.partition("/")[0]


def is_shard_path(path: str) -> bool:
    """Whether a path has the form `<split>/<shard file>` and therefore cannot leave the dataset's folder."""
    split, _, file_name = path.rpartition("/")
    return split not in ("", ".", "..") and "/" not in split and parse_shard_name(file_name) is not None


def group_name(index: int | str) -> str:
    """Name of an example's group in its shard; the index may be a placeholder."""
    return f"example_{index}"


def row_name(index: int) -> str:
    """Name of an example, for messages, in a shard whose arrays have a row for each."""
    return f"row {index}"


def meta_file(split: str) -> str:
    """Name of the file that lists a split's shards."""
    return f"meta_{split}.dat"


def parse_meta_file(file_name: str) -> str | None:
    """Inverse of `meta_file`; None for another file."""
    match = _META_FILE.fullmatch(file_name)
    return match["split"] if match else None


def meta_line(path: str, examples: int) -> str:
    """A line of a meta file: the shard's path, beginning with the output folder as given, and its examples."""
    return f"{path} {examples}\n"


def parse_meta_line(line: str) -> tuple[str, int] | None:
    """File name of a shard and its number of examples; None if the line says something else.

    The folder is dropped: it may be a folder of another machine.
    """
    match = _META_LINE.fullmatch(line)
    return (match["file"], int(match["examples"])) if match else None


def staging_folder(key: str) -> str:
    """Path in the dataset of the folder in which runs with one key stage their shards."""
    return f"{STAGING}/{key}"


def staged_path(path: str, fingerprint: str) -> str:
    """Path in the staging folder of the shard that is to be published at `path`."""
    split, _, file_name = path.rpartition("/")
    return shard_path(split, f"{fingerprint[:_FINGERPRINT_DIGITS]}-{file_name}")


def parse_staged(file_name: str) -> str:
    """Inverse of `staged_path`, for the name of a file or of its record: the name of the shard in its split."""
    return file_name.removesuffix(".json").partition("-")[2]


def record_path(staged: str) -> str:
    """Path of the record beside a staged shard."""
    return f"{staged}.json"


def is_record(path: str) -> bool:
    """Whether a file in the staging folder is the record of a shard."""
    return path.endswith(record_path(".h5"))
