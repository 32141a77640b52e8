"""Seals and checks manifest.json, which maskmill writes last, and the lines of history.jsonl."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from maskmill.names import MANIFEST

_SEALED = re.compile(rb'(?P<content>.*),\n    "sha256": "(?P<sha256>[0-9a-f]{64})"(?P<end>\n}\n)', re.DOTALL)
_SEALED_LINE = re.compile(rb'(?P<content>.*), "sha256": "(?P<sha256>[0-9a-f]{64})"(?P<end>})')


def seal(content: Mapping[str, Any]) -> bytes:
    """Writes a manifest: its last key is the sha256 of everything before it, closed by a bracket."""
    return _seal(content, _to_json)


def unseal(text: bytes) -> dict[str, Any]:
    """Inverse of `seal`.

    Raises:
        ValueError: the text is not, to the byte, what `seal` wrote.
    """
    return _unseal(text, _SEALED)


def seal_line(content: Mapping[str, Any]) -> bytes:
    """Writes an object on one line, without its end: sealed as a manifest is."""
    return _seal(content, _to_line)


def unseal_line(line: bytes) -> dict[str, Any]:
    """Inverse of `seal_line`.

    Raises:
        ValueError: the line is not, to the byte, what `seal_line` wrote.
    """
    return _unseal(line, _SEALED_LINE)


def _seal(content: Mapping[str, Any], encode: Callable[[object], bytes]) -> bytes:
    unsealed = {key: value for key, value in content.items() if key != "sha256"}
    return encode({**unsealed, "sha256": hashlib.sha256(encode(unsealed)).hexdigest()})


def _unseal(text: bytes, sealed: re.Pattern[bytes]) -> dict[str, Any]:
    match = sealed.fullmatch(text)
    if match is None or hashlib.sha256(match["content"] + match["end"]).hexdigest() != match["sha256"].decode():
        raise ValueError("it was changed after it was written")
    content: dict[str, Any] = json.loads(text)
    return content


def check_sums(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Checks that sums in a manifest agree with their parts.

    Yields:
        one message for each contradiction.

    Raises:
        KeyError, TypeError, AttributeError: the content is not that of a manifest.
    """
    for name, split in manifest["splits"].items():
        for key in ("examples", "bytes", *(["images"] if "images" in split else [])):
            total = sum(shard[key] for shard in split["shards"])
            if split[key] != total:
                yield f"{MANIFEST}: {name} has {split[key]} {key}, its shards together {total}"
    rows = manifest["rows"]
    accounted = rows["in_examples"] + sum(rows["filtered"].values()) + rows["rejected"]
    if rows["read"] != accounted:
        yield f"{MANIFEST}: {rows['read']} rows were read, and {accounted} are in examples, filtered or rejected"


def _to_json(content: object) -> bytes:
    return (json.dumps(content, indent=4) + "\n").encode()


def _to_line(content: object) -> bytes:
    return json.dumps(content).encode()
