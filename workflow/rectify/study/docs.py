"""What a study's keys look like from outside: the JSON schema, the key reference, error lines.

All of it is made from the classes of rectify.study; `rectify study --schema` and
`--keys` print it.
"""

from __future__ import annotations

import difflib
import json
from typing import Any

from pydantic import BaseModel, ValidationError


def describe(block: type[BaseModel], error: ValidationError) -> str:
    """The first of pydantic's findings in one line, with the known key nearest to a misspelt one.

    `block` is the class that was being read.
    """
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = known_keys(block, first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
        return f"{path}: no such key; {hint}"
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (is {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{path}: {message}{shown}" if path else message


def known_keys(block: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys known at a path below `block`."""
    schema = block.model_json_schema()
    node = schema
    for part in path:
        named = node.get("properties", {}).get(part)
        node = named or next(iter(node.get("patternProperties", {}).values()), {})
        for option in [node, *node.get("anyOf", [])]:
            if "$ref" in option:
                node = schema["$defs"][option["$ref"].split("/")[-1]]
    return list(node.get("properties", {}))


def for_overrides(schema: Any) -> Any:
    """A schema of studies that extend another: any key may be left out, null removes an entry."""
    if isinstance(schema, list):
        return [for_overrides(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    relaxed = {key: for_overrides(value) for key, value in schema.items() if key != "required"}
    if entries := relaxed.get("patternProperties"):
        null = {"type": "null"}
        relaxed["patternProperties"] = {k: {"anyOf": [v, null]} for k, v in entries.items()}
    return relaxed


def json_schema(study: type[BaseModel]) -> str:
    """The schema for editors, as workflow/schemas/study.schema.json holds it."""
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **study.model_json_schema()}
    return json.dumps(for_overrides(schema), indent=2) + "\n"


def keys_markdown(blocks: list[type[BaseModel]]) -> str:
    """Every key with its default and meaning, block by block, as config/README.md holds them."""
    lines = []
    for block in blocks:
        lines += [f"\n### {block.__name__}\n", f"{block.__doc__.splitlines()[0]}\n"]
        lines += ["| key | default | meaning |", "|---|---|---|"]
        for key, field in block.model_fields.items():
            default = "required" if field.is_required() else f"`{show(field.get_default())}`"
            lines.append(f"| `{key}` | {default} | {' '.join(field.description.split())} |")
    return "\n".join(lines).strip() + "\n"


def show(value: Any) -> str:
    """A default as YAML would have it."""
    if isinstance(value, BaseModel):
        return "see below"
    return json.dumps(value)
