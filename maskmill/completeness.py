"""Checks that the files that a dataset lists are there with the right sizes, and that no other shards are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from maskmill.names import ATTEMPT, parse_shard_name

# What is said of a file that no dataset lists.
STRAY = "is not of this dataset"


def check_sizes(listed: Mapping[str, int | None], found: Mapping[str, int], where: str) -> Iterator[str]:
    """Finds files that are missing, have the wrong size, or are not listed.

    Args:
        listed: size in bytes of each listed file, by path in the dataset; None if the dataset does not say.
        found: size in bytes of each file that is there, by path in the dataset.
        where: file that lists them, for messages.

    Yields:
        one message for each problem.
    """
    yield from (f"{path}: {problem}" for path, problem in find_incomplete(listed, found))
    # People may leave files in the folder itself; attempts are ours.
    candidates = (path for path in found if "/" in path or path.endswith(ATTEMPT))
    for path in find_strays(candidates, listed):
        yield f"{path}: {STRAY}; {where} does not list it"


def find_incomplete(listed: Mapping[str, int | None], found: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Finds files that are missing or have the wrong size; yields path and problem. Arguments as of `check_sizes`."""
    for path, size in listed.items():
        if path not in found:
            yield path, "is missing"
        elif size not in (None, found[path]):
            yield path, f"has {found[path]:,} bytes instead of {size:,}"


def find_strays(present: Iterable[str], listed: Collection[str]) -> Iterator[str]:
    """Finds files that do not belong to a dataset, in order; foreign files with other names are ignored.

    Args:
        present: paths of the files that are there.
        listed: paths of the dataset's shards.
    """
    names = {_dataset_name(path) for path in listed}
    for path in sorted(set(present).difference(listed)):
        if path.endswith(ATTEMPT) or _dataset_name(path) in names - {None}:
            yield path


def _dataset_name(path: str) -> str | None:
    parsed = parse_shard_name(path)
    return parsed.name if parsed else None
