"""What each table, figure and page of a study is made of: its rows, lines and files, as plain JSON.

Snakemake takes a layout's files as a job's inputs, and hands the layout to rectify tabulate_scores,
rectify plot_figure, rectify summarise_scores, rectify judge_claims or rectify render_report.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rectify.jobs import paths
from rectify.jobs.runs import (
    BASE,
    Run,
    base_names,
    repeats_of,
    runs_of,
    seeds_of,
    taught_models,
)
from rectify.jobs.sweeps import swept_runs
from rectify.paper.figure import figures
from rectify.study.schema import Study


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


def swept_method(study: Study, method: str) -> str | None:
    """Of a sweep, the name in the tables' CSV of the method that is swept; else None."""
    sweep = study.methods[method].sweep if method in study.methods else None
    return published_method(study, sweep.of) if sweep else None


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
                    "swept": swept_method(study, method),
                    "setting": "-" if method == BASE else study.methods[method].setting,
                    "scores": paths.score_files(study, model, row_runs(study, model, method)),
                    "training": rl_training(study, model, method),
                }
            )
    benchmarks = [
        {"name": key, "title": value.title, "published": value.published}
        for key, value in study.benchmarks_of("test").items()
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


def health_layout(study: Study) -> dict[str, Any]:
    """The same rows, for how their answers are: what they were trained on is not asked."""
    layout = overlap_layout(study)
    return layout | {"rows": [{**row, "training": None} for row in layout["rows"]]}


@dataclass(frozen=True)
class Results:
    """Where the results of a study's runs lie, as the figures' layouts ask for them."""

    study: Study

    def runs(
        self, model: str, method: str, seeds: list[int] | None = None, **overrides: Any
    ) -> list[str]:
        """The first runs of a method, or the base models, one for each seed."""
        if method == BASE:
            return base_names(self.study, model, seeds)
        return [run.name for run in runs_of(self.study, model, [method], seeds, **overrides)]

    def models(self, model: str, runs: list[str]) -> list[str]:
        """The runs' model folders."""
        return [paths.model(self.study, model, run) for run in runs]

    def scores(self, model: str, runs: list[str]) -> list[str]:
        """The verdicts on the runs' answers."""
        return paths.score_files(self.study, model, runs)

    def checkpoint_scores(self, model: str, runs: list[str]) -> list[str]:
        """The same of the checkpoints that a figure shows of them."""
        return self.scores(model, [f"{run}-checkpoints" for run in runs])

    def divergences(self, model: str, runs: list[str]) -> list[str]:
        """How far the runs' models are from their base models."""
        return paths.divergences(self.study, model, runs)

    def histograms(self, model: str, runs: list[str]) -> list[str]:
        """The training tokens by the probability that the runs give them."""
        return [paths.histogram(self.study, model, run) for run in runs]


def figure_names(study: Study) -> list[str]:
    """The figures that a study has."""
    return list(study.figures.shown)


def figure_layout(study: Study, name: str) -> dict[str, Any]:
    """A figure's files, and how to name its lines and panels."""
    return {
        "methods": method_titles(study),
        "benchmarks": {key: value.title for key, value in study.benchmarks_of("test").items()},
        "samples": study.decoding.samples,
        "scoring": study.scoring.model_dump(),
        **figures()[name].layout(study.figures.shown[name], study, Results(study)),
    }


def figure_files(study: Study, folder: str) -> list[str]:
    """The files of a folder of results that the figures are made of, each once."""
    shown = files_in([figure_layout(study, name) for name in figure_names(study)])
    return list(dict.fromkeys(file for file in shown if file.startswith(folder)))


def measured_runs(study: Study) -> list[tuple[str, str]]:
    """The (model, run name) whose token probabilities the figures show, each once."""
    files = map(Path, figure_files(study, paths.histogram_folder(study)))
    return [(file.parent.name, file.stem) for file in files]


def weighed_runs(study: Study) -> dict[Run, str]:
    """The runs whose training rows are weighed, each with the figure that it is shown beside."""
    return {
        runs_of(study, model, [method], figure.seeds)[0]: name
        for name, figure in study.figures.shown.items()
        for method in getattr(figure, "weigh_rows", ())
        for model in figure.shown_models(study)
    }


def scores_shown(study: Study) -> list[str]:
    """The scores behind a study's tables and figures."""
    return sorted({*scores_tabled(study), *figure_files(study, paths.score_folder(study))})


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
    return {
        "scoring": study.scoring.model_dump(),
        "retention": paths.table(study, "retention") if study.retains else None,
        "benchmarks": list(study.benchmarks_of("test")),
        "rows": [{**row, "training": None} for row in shown_rows(study)],
        "figures": {name: paths.figure(study, name) for name in figure_names(study)},
        "seeds": {
            name: {
                method: len(seeds_of(study, method, figure.seeds))
                for method in figure.shown_methods(study)
                if method in study.methods
            }
            for name, figure in study.figures.shown.items()
        },
    }


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
        "captions": {name: figures()[name].CAPTION for name in figure_names(study)},
        "row_weights": [
            {
                "figure": name,
                "model": study.models[run.model].title,
                "method": method_titles(study)[run.method],
                "csv": paths.row_weights(study, run.model, run.name),
            }
            for run, name in weighed_runs(study).items()
        ],
        "precheck": [
            {"model": study.models[name].title, "json": paths.precheck(study, name)}
            for name in taught_models(study)
        ],
        "statistics": {name: paths.statistics(study, name) for name in STATISTICS if study.tables},
        "learning_rates": paths.table(study, "learning_rates") if swept_runs(study) else None,
        "health": paths.table(study, "health") if study.tables else None,
        "retention": {
            "csv": paths.table(study, "retention"),
            "margin": study.retention.margin,
            "benchmarks": {k: v.title for k, v in study.benchmarks_of("retention").items()},
        }
        if study.retains
        else None,
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
