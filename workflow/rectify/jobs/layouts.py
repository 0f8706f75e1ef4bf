"""What each table, figure and page of a study is made of: its rows, lines and files, as plain JSON.

Snakemake takes a layout's files as a job's inputs, and hands the layout to rectify tabulate_scores,
rectify plot_figure, rectify summarise_scores, rectify judge_claims or rectify render_report.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rectify.jobs import paths
from rectify.jobs.runs import (
    BASE,
    base_names,
    repeats_of,
    runs_of,
)
from rectify.study.schema import Study


def run_names(
    study: Study, model: str, method: str, seeds: list[int] | None = None, **overrides: Any
) -> list[str]:
    """The first runs of a method, or the base models, one for each seed."""
    if method == BASE:
        return base_names(study, model, seeds)
    return [run.name for run in runs_of(study, model, [method], seeds, **overrides)]


def row_runs(study: Study, model: str, method: str) -> list[str]:
    """The runs behind a table's row: those of every seed with their repeats, or the base models."""
    if method == BASE:
        return base_names(study, model)
    return [run.name for run in repeats_of(study, runs_of(study, model, [method]))]


def method_titles(study: Study) -> dict[str, str]:
    """Every method's title, `base` among them, in the study's order."""
    return {BASE: "Base"} | {name: method.title for name, method in study.methods.items()}


def published_method(study: Study, method: str) -> str:
    """A method's name in the tables' CSV, and in config/published.csv."""
    return BASE if method == BASE else study.methods[method].published or method


def rl_training(study: Study, model: str, method: str) -> dict[str, Any] | None:
    """An RL method's model folders, which hold their logs, and what they learn from; else None."""
    if method == BASE or study.methods[method].setting in ("sft", "released"):
        return None
    own = repeats_of(study, runs_of(study, model, [method]))
    folders = [paths.model(study, model, run.name) for run in own]
    return {"models": folders, "rows": [paths.training_rows(study, run) for run in own]}


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
                    "scores": paths.score_files(study, model, row_runs(study, model, method)),
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


def overlap_layout(study: Study) -> dict[str, Any]:
    """Every row of the study's tables once, for its cells without the overlapping problems."""
    models = list(study.models)
    rows = sorted(shown_rows(study), key=lambda row: models.index(row["model"]))
    table = table_layout(study, next(iter(study.tables)))
    return {key: table[key] for key in ("scoring", "benchmarks")} | {"rows": rows}


def figure1(study: Study) -> dict[str, Any]:
    """The base models' scores, and for each method those of its checkpoints and of its end."""
    figure = study.figures.figure1
    curves = []
    for method in figure.methods:
        names = run_names(study, figure.model, method, figure.seeds)
        along = [f"{name}-checkpoints" for name in names]
        curves.append(
            {
                "method": method,
                "checkpoints": paths.score_files(study, figure.model, along),
                "final": paths.score_files(study, figure.model, names),
                "model": paths.model(study, figure.model, names[0]),
            }
        )
    base = paths.score_files(study, figure.model, base_names(study, figure.model, figure.seeds))
    return {"base": base, "curves": curves}


def figure2(study: Study) -> dict[str, Any]:
    """For each model and method, the histograms of its runs."""
    figure = study.figures.figure2
    histograms = []
    for model in figure.models or study.models:
        for method in study.methods_of(model, figure.methods):
            names = run_names(study, model, method, figure.seeds)
            files = [paths.histogram(study, model, name) for name in names]
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
            scores = paths.score_files(study, figure.model, names)
            points.append({"method": method, "setting": setting, "value": value, "scores": scores})
    return {"points": points}


def monitors(study: Study) -> dict[str, Any]:
    """For each method, the model folders of its runs, which hold their logs."""
    figure = study.figures.monitors
    curves = []
    for method in figure.methods:
        names = run_names(study, figure.model, method, figure.seeds)
        curves.append(
            {"method": method, "models": [paths.model(study, figure.model, name) for name in names]}
        )
    return {"curves": curves}


def gallery(study: Study) -> dict[str, Any]:
    """For each method, its objective and the histograms of its runs; and the base models'."""
    figure = study.figures.gallery
    objectives = []
    for method in figure.methods:
        names = run_names(study, figure.model, method, figure.seeds)
        objectives.append(
            {
                "method": method,
                "objective": study.methods[method].objective,
                "parameters": study.methods[method].parameters,
                "files": [paths.histogram(study, figure.model, name) for name in names],
            }
        )
    base = base_names(study, figure.model, figure.seeds)
    return {
        "base": [paths.histogram(study, figure.model, name) for name in base],
        "objectives": objectives,
    }


