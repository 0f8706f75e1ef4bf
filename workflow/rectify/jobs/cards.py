"""What the models' cards say, but for their scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rectify.jobs import layouts, paths
from rectify.jobs.runs import start_of, trained_runs
from rectify.jobs.settings import run_settings
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
    """What the cards of all trained models say, but for their scores, for `rectify write_cards`.

    Of a run's settings for training those in SAID. The hub knows a model and a data set by an id of
    its own; what comes from elsewhere has none and goes by its name in the study.
    """
    scored, data = set(layouts.scores_shown(study)), study.data
    runs = []
    for run in trained_runs(study).values():
        model, method = study.models[run.model], study.methods[run.method]
        own = run_settings(study, run)
        scores = paths.score_files(study, run.model, [run.name])[0]
        runs.append(
            {
                "folder": paths.model(study, run.model, run.name),
                "title": f"{model.title} {method.title}",
                "base_model": on_hub(model.path) or run.model,
                "base_revision": model.revision,
                "from": start.name if (start := start_of(study, run)) else None,
                "setting": method.setting,
                "training": {key: own[key] for key in SAID if own.get(key) not in (None, {})},
                "scores": scores if scores in scored else None,
            }
        )
    return {
        "study": study.study,
        "dataset": on_hub(data.hub) or f"{study.study}-training",
        "dataset_revision": data.revision,
        "temperature": study.decoding.temperature,
        "scoring": study.scoring.model_dump(),
        "benchmarks": [
            {"name": name, "title": benchmark.title, "revision": benchmark.revision}
            for name, benchmark in study.benchmarks_of("test").items()
        ],
        "runs": runs,
    }
