"""What the choice of a learning rate is made of, as plain JSON: each one's models, and their scores
on the validation problems.
"""

from __future__ import annotations

from typing import Any

from rectify.jobs import paths
from rectify.jobs.runs import Run, all_runs, candidates_of, runs_of
from rectify.statistics.row_names import row_name
from rectify.study.schema import Study


def swept_runs(study: Study) -> list[Run]:
    """The runs that are the best of a sweep."""
    return [run for run in all_runs(study).values() if study.methods[run.method].sweep]


def choice_layout(study: Study, run: Run) -> dict[str, Any]:
    """What a sweep's run is chosen from, for `rectify choose_model --settings`: of each learning
    rate the model of the run's seed, and the scores of all seeds.
    """
    seeds = runs_of(study, run.model, [run.method])
    ending = paths.ENDINGS["validation"]
    scores = [
        {rate: paths.scores(study, run.model, own.name + ending) for rate, own in found.items()}
        for found in (candidates_of(study, seed) for seed in seeds)
    ]
    return {
        "scoring": study.scoring.model_dump(),
        "benchmarks": list(study.benchmarks_of("validation")),
        "learning_rates": [
            {
                "learning_rate": rate,
                "model": paths.model(study, run.model, own.name),
                "scores": [of_seed[rate] for of_seed in scores],
            }
            for rate, own in candidates_of(study, run).items()
        ],
    }


def choice_settings(study: Study, model: str, name: str) -> dict[str, Any]:
    """The same for a run by its name; raises KeyError if it is none of a sweep's."""
    return choice_layout(
        study, {(run.model, run.name): run for run in swept_runs(study)}[model, name]
    )


def rates_layout(study: Study) -> dict[str, Any]:
    """The sweeps of a study, each with its first model, in whose folder the choice is told, for
    `rectify tabulate_rates --settings`.
    """
    first: dict[tuple[str, str], Run] = {}
    for run in swept_runs(study):
        first.setdefault((run.model, run.method), run)
    return {
        "choices": [
            {
                "model": run.model,
                "model_title": study.models[run.model].title,
                "method": run.method,
                "method_title": row_name(own.title, own.setting),
                "folder": paths.model(study, run.model, run.name),
            }
            for run in first.values()
            for own in [study.methods[run.method]]
        ]
    }


def validated_scores(study: Study) -> list[str]:
    """The scores on the validation problems, each once."""
    layouts = [choice_layout(study, run) for run in swept_runs(study)]
    rates = [rate for layout in layouts for rate in layout["learning_rates"]]
    return list(dict.fromkeys(file for rate in rates for file in rate["scores"]))
