"""A study's claims as they are written down: read and checked without what judges them.

A file is a YAML list of claims. Snakemake checks them at its start, where rectify.paper.evidence,
which has a function for each kind of test, would cost a second: it imports scipy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import ConfigDict, Field, ValidationError

from rectify.step.blocks import Block, describe
from rectify.step.errors import StepError, first_line

Names = Annotated[list[str], Field(min_length=1)]


class Written(Block):
    """A block whose values are of the types that it names: no text for a number."""

    model_config = ConfigDict(strict=True)


class Higher(Written):
    """Tables: a row is above another, for every model and benchmark named."""

    kind: Literal["higher"]
    """this test"""
    models: Names
    """models, by their names in the study"""
    method: str
    """the row: its method, with the setting where that is not `sft` (`dft offline`)"""
    than: str
    """the row that it is above"""
    benchmarks: Names
    """benchmarks, by their names in the study, or `mean`"""


class PeaksBy(Written):
    """Figure 1: a method's best by a step is above its best later, as a mean over benchmarks."""

    kind: Literal["peaks_by"]
    """this test"""
    method: str
    """the method"""
    step: int
    """the last optimiser step by which it is at its best"""


class PassesBest(Written):
    """Figure 1: by a step a method's mean is above the best of another's at any step."""

    kind: Literal["passes_best"]
    """this test"""
    method: str
    """the method"""
    than: str
    """the method whose best it passes"""
    step: int
    """the last optimiser step by which it does"""


class ShiftedUp(Written):
    """Figure 2: below every bin's edge a method has fewer tokens than another."""

    kind: Literal["shifted_up"]
    """this test"""
    models: Names
    """models, by their names in the study"""
    method: str
    """the method; `base` is the model before training"""
    than: str
    """the method that has more tokens below"""


class Polarised(Written):
    """Figure 2: a method has more tokens than another in the lowest bin and in the highest."""

    kind: Literal["polarised"]
    """this test"""
    models: Names
    """models, by their names in the study"""
    method: str
    """the method"""
    than: str
    """the method that has fewer there; `base` is the model before training"""


class HigherAt(Written):
    """Figure 3: a method's mean is above another's at each of some values of a setting."""

    kind: Literal["higher_at"]
    """this test"""
    setting: str
    """`learning_rate` or `batch_size`"""
    values: Annotated[list[float], Field(min_length=1)]
    """values of the setting"""
    method: str
    """the method"""
    than: str
    """the method that it is above"""


class Kept(Written):
    """Retention: a row has lost less than a margin of the base model's accuracy."""

    kind: Literal["kept"]
    """this test"""
    models: Names
    """models, by their names in the study"""
    method: str
    """the row: its method, with the setting where that is not `sft` (`dft offline`)"""
    benchmarks: Names
    """benchmarks of `role: retention`, by their names in the study, or `mean` of them"""
    margin: Annotated[float, Field(ge=0)]
    """percentage points"""


class Closer(Written):
    """Retention: a row's models are closer to the base models than another's, by KL per token."""

    kind: Literal["closer"]
    """this test"""
    models: Names
    """models, by their names in the study"""
    method: str
    """the row: its method, with the setting where that is not `sft` (`dft offline`)"""
    than: str
    """the row whose models are further away"""


Test = Annotated[
    Higher | PeaksBy | PassesBest | ShiftedUp | Polarised | HigherAt | Kept | Closer,
    Field(discriminator="kind"),
]


class Claim(Written):
    """A claim of the paper, and what has to hold for it."""

    id: str
    """its name, of which there is one in a file"""
    sentence: str
    """what it says"""
    where: str
    """the table or figure of the paper that it is about"""
    tests: Annotated[list[Test], Field(min_length=1)]
    """the tests, all of which must hold"""


def read_claims(path: Path) -> list[Claim]:
    """The claims of a YAML file; raises StepError naming the claim and the key at fault."""
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StepError(f"{path}: cannot be read as YAML: {first_line(error)}") from error
    if not isinstance(written, list):
        keys = ", ".join(Claim.model_fields)
        raise StepError(f"{path}: not a list of claims; each is an item with {keys}")
    claims: dict[str, Claim] = {}
    for number, each in enumerate(written, start=1):
        try:
            claim = Claim.model_validate(each)
        except ValidationError as error:
            known = isinstance(each, dict) and "id" in each
            name = f" ({' '.join(str(each['id']).split())})" if known else ""
            raise StepError(f"{path}: claim {number}{name}: {describe(Claim, error)}") from error
        if claim.id in claims:
            raise StepError(f"{path}: two claims have the id '{claim.id}'; rename one")
        claims[claim.id] = claim
    return list(claims.values())
