"""What the keys of studies and claims look like from outside: JSON schemas, the key reference.

All of it is made from the classes of rectify.study and rectify.paper.claims_file;
`rectify study --schema` and `--keys` print it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, TypeAdapter


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
    """The schema of studies for editors, as workflow/schemas/study.schema.json holds it."""
    return as_draft(for_overrides(study.model_json_schema()))


def claims_schema(claim: type[BaseModel]) -> str:
    """The schema of files of claims, as workflow/schemas/claims.schema.json holds it."""
    return as_draft(TypeAdapter(list[claim]).json_schema())


def as_draft(schema: dict[str, Any]) -> str:
    """A schema as a JSON file that says what it is written in."""
    return (
        json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", **schema}, indent=2)
        + "\n"
    )


def keys_markdown(blocks: list[type[BaseModel]]) -> str:
    """Every key with its default and meaning, block by block, as config/README.md holds them."""
    lines = []
    for block in blocks:
        what = " ".join(block.__doc__.partition("\n\n")[0].split())
        lines += [f"\n### {block.__name__}\n", f"{what}\n"]
        lines += ["| key | default | meaning |", "|---|---|---|"]
        for key, field in block.model_fields.items():
            default = "required" if field.is_required() else f"`{show(field.get_default())}`"
            lines.append(
                f"| `{field.alias or key}` | {default} | {' '.join(field.description.split())} |"
            )
    return "\n".join(lines).strip() + "\n"


def show(value: Any) -> str:
    """A default as YAML would have it."""
    if isinstance(value, BaseModel):
        return "see below"
    return json.dumps(value)
