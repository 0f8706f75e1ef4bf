"""What an objective takes of a training row, beside its text: is it there?"""

from __future__ import annotations

import math
from collections.abc import Callable

from rectify.models.encoding import Example
from rectify.objectives.signature import required, weighs_rewards
from rectify.step.errors import StepError


def check_columns(name: str, objective: Callable, examples: list[Example]) -> None:
    """Raise StepError, naming the objective, unless every example has what it takes of a row."""
    if weighs_rewards(objective):
        without = sum(e.reward is None or not math.isfinite(e.reward) for e in examples)
        if without:
            raise StepError(
                f"objective '{name}' needs rewards, but {without} of {len(examples)} rows have "
                "none; name the field that holds them in data.reward, or learn from the model's "
                "own answers (setting: offline)"
            )
    if "behaviour_logp" in required(objective):
        without = sum("behaviour_logp" not in e.values for e in examples)
        if without:
            raise StepError(
                f"objective '{name}' needs behaviour_logp, but {without} of {len(examples)} rows "
                "have none; name the field that holds them in data.behaviour_logp"
            )
