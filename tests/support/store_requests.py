"""What requests to a store are about, and batches of which one part fails."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Mapping

# What a run asks of a store, as regular expressions for a method and what `target_of` makes of a path.
CALLS = {
    "look for parameters": r"^GET .*params\.yaml",
    "read the CSV": r"^GET (?!.*prefix=).*train\.csv",
    "read an image": r"^GET (?!.*prefix=).*\.jpg",
    "list": r"^GET .*prefix=",
    "look for the lock": r"^GET .*out/\.lock",
    "take the lock": r"^(POST|PUT) .*out/\.lock$",
    "look for a record": r"^GET .*\.h5\.json",
    "upload a shard": r"^(POST|PUT) .*out/\.staging/.*\.h5$",
    "write a record": r"^(POST|PUT) .*\.h5\.json$",
    "copy a shard": r"^(POST|PUT) .* copy$",
    "delete": r"^POST .* delete$",
    "write a file of the dataset": r"^(POST|PUT) .*out/(meta_eval_input\.dat|data_params\.json|history\.jsonl)$",
    "write the manifest": r"^(POST|PUT) .*out/manifest\.json$",
}

BATCHES = r"^POST .* (copy|delete)$"

# Statuses of one part of a batch, and the codes that S3 has for them.
PART_KINDS = {"busy part": (503, "SlowDown"), "forbidden part": (403, "AccessDenied")}


def target_of(path: str, headers: Mapping[str, str], body: bytes) -> str:
    """The path of a request, decoded, and behind it what stands elsewhere: the object it makes, or what it does."""
    said = ""
    if path.startswith("/upload/") and (name := re.search(rb'"name": "((?:[^"\\]|\\.)*)"', body)):
        said = " " + name[1].decode("unicode_escape")
    elif "/copyTo/" in (text := body.decode("latin-1") if path.startswith("/batch") else ""):
        said = " copy"
    elif "\nDELETE " in text or path.endswith("?delete"):
        said = " delete"
    elif "x-amz-copy-source" in headers:
        said = " copy"
    return urllib.parse.unquote(path) + said


def astray(body: bytes) -> bytes:
    """A batch whose first part is about an object that nobody has."""
    if body.startswith(b"<"):
        return re.sub(rb"<Key>[^<]*</Key>", b"<Key>none</Key>", body, count=1)
    return re.sub(rb"(?m)^((?:POST|DELETE) \S+?/b/)[^/]+", rb"\1none", body, count=1)


def refuse_first(kind: str, body: bytes) -> Callable[[bytes], bytes]:
    """What makes of the answer to a batch, whose first part went astray, one in which that part has failed."""
    status, code = PART_KINDS[kind]
    if body.startswith(b"<"):
        key = re.search(rb"<Key>[^<]*</Key>", body)[0]
        error = b"<Error>%b<Code>%b</Code></Error></DeleteResult>" % (key, code.encode())
        return lambda answer: re.sub(rb"</DeleteResult>|<DeleteResult\s*/>", error, answer)
    return lambda answer: re.sub(rb"(HTTP/\S+) \d+ [^\r\n]*", rb"\1 %d Refused" % status, answer, count=1)
