"""Keeps the journal of a publishing: what the dataset consists of while its folder has no manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from maskmill.names import JOURNAL, STAGING, is_shard_path
from maskmill.pipeline.errors import UsageError
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import make_folder, read_bytes_if_there, write_whole
from maskmill.transforms.shards.records import StoredShard


class Journal(NamedTuple):
    """What a publishing writes down before it changes anything.

    Attributes:
        files: paths of all shards that the folder may hold meanwhile, sorted.
        key: name of the staging folder; "" if the dataset is being removed.
        shards: shards of the new dataset, by path.
        changes: what the run changes, as `changes.Changes` has it; None if that is not known.
    """

    files: tuple[str, ...]
    key: str = ""
    shards: Mapping[str, StoredShard] = {}
    changes: Mapping[str, Any] | None = None


def write_journal(root: str, journal: Journal) -> None:
    """Writes the journal of a publishing in a dataset's folder."""
    shards = {path: stored.to_json() for path, stored in journal.shards.items()}
    content = {"key": journal.key, "files": journal.files, "shards": shards, "changes": journal.changes}
    make_folder(join(root, STAGING))
    write_whole(join(root, JOURNAL), json.dumps(content).encode())


def read_journal(root: str) -> Journal | None:
    """Reads the journal of a publishing that was not finished; None if there is none.

    Raises:
        UsageError: it is damaged.
    """
    path = join(root, JOURNAL)
    text = read_bytes_if_there(path)
    if text is None:
        return None
    try:
        content: dict[str, Any] = json.loads(text)
        check_paths(content["files"])
        shards = parse_shards(content["shards"].items())
        return Journal(tuple(content["files"]), content["key"], shards, content.get("changes"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        advice = f"remove the folder {STAGING} and run the same command with --overwrite"
        raise UsageError(f"{path} is damaged; {advice}") from error


def parse_shards(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, StoredShard]:
    """Reads the entries of shards, as a manifest or a journal has them, by path.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: they are no such entries, or a path leads elsewhere.
    """
    shards = {path: StoredShard.from_json(entry) for path, entry in entries}
    check_paths(shards)
    return shards


def check_paths(paths: Iterable[str]) -> None:
    """Refuses paths outside the folder: listed files may be removed.

    Raises:
        ValueError: a path is not that of a shard.
    """
    if outside := [path for path in paths if not is_shard_path(path)]:
        raise ValueError(f"{outside[0]!r} is not the path of a shard")
