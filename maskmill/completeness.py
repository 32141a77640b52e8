"""Whether the files that a dataset lists are there, in their sizes, and no others of its kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from maskmill.names import ATTEMPT, parse_shard_file


def check_sizes(listed: Mapping[str, int | None], found: Mapping[str, int], where: str) -> Iterator[str]:
    """Looks for files that are missing, of another size, or too many.

    Args:
        listed: sizes in bytes of the files that a dataset lists, by path in it; None for one that nothing says.
        found: sizes of the files that are there, by path in the dataset.
        where: they are listed.

    Yields:
        what is wrong, one message each.
    """
    for path, size in listed.items():
        if path not in found:
            yield f"{path}: is missing"
        elif size not in (None, found[path]):
            yield f"{path}: has {found[path]:,} bytes instead of {size:,}"
    # In the folder itself anybody may leave files, but what ends like this we left.
    candidates = (path for path in found if "/" in path or path.endswith(ATTEMPT))
    for path in find_strays(candidates, listed):
        yield f"{path}: is not of this dataset; {where} does not list it"


def find_strays(present: Iterable[str], listed: Collection[str]) -> Iterator[str]:
    """Files that have no place in a dataset, in order.

    Files of other names than the dataset's own are somebody else's, and left out of account.

    Args:
        present: paths in the dataset.
        listed: paths of its shards.
    """
    names = {_dataset_name(path) for path in listed}
    for path in sorted(set(present).difference(listed)):
        if path.endswith(ATTEMPT) or _dataset_name(path) in names - {None}:
            yield path


def _dataset_name(path: str) -> str | None:
    parsed = parse_shard_file(path)
    return parsed.name if parsed else None
