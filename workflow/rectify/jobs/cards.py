"""What the models' cards say, but for their scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rectify.jobs import layouts, paths
from rectify.jobs.runs import Run, all_runs, candidates_of, start_of
from rectify.jobs.settings import run_settings
from rectify.study.rows import Benchmark
from rectify.study.schema import Study


def on_hub(path: str | None) -> str | None:
    """A model's or data set's id on the hub; None for a folder, or for none."""
    return None if path is None or Path(path).is_dir() else path


SAID = (
    "objective", "parameters", "dpo", "grpo", "ppo", "seed", "prompt", "learning_rate", "schedule",
    "warmup_ratio", "weight_decay", "batch_size", "steps", "epochs", "max_length", "precision",
    "lora",
)  # fmt: skip


def card_layout(study: Study) -> dict[str, Any]:
    """What the cards of all models that are made here say, but for their scores, for `rectify
    write_cards`: of the trained ones and of the best of each sweep.

    Of a run's settings for training those in SAID. The hub knows a model and a data set by an id of
    its own; what comes from elsewhere has none and goes by its name in the study.
    """
    data = study.data
    return {
        "study": study.study,
        "dataset": on_hub(data.hub) or f"{study.study}-training",
        "dataset_revision": data.revision,
        "temperature": study.decoding.temperature,
        "scoring": study.scoring.model_dump(),
        "benchmarks": [
            {"name": name, "title": benchmark.title, **hub_place(benchmark)}
            for name, benchmark in study.benchmarks_of("test").items()
        ],
        "runs": card_runs(study),
    }


def hub_place(benchmark: Benchmark) -> dict[str, Any]:
    """The data set of the hub that a benchmark is: its id, configuration, split and commit. All
    None of one that comes from elsewhere, and of a part of a split, whose scores are not the
    whole's.
    """
    whole = on_hub(benchmark.hub) and not (benchmark.rows or benchmark.only)
    keys = {"hub": "hub", "config": "name", "split": "split", "revision": "revision"}
    return {ours: getattr(benchmark, key) if whole else None for ours, key in keys.items()}


def card_runs(study: Study) -> list[dict[str, Any]]:
    """The models that have a card: folder, base model, training and scores of each; of the best of
    a sweep the training but for its learning rate, which the folder's choice.csv tells.
    """
    scored, found = set(layouts.scores_shown(study)), []
    for run in all_runs(study).values():
        model, method = study.models[run.model], study.methods[run.method]
        if method.checkpoint:
            continue
        trained = next(iter(candidates_of(study, run).values()), run)
        own, start = run_settings(study, trained), start_of(study, trained)
        scores = paths.score_files(study, run.model, [run.name])[0]
        found.append(
            {
                "folder": paths.model(study, run.model, run.name),
                "title": f"{model.title} {method.title}",
                "base_model": on_hub(model.path) or run.model,
                "base_revision": model.revision,
                "from": start.name if start else None,
                "setting": study.methods[trained.method].setting,
                "training": {key: own[key] for key in SAID if own.get(key) not in (None, {})},
                "swept": study.methods[trained.method].title if method.sweep else None,
                "chosen_on": chosen_on(study, run),
                "scores": scores if scores in scored else None,
            }
        )
    return found


def chosen_on(study: Study, run: Run) -> list[str]:
    """The titles of the benchmarks by which a run's learning rate is chosen; none of a trained
    run.
    """
    if not study.methods[run.method].sweep:
        return []
    return [benchmark.title for benchmark in study.benchmarks_of("validation").values()]
