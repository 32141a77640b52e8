"""Finds the command that mends a damaged dataset, in what the dataset says of the command that made it."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from typing import Any

from maskmill.manifest import unseal
from maskmill.names import DATA_PARAMS, MANIFEST
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.params import data_params
from maskmill.pipeline.job.params_file import read_params
from maskmill.pipeline.messages.this_program import this_program
from maskmill.transforms.files.paths import absolute, join
from maskmill.transforms.files.read_write import read_bytes

_LAYOUT = ("name", "num_output_files", "num_processes")


def mend_command(directory: str) -> str | None:
    """Returns the shell command that writes damaged files again.

    Args:
        directory: folder of the dataset, as given.

    Returns:
        the command; None if the dataset does not say it, because data_params.json is damaged too, or if its parameters
        were in no file, or the file is not here, or says something else by now.
    """
    root = absolute(directory)
    try:
        manifest = unseal(read_bytes(join(root, MANIFEST)))
        content = _read_data_params(root, manifest)
        arguments = content["input_args"]
        if not _is_unchanged(arguments, content, manifest["splits"]):
            return None
        rejected = sum(manifest["rejected"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError):
        return None
    # The files beside the shards name the folder as it was given, if it is still the same.
    output_dir = arguments["output_dir"] if absolute(arguments["output_dir"]) == root else directory
    words = ["create", "--params", arguments["params"], "--output_dir", output_dir]
    words += [word for name in _LAYOUT for word in (f"--{name}", str(arguments[name]))]
    words += ["--max_rejected", str(rejected)] if rejected else []
    return f"{this_program()} {shlex.join([*words, '--verify'])}"


def _read_data_params(root: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    text = read_bytes(join(root, DATA_PARAMS))
    if hashlib.sha256(text).hexdigest() != manifest["files"][DATA_PARAMS]["sha256"]:
        raise ValueError(f"{DATA_PARAMS} has changed")
    content: dict[str, Any] = json.loads(text)
    return content


def _is_unchanged(arguments: Mapping[str, Any], content: Mapping[str, Any], splits: Mapping[str, Any]) -> bool:
    """Whether the parameter file still says what the dataset was made of; a path may lead to another file by now."""
    if arguments["params"] is None:  # a program gave them
        return False
    written = {key: value for key, value in content.items() if key not in {f"{split}_hdf" for split in splits}}
    now = data_params(read_params(arguments["params"]), dict(arguments))
    return bool(json.loads(json.dumps(now)) == written)
