"""What each table and figure of a study is made of: its rows, lines and files, as plain JSON.

Snakemake takes a layout's files as a job's inputs, and hands the layout to rectify.tabulate or
rectify.plot.
"""

from __future__ import annotations

from typing import Any

from rectify.runs import BASE, Run, runs_of
from rectify.study import Study


def results(study: Study) -> str:
    """The folder of a study's results."""
    return f"results/{study.study}"


def run_names(
    study: Study, model: str, method: str, seeds: list[int] | None = None, **overrides: Any
) -> list[str]:
    """The runs of a method, one for each seed; the base model is a single one."""
    if method == BASE:
        return [BASE]
    return [run.name for run in runs_of(study, model, [method], seeds, **overrides)]


def training_rows(study: Study, run: Run) -> str:
    """The rows that a run is trained on: the study's, or made of the model's own answers."""
    method, own = study.methods[run.method], f"{results(study)}/self/{run.model}"
    if method.setting == "online":
        return f"{results(study)}/data/questions.parquet"
    if method.setting == "offline":
        kind = "pairs" if method.dpo else "answers" if method.weighs_rewards else "correct"
        return f"{own}/{kind}.parquet"
    return f"{results(study)}/data/training.parquet"


def score_files(study: Study, model: str, names: list[str]) -> list[str]:
    """The score files of some runs of a model."""
    return [f"{results(study)}/scores/{model}/{name}.parquet" for name in names]


def method_titles(study: Study) -> dict[str, str]:
    """Every method's title, `base` among them, in the study's order."""
    return {BASE: "Base"} | {name: method.title for name, method in study.methods.items()}


def published_method(study: Study, method: str) -> str:
    """A method's name in the tables' CSV, and in config/published.csv."""
    return BASE if method == BASE else study.methods[method].published or method


def rl_training(study: Study, model: str, method: str) -> dict[str, Any] | None:
    """An RL method's model folders, which hold their logs, and what it is trained on; else None."""
    if method == BASE or study.methods[method].setting == "sft":
        return None
    own = runs_of(study, model, [method])
    folders = [f"{results(study)}/models/{model}/{run.name}" for run in own]
    return {"models": folders, "rows": training_rows(study, own[0])}


def table_layout(study: Study, name: str) -> dict[str, Any]:
    """A table's columns and rows, each row with its score files and, in RL, its training."""
    table = study.tables[name]
    rows = []
    for model in table.models or study.models:
        for method in study.methods_of(model, table.methods):
            rows.append(
                {
                    "model": model,
                    "model_title": study.models[model].title,
                    "published": study.models[model].published,
                    "method": published_method(study, method),
                    "method_title": method_titles(study)[method],
                    "setting": "-" if method == BASE else study.methods[method].setting,
                    "scores": score_files(study, model, run_names(study, model, method)),
                    "training": rl_training(study, model, method),
                }
            )
    benchmarks = [
        {"name": key, "title": value.title, "published": value.published}
        for key, value in study.benchmarks.items()
    ]
    return {
        "name": name,
        "caption": table.caption,
        "scoring": study.scoring.model_dump(),
        "benchmarks": benchmarks,
        "rows": rows,
    }


def figure1(study: Study) -> dict[str, Any]:
    """The base model's scores, and for each method those of its checkpoints and of its end."""
    figure = study.figures.figure1
    curves = []
    for method in figure.methods:
        names = run_names(study, figure.model, method, figure.seeds)
        along = [f"{name}-checkpoints" for name in names]
        curves.append(
            {
                "method": method,
                "checkpoints": score_files(study, figure.model, along),
                "final": score_files(study, figure.model, names),
                "model": f"{results(study)}/models/{figure.model}/{names[0]}",
            }
        )
    return {"base": score_files(study, figure.model, [BASE])[0], "curves": curves}


def figure2(study: Study) -> dict[str, Any]:
    """For each model and method, the histograms of its runs."""
    figure = study.figures.figure2
    histograms = []
    for model in figure.models or study.models:
        for method in study.methods_of(model, figure.methods):
            names = run_names(study, model, method, figure.seeds)
            files = [f"{results(study)}/histograms/{model}/{name}.parquet" for name in names]
            title = study.models[model].title
            histograms.append({"model": title, "method": method, "files": files})
    return {"histograms": histograms}


def figure3(study: Study) -> dict[str, Any]:
    """For each learning rate and batch size and each method, the scores of its runs."""
    figure = study.figures.figure3
    points = []
    for setting, value in figure.points():
        for method in figure.methods:
            names = run_names(study, figure.model, method, figure.seeds, **{setting: value})
            scores = score_files(study, figure.model, names)
            points.append({"method": method, "setting": setting, "value": value, "scores": scores})
    return {"points": points}


def monitors(study: Study) -> dict[str, Any]:
    """For each method, the model folders of its runs, which hold their logs."""
    figure = study.figures.monitors
    folder = f"{results(study)}/models/{figure.model}"
    curves = []
    for method in figure.methods:
        names = run_names(study, figure.model, method, figure.seeds)
        curves.append({"method": method, "models": [f"{folder}/{name}" for name in names]})
    return {"curves": curves}


def gallery(study: Study) -> dict[str, Any]:
    """For each method, its objective and the histograms of its runs; and the base model's."""
    figure = study.figures.gallery
    folder = f"{results(study)}/histograms/{figure.model}"
    objectives = []
    for method in figure.methods:
        names = run_names(study, figure.model, method, figure.seeds)
        objectives.append(
            {
                "method": method,
                "objective": study.methods[method].objective,
                "parameters": study.methods[method].parameters,
                "files": [f"{folder}/{name}.parquet" for name in names],
            }
        )
    return {"base": f"{folder}/{BASE}.parquet", "objectives": objectives}


FIGURES = {
    "figure1": figure1,
    "figure2": figure2,
    "figure3": figure3,
    "monitors": monitors,
    "gallery": gallery,
}


def figure_names(study: Study) -> list[str]:
    """The figures that a study has."""
    return [name for name, figure in study.figures if figure]


def figure_layout(study: Study, name: str) -> dict[str, Any]:
    """A figure's files, and how to name its lines and panels."""
    return {
        "methods": method_titles(study),
        "benchmarks": {key: value.title for key, value in study.benchmarks.items()},
        "samples": study.decoding.samples,
        "scoring": study.scoring.model_dump(),
        **FIGURES[name](study),
    }


def files_in(layout: Any) -> list[str]:
    """Every file or folder of results that a layout names."""
    if isinstance(layout, str):
        return [layout] if layout.startswith("results/") else []
    if isinstance(layout, dict):
        layout = list(layout.values())
    return [file for part in layout for file in files_in(part)] if isinstance(layout, list) else []
