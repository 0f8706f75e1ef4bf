"""What an objective takes and where it is found: by name, or in a user's own file.

An objective's signature is its contract: the quantities of inputs.GIVEN that it names are what the
trainer must compute for it, every other argument is a parameter with a default (see
rectify.objectives.built_in).
"""

from __future__ import annotations

import importlib.util
import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rectify.objectives.built_in import OBJECTIVES
from rectify.objectives.inputs import GIVEN, MADE_OF, NEEDS_PARAMETER, REFERENCE
from rectify.objectives.rules.table import ANY, RULES
from rectify.step.errors import StepError, first_line
from rectify.step.manifest import note_input

if TYPE_CHECKING:
    from torch import Tensor

Parameter = bool | int | float


def objective_file(name: str) -> Path | None:
    """The file of an objective named `path/to/file.py:function`; None for a built-in name."""
    file, colon, _ = name.rpartition(":")
    return Path(file) if colon and name not in OBJECTIVES else None


def find_function(name: str) -> Callable:
    """The weight function of a name; raises StepError naming what is not there."""
    if name in OBJECTIVES:
        return OBJECTIVES[name]
    file = objective_file(name)
    if file is None:
        raise StepError(
            f"no objective '{name}'; there are {', '.join(OBJECTIVES)}; one of your own is named "
            "path/to/file.py:function"
        )
    if file.suffix != ".py" or not file.is_file():
        raise StepError(f"objective '{name}': no such Python file: {file}")
    note_input(file)
    spec = importlib.util.spec_from_file_location(f"objective_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a user's code: anything may happen in it, SystemExit too
        raise StepError(f"objective '{name}': {file} does not load: {first_line(error)}") from error
    found = getattr(module, name.rpartition(":")[2], None)
    if not inspect.isfunction(found):
        raise StepError(f"objective '{name}': no such function in {file}")
    return found


def required(objective: Callable) -> set[str]:
    """The quantities of GIVEN that an objective takes; a ratio to the reference needs ref_logp."""
    named = set(GIVEN) & set(inspect.signature(objective).parameters)
    return named | {MADE_OF[name] for name in named & set(MADE_OF)}


def weighs_rewards(objective: Callable) -> bool:
    """Whether an objective takes the rows' rewards."""
    return bool(required(objective) & {"reward", "batch_reward", "train_reward"})


def takes_reference(objective: Callable) -> bool:
    """Whether an objective takes something of the reference, or a KL from it."""
    return bool(required(objective) & set(REFERENCE) or parameters_of(objective).get("kl_weight"))


def parameters_of(objective: Callable) -> dict[str, Parameter | None]:
    """An objective's parameters and their values (its defaults, where none have been bound)."""
    arguments = inspect.signature(objective).parameters.values()
    return {a.name: a.default for a in arguments if a.name not in GIVEN}


def check_parameters(
    name: str, function: Callable, given: Mapping[str, Parameter]
) -> dict[str, Parameter]:
    """The parameters that a study sets, 32.0 as 32 where the default is whole.

    Raises StepError, naming the parameter, for one that can not be set as it is given.
    """
    parameters = parameters_of(function)
    for key, default in parameters.items():
        if default is inspect.Parameter.empty:
            raise StepError(
                f"objective '{name}': its argument '{key}' has no default and is none of what an "
                f"objective is given: {', '.join(GIVEN)}"
            )
    for named, one_of in NEEDS_PARAMETER:
        if (taken := required(function) & named) and not parameters.keys() & one_of:
            raise StepError(
                f"objective '{name}': it takes {min(taken)}, which needs a parameter "
                f"{' or '.join(sorted(one_of))} with a default"
            )
    found = dict(given)
    for key, value in given.items():
        if key not in parameters:
            known = f"there are {', '.join(parameters)}" if parameters else "it has none"
            raise StepError(f"objective '{name}': no parameter '{key}'; {known}")
        default = parameters[key]
        if isinstance(default, bool) != isinstance(value, bool):
            raise StepError(f"objective '{name}': parameter '{key}' can not be {value!r}")
        if not math.isfinite(value):
            raise StepError(
                f"objective '{name}': parameter '{key}' is {value}, not a finite number"
            )
        if type(default) is int:
            if value != int(value):
                raise StepError(
                    f"objective '{name}': parameter '{key}' is {value}, not a whole number"
                )
            found[key] = int(value)
        low, high = RULES[name].ranges.get(key, ANY) if name in RULES else ANY
        if not low <= value <= high:
            raise StepError(
                f"objective '{name}': parameter '{key}' is {value}, not in [{low:g}, {high:g}]"
            )
    check_together(name, {**parameters, **found})
    return found


def check_together(name: str, values: Mapping[str, Parameter | None]) -> None:
    """Raise StepError, naming them, for parameters that are well, but not with each other."""
    if {"low", "high"} <= values.keys() and values["low"] > values["high"]:
        raise StepError(
            f"objective '{name}': parameter 'low' is {values['low']}, above 'high', "
            f"{values['high']}"
        )
    if {"warmup", "transition"} <= values.keys() and values["warmup"] + values["transition"] > 1:
        raise StepError(
            f"objective '{name}': parameters 'warmup' and 'transition' are {values['warmup']} and "
            f"{values['transition']} of the training, more than all of it"
        )


def load_objective(name: str, parameters: Mapping[str, Parameter] = {}) -> Callable:
    """An objective with its parameters bound, by built-in name or `path/to/file.py:function`.

    The path is relative to the working folder. Raises StepError naming the file, function or
    argument that does not serve.
    """
    function = find_function(name)
    return partial(function, **check_parameters(name, function, parameters))


def weigh(objective: Callable, given: Mapping[str, Tensor]) -> Tensor:
    """A loaded objective's weights, [B, T], without gradient, from what there is of GIVEN.

    They are 0 off the mask, whatever the function makes of padding there. Raises StepError, naming
    the function, if it fails, or if a token whose logp is finite has a weight that is not.
    """
    named = {k: v for k, v in given.items() if k in inspect.signature(objective).parameters}
    try:
        weight = objective(**named).detach().expand_as(given["logp"])
    except Exception as error:  # a user's code: anything may happen in it
        what = f"{type(error).__name__}: {first_line(error)}"
        raise StepError(
            f"the objective's function {objective.func.__name__} fails: {what}"
        ) from error
    weight = weight.masked_fill(~given["mask"], 0)
    if (given["logp"].isfinite() & ~weight.isfinite()).any():
        raise StepError(
            f"the objective's function {objective.func.__name__} gives weights that are not finite"
        )
    return weight
