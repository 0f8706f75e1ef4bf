"""What the YAML files that people write are read by: blocks of strict keys, their values' types,
errors in one line.
"""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


def distinct(values: list[Any]) -> list[Any]:
    """The values; raises ValueError if one is there twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{values} names a value twice")
    return values


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+_]*(-[a-z0-9.+_]+)*$")]
Positive = Annotated[int, Field(gt=0)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(distinct)]
Share = Annotated[float, Field(ge=0, le=1)]

GONE = {"data_parallel": "shards"}  # keys that there were, and those that do the same


class Block(BaseModel):
    """A block of keys; unknown ones are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True
    )


def describe(block: type[BaseModel], error: ValidationError) -> str:
    """The first of pydantic's findings in one line, with the known key nearest to a misspelt one.

    `block` is the class that was being read.
    """
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = known_keys(block, first["loc"][:-1])
        key = str(first["loc"][-1])
        close = difflib.get_close_matches(GONE.get(key, key), known, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
        return f"{path}: no such key; {hint}"
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (is {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{path}: {message}{shown}" if path else message


def known_keys(block: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys known at a path below `block`; a block that is one of several by its `kind` has
    that kind in the path.
    """
    schema = block.model_json_schema()
    node = schema
    for part in path:
        kinds = node.get("discriminator", {}).get("mapping", {})
        entries = node.get("items") or next(iter(node.get("patternProperties", {}).values()), {})
        node = node.get("properties", {}).get(part) or entries
        if part in kinds:
            node = {"$ref": kinds[part]}
        for option in [node, *node.get("anyOf", [])]:
            if "$ref" in option:
                node = schema["$defs"][option["$ref"].split("/")[-1]]
    return list(node.get("properties", {}))
