"""Writes the tables of parameters.md, from the models that check a parameter file.

python docs/write_parameters.py
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from maskmill.pipeline.job.section_models import CropsParams, MaskmillParams, RunsParams, SplitParams

PAGE = Path(__file__).with_name("parameters.md")


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Reads the attributes in the docstring of a model."""
    # getdoc removes the indentation, which Python 3.13 no longer keeps in __doc__.
    text = (inspect.getdoc(model) or "").split("Attributes:\n", 1)[1].split("\n\n")[0]
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", text, re.MULTILINE)
    return {name: " ".join(meaning.split()).rstrip(".") for name, meaning in found}


def table(model: type[BaseModel]) -> str:
    """Writes a table with a row for each key that has an effect here."""
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, meaning in meanings(model).items():
        field = model.model_fields[name]
        value = (field.description or "").removeprefix("give ").replace("|", "\\|")
        rows.append(f"| `{name}` | {value} | {_default(field)} | {meaning[0].lower()}{meaning[1:]} |")
    return "\n".join(rows)


def passed(model: type[BaseModel]) -> str:
    """Lists the keys without an effect here."""
    return ", ".join(f"`{name}`" for name in model.model_fields if name not in meanings(model)) + "."


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def updated(text: str) -> str:
    """Returns the page with its tables rewritten."""
    parts = {
        "SplitParams": table(SplitParams),
        "passed": passed(SplitParams),
        "MaskmillParams": table(MaskmillParams),
        "RunsParams": table(RunsParams),
        "CropsParams": table(CropsParams),
    }
    for name, content in parts.items():
        text = re.sub(
            f"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda m, c=content: f"{m[1]}{c}\n{m[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
