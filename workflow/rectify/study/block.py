"""Types of values that the blocks of a study's YAML file share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def distinct(values: list[int]) -> list[int]:
    """The values; raises ValueError if one is there twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{values} names a value twice")
    return values


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+_]*(-[a-z0-9.+_]+)*$")]
Positive = Annotated[int, Field(gt=0)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(distinct)]
Share = Annotated[float, Field(ge=0, le=1)]
