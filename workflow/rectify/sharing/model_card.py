"""A trained model's card: README.md as the hub reads it, its text and its check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from huggingface_hub import EvalResult, ModelCard, ModelCardData, metadata_load
from huggingface_hub.repocard_data import model_index_to_eval_results
from huggingface_hub.utils import HFValidationError, validate_repo_id

from rectify.statistics.accuracy import Cell
from rectify.step.errors import StepError, first_line

TASK = "text-generation"

LEARNS_FROM = {
    "sft": "its rows",
    "offline": "the base model's own graded answers to its questions",
    "online": "answers to its questions that were drawn and graded during training",
}

BODY = """
# {title}, seed {seed}

This is `{base_model}`{base_revision}, trained by rectify: run `{name}` of study '{study}'{start}.
rectify reproduces "On the Generalization of SFT: A Reinforcement Learning Perspective with Reward
Rectification" (DFT, [arXiv 2508.05629](https://arxiv.org/abs/2508.05629)).

Training data: `{dataset}`{dataset_revision}, {learns_from}.

A name without a slash is the study's own and on no hub.

## Scores

{scores}
{choice}
## Training

{training}

`manifest.json` (beside the folder where the model was trained: `{name}.manifest.json`) has the
hashes of this model, of what it was made from and of the code, all settings, and the packages'
versions.
"""

CHOICE = """
## Choice of the learning rate

This is the best of {count} models, trained by {method} with {count} learning rates. Taken is the
one with the highest average in percent on validation problems ({benchmarks}), over the training
seeds ({seeds}); none of the scores above is of these problems.

{table}
"""


def results_of(cells: dict[str, Cell], settings: dict[str, Any]) -> list[EvalResult]:
    """A model's entries of the model-index, one for each benchmark.

    One that is a data set of the hub goes by its id there and has a split; others have none.
    """
    return [
        EvalResult(
            task_type=TASK,
            dataset_type=benchmark["hub"] or benchmark["name"],
            dataset_name=benchmark["title"],
            dataset_config=benchmark["config"],
            dataset_split=benchmark["split"],
            dataset_revision=benchmark["revision"],
            metric_type="accuracy",
            metric_name=f"average@{cells[benchmark['name']].n_samples} at temperature "
            f"{settings['temperature']:g}, percent",
            metric_value=round(cells[benchmark["name"]].accuracy, 6),
        )
        for benchmark in settings["benchmarks"]
    ]


def metadata(
    run: dict[str, Any], cells: dict[str, Cell] | None, settings: dict[str, Any]
) -> ModelCardData:
    """The block at the head of a run's card."""
    trained_by = next(key for key in ("objective", "dpo", "grpo", "ppo") if key in run["training"])
    method = run["training"]["objective"] if trained_by == "objective" else trained_by
    return ModelCardData(
        base_model=run["base_model"],
        datasets=[settings["dataset"]],
        library_name="transformers",
        pipeline_tag=TASK,
        tags=["rectify", Path(method).name.replace(":", "-"), run["setting"]],
        metrics=["accuracy"] if cells else None,
        model_name=f"{Path(run['folder']).parent.name}-{Path(run['folder']).name}",
        eval_results=results_of(cells, settings) if cells else None,
    )


def score_lines(cells: dict[str, Cell] | None, settings: dict[str, Any]) -> str:
    """The scores as a Markdown table with their 95 % intervals, and what they are."""
    if not cells:
        return "This model was trained for a figure that needs none."
    titles = {b["name"]: b["title"] for b in settings["benchmarks"]} | {"mean": "Mean"}
    lines = ["| benchmark | problems | accuracy | 95 % interval |", "|---|---:|---:|---:|"]
    lines += [
        f"| {titles[name]} | {cell.n_problems} | {round(cell.accuracy, 6):.2f} | "
        f"{max(cell.low, 0.0):.2f} to {cell.high:.2f} |"
        for name, cell in cells.items()
    ]
    return (
        f"average@{cells['mean'].n_samples} in percent at temperature {settings['temperature']:g}, "
        "with its interval over problems, of this one training run.\n\n" + "\n".join(lines)
    )


def choice_lines(run: dict[str, Any], choice: pd.DataFrame | None) -> str:
    """The learning rates that a sweep's model was chosen among; nothing of a trained run."""
    if choice is None:
        return ""
    lines = ["| learning rate | accuracy | 95 % interval | |", "|---:|---:|---:|---|"]
    lines += [
        f"| {row.learning_rate:g} | {row.accuracy:.2f} | {row.low:.2f} to {row.high:.2f} | "
        f"{'chosen' if row.chosen else ''} |"
        for row in choice.itertuples()
    ]
    return CHOICE.format(
        count=len(choice),
        method=run["swept"],
        benchmarks=", ".join(run["chosen_on"]),
        seeds=choice["n_seeds"].iloc[0],
        table="\n".join(lines),
    )


def card_of(
    run: dict[str, Any],
    cells: dict[str, Cell] | None,
    settings: dict[str, Any],
    choice: pd.DataFrame | None = None,
) -> ModelCard:
    """A run's card; `cells` by benchmark and `mean`, None if the run was not scored; `choice` the
    table of learning rates of rectify choose_model, of the best of a sweep.
    """

    def at(revision: str | None) -> str:
        return f" at {revision}" if revision else ""

    training = dict(run["training"])
    if choice is not None:
        (training["learning_rate"],) = choice.loc[choice["chosen"], "learning_rate"]
    rows = [f"| {key.replace('_', ' ')} | `{value}` |" for key, value in training.items()]
    body = BODY.format(
        title=run["title"],
        seed=run["training"]["seed"],
        name=Path(run["folder"]).name,
        base_model=run["base_model"],
        base_revision=at(run["base_revision"]),
        study=settings["study"],
        start=f", from the model of run `{run['from']}` on" if run["from"] else "",
        learns_from=LEARNS_FROM[run["setting"]],
        dataset=settings["dataset"],
        dataset_revision=at(settings["dataset_revision"]),
        scores=score_lines(cells, settings),
        choice=choice_lines(run, choice),
        training="\n".join(["| setting | value |", "|---|---|", *rows]),
    )
    return ModelCard(f"---\n{metadata(run, cells, settings).to_yaml()}\n---\n{body}")


def check_card(file: Path) -> ModelCardData:
    """The metadata of a card; raises StepError unless huggingface_hub reads all of it.

    These are its checks that need no network: the hub has more, on upload.
    """
    try:
        block = metadata_load(file) or {}
        for name in [block["base_model"], *block["datasets"]]:
            validate_repo_id(name)
        if "model-index" in block:
            model_index_to_eval_results(block["model-index"])
        return ModelCard.load(file).data
    except FileNotFoundError as error:
        raise StepError(f"{file}: no such model card; finish the study (make reproduce)") from error
    except (HFValidationError, OSError, ValueError, KeyError, TypeError) as error:
        raise StepError(f"{file}: not a valid model card: {first_line(error)}") from error