def findings(study: Study) -> dict[str, Any]:
    """For each model and training seed the scores of base, SFT and DFT, and their histograms."""
    figure, repetitions = study.figures.findings, []
    for model in figure.models or study.models:
        for seed in figure.seeds or study.seeds:
            methods = {}
            for method in (BASE, *figure.methods):
                (name,) = run_names(study, model, method, [seed])
                methods[method] = {"scores": paths.score_files(study, model, [name])[0]}
                if method != BASE:
                    histogram = paths.histogram(study, model, name)
                    methods[method]["histogram"] = histogram
            title = study.models[model].title
            repetitions.append({"model": title, "seed": seed, "methods": methods})
    return {"hardest": figure.hardest, "repetitions": repetitions}


FIGURES = {
    "figure1": figure1,
    "figure2": figure2,
    "figure3": figure3,
    "monitors": monitors,
    "gallery": gallery,
    "findings": findings,
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


def scores_shown(study: Study) -> list[str]:
    """The scores behind a study's tables and figures."""
    shown = [table_layout(study, name) for name in study.tables]
    shown += [figure_layout(study, name) for name in figure_names(study)]
    folder = paths.score_folder(study)
    return sorted({file for file in files_in(shown) if file.startswith(folder)})


def scores_tabled(study: Study) -> list[str]:
    """The scores behind a study's tables."""
    rows = [row for name in study.tables for row in table_layout(study, name)["rows"]]
    return sorted({file for row in rows for file in row["scores"]})


def summary_layout(study: Study) -> dict[str, Any]:
    """The study's tables, each with its rows and their score files."""
    return {"tables": [table_layout(study, name) for name in study.tables]}


def shown_rows(study: Study) -> list[dict[str, Any]]:
    """Every row of the study's tables, once."""
    rows = [row for table in summary_layout(study)["tables"] for row in table["rows"]]
    return list({(row["model"], row["method"], row["setting"]): row for row in rows}.values())


def claims_layout(study: Study) -> dict[str, Any]:
    """What the study's claims are judged on: scores, figures' points and their training seeds."""
    own = {name: study.seeds[: method.seeds] for name, method in study.methods.items()}
    return {
        "scoring": study.scoring.model_dump(),
        "benchmarks": list(study.benchmarks),
        "rows": [{**row, "training": None} for row in shown_rows(study)],
        "figures": {name: paths.figure(study, name) for name in figure_names(study)},
        "seeds": {name: {key: len(figure.seeds or own[key]) for key in figure.methods if key in own}
                  for name, figure in study.figures if figure},
    }  # fmt: skip


STATISTICS = ("comparisons", "variance", "statuses")


def report_layout(study: Study) -> dict[str, Any]:
    """All that the report shows. A table's row has its samples from one training seed, the first.

    `problems` are the benchmarks' files; `statistics` those of rectify summarise_scores; `claims`
    is the verdicts' file, None if the study has no claims.
    """
    tables = summary_layout(study)["tables"]
    for row in (rows := shown_rows(study)):
        name = Path(row["scores"][0]).stem
        samples = paths.sample_files(study, row["model"], name)
        row |= {"scores": row["scores"][0], "samples": samples, "training": None}
    for table in tables:
        table["rows"] = [{**row, "scores": None} for row in table["rows"]]
        table["csv"] = paths.table(study, table["name"])
    return {
        "study": study.study,
        "scoring": study.scoring.model_dump(),
        "claims": paths.claims(study) if study.claims else None,
        "tables": tables,
        "figures": {name: paths.figure(study, name, "png") for name in figure_names(study)},
        "statistics": {name: paths.statistics(study, name) for name in STATISTICS if study.tables},
        "disagreements": paths.table(study, "disagreements") if study.tables else None,
        "contamination": {
            "cells": paths.table(study, "contamination"),
            "pairs": paths.overlaps(study),
        }
        if study.tables
        else {},
        "problems": paths.benchmark_files(study),
        "rows": rows,
    }


def files_in(layout: Any) -> list[str]:
    """Every file or folder of results that a layout names."""
    if isinstance(layout, str):
        return [layout] if layout.startswith("results/") else []
    if isinstance(layout, dict):
        layout = list(layout.values())
    return [file for part in layout for file in files_in(part)] if isinstance(layout, list) else []
