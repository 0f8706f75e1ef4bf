"""Blocks that say how a model is fine-tuned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from rectify.objectives.built_in import OBJECTIVES
from rectify.objectives.signature import (
    load_objective,
    required,
    takes_reference,
    weighs_rewards,
)
from rectify.step.blocks import Block, Positive, distinct
from rectify.study.rl import DPO, GRPO, PPO
from rectify.study.training import LearningRate

NAMES = [{"enum": list(OBJECTIVES)}, {"pattern": r"^.+\.py:[A-Za-z_]\w*$"}]
Objective = Annotated[str, Field(json_schema_extra={"anyOf": NAMES})]


class LearningRates(Block):
    """Another method at several learning rates, the best of which is taken."""

    of: str
    """the method; it is trained with each learning rate and each seed"""
    learning_rates: Annotated[list[LearningRate], Field(min_length=2), AfterValidator(distinct)]
    """peak learning rates of AdamW; the one whose models have the highest average over the
    benchmarks of `role: validation` is taken"""


# what each kind of method may learn from
SETTINGS_OF = {
    "objective": ("sft", "offline"),
    "dpo": ("offline",),
    "grpo": ("online",),
    "ppo": ("online",),
    "checkpoint": ("released",),
    "sweep": ("sft", "offline", "online"),
}
# keys that mean nothing to a kind of method that is not trained itself
OF_TRAINING = {
    "checkpoint": ("start", "parameters", "models", "seeds", "repeats", "training"),
    "sweep": ("start", "parameters", "repeats", "training"),
}


STEPS = {"objective": "train", "checkpoint": "fetch_model", "sweep": "choose_model"}


class Method(Block):
    """A way to fine-tune: an objective, or DPO, GRPO or PPO; or models that are trained already."""

    title: str
    """row heading in the tables"""
    objective: Objective | None = None
    """a name of config/objectives/README.md, or your own function: `path/to/file.py:function`"""
    parameters: dict[str, bool | int | float] = {}
    """arguments of the objective's function that differ from its defaults"""
    start: str | None = Field(None, alias="from")
    """method whose model, trained with the same seed from the same base model, the training starts
    from instead of the base model"""
    reference: str | None = None
    """method whose model, trained with the same seed from the same base model, is the objective's
    reference instead of the model that the training starts from"""
    dpo: DPO | None = None
    """direct preference optimisation instead; `{}` for its defaults"""
    grpo: GRPO | None = None
    """group relative policy optimisation instead"""
    ppo: PPO | None = None
    """proximal policy optimisation instead"""
    checkpoint: dict[str, str] | None = None
    """ready models instead, decoded and scored without a training: for each base model by its name
    a folder, or ORG/NAME@COMMIT on the Hugging Face hub"""
    sweep: LearningRates | None = None
    """another method at the best of several learning rates instead, its models chosen by problems
    that no table shows"""
    setting: Literal["sft", "offline", "online", "released"] = "sft"
    """what it learns from: the training rows (sft), the base model's own graded answers to their
    questions (offline), or answers drawn and graded during training (online); that of a
    `checkpoint` is released"""
    published: str | None = None
    """method of config/published.csv that it is, and its name in the tables' CSV, if not its own"""
    models: list[str] | None = None
    """models that it is applied to; all if not given"""
    seeds: Positive | None = None
    """how many of the study's training seeds, the first ones; all if not given"""
    repeats: Positive = 1
    """fine-tunings with each training seed, from the same base model but with another order of the
    rows: with two or more the tables' variance has the fine-tuning's part apart"""
    training: dict[str, Any] = {}
    """keys of `training` that differ for this method"""

    @property
    def step(self) -> str:
        """The step that makes its models: rectify train for an objective, fetch_model for ready
        ones, choose_model for those of a sweep, else that of its name.
        """
        kind = next(name for name in SETTINGS_OF if getattr(self, name))
        return STEPS.get(kind, kind)

    @property
    def trained(self) -> bool:
        """Whether it is a training of its own: no ready checkpoint, nor a choice among others."""
        return not (self.checkpoint or self.sweep)

    @property
    def weighs_rewards(self) -> bool:
        """Whether its objective takes the rows' rewards."""
        return bool(self.objective) and weighs_rewards(
            load_objective(self.objective, self.parameters)
        )

    @property
    def takes_behaviour(self) -> bool:
        """Whether its objective takes log-probabilities under whoever wrote the rows."""
        return bool(self.objective) and "behaviour_logp" in required(
            load_objective(self.objective, self.parameters)
        )

    @property
    def takes_reference(self) -> bool:
        """Whether its objective takes something of the reference."""
        return bool(self.objective) and takes_reference(
            load_objective(self.objective, self.parameters)
        )

    @model_validator(mode="before")
    @classmethod
    def _released(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("checkpoint") is not None:
            return {"setting": "released", **values}
        return values

    @model_validator(mode="after")
    def _one_kind(self) -> Method:
        kinds = [name for name in SETTINGS_OF if getattr(self, name) is not None]
        if len(kinds) != 1:
            found = ", ".join(kinds) or "none"
            raise ValueError(f"needs exactly one of {', '.join(SETTINGS_OF)}; has {found}")
        allowed = SETTINGS_OF[kinds[0]]
        if self.setting not in allowed:
            raise ValueError(f"setting: {kinds[0]} is {' or '.join(allowed)}, not {self.setting}")
        if self.checkpoint is not None and not self.checkpoint:
            raise ValueError("checkpoint: names no model")
        plain = Method.model_construct()  # all by default
        unused = OF_TRAINING.get(kinds[0], ())
        if given := [key for key in unused if getattr(self, key) != getattr(plain, key)]:
            key = Method.model_fields[given[0]].alias or given[0]
            raise ValueError(f"{key}: a {kinds[0]} is not trained; leave it out")
        if self.objective:
            load_objective(self.objective, self.parameters)
        if self.reference and not self.takes_reference:
            raise ValueError(
                f"reference: {self.objective or kinds[0]} takes no reference; leave it out"
            )
        return self


def place_of(checkpoint: str) -> tuple[str, str | None]:
    """Where a ready model is: (folder, None), or (id on the hub, its commit)."""
    if Path(checkpoint).is_dir() or "@" not in checkpoint:
        return checkpoint, None
    path, _, revision = checkpoint.rpartition("@")
    return path, revision
