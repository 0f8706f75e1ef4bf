"""Every result that a study has, and what each is to be made with: the DAG as plain data.

The rules say the same to Snakemake; here it is said from the study alone, so that `rectify verify`
can hold the manifests against it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rectify.jobs import layouts, paths, retention, runs, sweeps
from rectify.jobs.settings import (
    SETTINGS,
    grader_files,
    graders,
    local_source,
    row_sources,
    run_settings,
)
from rectify.objectives.signature import objective_file
from rectify.study.schema import Study


@dataclass(frozen=True)
class Result:
    """What one job makes: its files, the step, and all that decides it but the step's code.

    outputs: files, or the folder that they are in as a whole
    options: those that are neither paths nor settings, by their names in a manifest.
    """

    step: str
    outputs: list[str]
    inputs: list[str]
    settings: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)


def own_file(study: Study, method: str) -> list[str]:
    """The user's file that a method's objective is in, if it is in one."""
    file = objective_file(study.methods[method].objective or "")
    return [str(file)] if file else []


def row_results(study: Study) -> Iterator[Result]:
    """Rows of every source; the questions and the overlaps taken from them."""
    for rows in row_sources(study):
        files = [paths.rows(study, rows), paths.row_counts(study, rows)]
        source = local_source(study, rows)
        inputs = [*([source] if source else []), *paths.mixed_rows(study, rows)]
        yield Result("sample_rows", files, inputs, SETTINGS["sample_rows"](study, rows))
    training = paths.rows(study, "training")
    files = [paths.rows(study, "questions"), paths.row_counts(study, "questions")]
    count = {"count": study.self_sampling.questions}
    yield Result("list_questions", files, [training], options=count)
    benchmarks = paths.benchmark_files(study)
    yield Result("find_overlaps", [paths.overlaps(study)], [training, *benchmarks])
    if validation := paths.benchmark_files(study, "validation"):
        files = [paths.validation_overlaps(study)]
        # which of the problems are looked for among the others
        said = {"benchmarks": validation}
        yield Result("find_overlaps", files, [training, *benchmarks, *validation], options=said)


def base_results(study: Study, model: str) -> Iterator[Result]:
    """A model before its fine-tuning, what it was found to bear, its own answers to questions."""
    pretrained = runs.pretrained_bases(study)
    rows, first = paths.rows(study, f"pretraining/{model}"), []
    for base in runs.base_names(study, model):
        initial, folder = paths.initial(study, model, base), paths.model(study, model, base)
        if (model, base) in pretrained:
            settings = SETTINGS["initialise_model"](study, model, base)
            yield Result("initialise_model", [initial], [rows], settings)
            settings = SETTINGS["pretrain_model"](study, model, base)
            yield Result("train", [folder], [rows, initial], settings)
        elif file := study.models[model].gguf:
            settings = SETTINGS["convert_gguf"](study, model, base)
            yield Result("convert_gguf", [folder], [] if "://" in file else [file], settings)
        else:
            settings = SETTINGS["fetch_model"](study, model, base)
            yield Result("fetch_model", [folder], local_model(settings["path"]), settings)
        first.append(initial if (model, base) in pretrained else folder)
    yield check_result(study, first[0], model)
    for base in runs.base_names(study, model):
        yield from own_answers(study, model, base)


def precheck_results(study: Study) -> Iterator[Result]:
    """What the first base models know of the training rows."""
    for model in runs.taught_models(study):
        base = paths.model(study, model, runs.base_names(study, model)[0])
        seen = [base, paths.rows(study, "training"), paths.overlaps(study)]
        files = [paths.precheck(study, model, kind) for kind in ("json", "md")]
        yield Result("precheck", files, seen, SETTINGS["precheck"](study, model))


def check_result(study: Study, folder: str, *checked: str) -> Result:
    """What was found about the model in a folder, a base model or a ready checkpoint."""
    rows = [paths.rows(study, "training"), *paths.text_files(study)]
    seen = [folder, *rows, *paths.asked_files(study)]
    settings = SETTINGS["check_model"](study, *checked)
    return Result("check_model", [paths.check(study, *checked)], seen, settings)


def own_answers(study: Study, model: str, base: str) -> Iterator[Result]:
    """A base model's answers to the training questions, their verdicts, and what is kept."""

    def own(*names: str) -> list[str]:
        return [paths.own_answers(study, model, base, name) for name in names]

    questions = paths.rows(study, "questions")
    parts = own(*(f"samples{part}.parquet" for part in paths.part_names(study)))
    for options, part in zip(part_options(study), parts, strict=True):
        settings = SETTINGS["decode_questions"](study, model)
        inputs = [questions, paths.model(study, model, base)]
        yield Result("decode", [part], inputs, settings, {"checkpoints": False, **options})
    scores = own("scores.parquet")
    yield Result("score", scores, [*parts, questions], options={"graders": None})
    kept = own("correct.parquet", "pairs.parquet", "answers.parquet", "counts.json")
    inputs = [questions, *parts, *scores]
    yield Result("keep_answers", kept, inputs, SETTINGS["keep_answers"](study))


def local_model(path: str) -> list[str]:
    """The folder of a model that is a local one; in manifests a bare word names none, and the links
    to its files are the model's own content.
    """
    return [path] if "/" in path and Path(path).is_dir() else []


def part_options(study: Study) -> list[dict[str, Any]]:
    """What tells the parts that a model's problems are decoded in apart."""
    count = study.decoding.shards
    return [{"part": [index, count]} for index in range(1, count + 1)]


def run_results(study: Study) -> Iterator[Result]:
    """Every fine-tuned model, the best ones of sweeps, and the ready ones beside them."""
    for (model, name), run in runs.all_runs(study).items():
        if study.methods[run.method].checkpoint:
            settings = SETTINGS["fetch_model"](study, model, name)
            inputs = local_model(settings["path"])
            folder = paths.model(study, model, name)
            yield Result("fetch_model", [folder], inputs, settings)
            yield check_result(study, folder, model, name)
            continue
        if study.methods[run.method].sweep:
            layout = sweeps.choice_layout(study, run)
            seen = [*layouts.files_in(layout), paths.validation_overlaps(study)]
            yield Result("choose_model", [paths.model(study, model, name)], seen, layout)
            continue
        rows = paths.training_rows(study, run)
        inputs = [rows, paths.start(study, run), *own_file(study, run.method)]
        inputs += paths.reference(study, run)
        step, settings = study.methods[run.method].step, run_settings(study, run)
        yield Result(step, [paths.model(study, run.model, run.name)], inputs, settings)


def score_results(study: Study) -> Iterator[Result]:
    """Answers to the benchmarks and their verdicts; probabilities of the training tokens, and
    weights of the training rows.
    """
    apart = [*sweeps.validated_scores(study), *retention.scores_retained(study)]
    for scores in [*layouts.scores_shown(study), *apart]:
        model, name = Path(scores).parent.name, Path(scores).name.removesuffix(".parquet")
        role = paths.role_of(name)
        run = name.removesuffix("-checkpoints").removesuffix(paths.ENDINGS[role])
        benchmarks = paths.benchmark_files(study, role)
        inputs = [paths.model(study, model, run), *benchmarks]
        parts = paths.samples_behind(study, scores)
        for options, part in zip(part_options(study), parts, strict=True):
            said = {"checkpoints": name.endswith("-checkpoints"), **options}
            yield Result(
                "decode", [part], inputs, SETTINGS["decode_benchmarks"](study, model), said
            )
        said = {"graders": graders(study, role) or None}
        inputs = [*parts, *benchmarks, *grader_files(study, role)]
        yield Result("score", [scores], inputs, options=said)
    for model, run in layouts.measured_runs(study):
        file = paths.histogram(study, model, run)
        inputs = [paths.model(study, model, run), paths.rows(study, "training")]
        yield Result(
            "measure_probabilities", [file], inputs, SETTINGS["measure_probabilities"](study, model)
        )
    known = runs.all_runs(study)
    for model, name in retention.diverged_runs(study):
        inputs = [
            paths.rows(study, "retention"),
            paths.model(study, model, name),
            paths.base_of(study, known[model, name]),
        ]
        settings = SETTINGS["measure_divergence"](study, model)
        yield Result("measure_divergence", [paths.divergence(study, model, name)], inputs, settings)
    for run in layouts.weighed_runs(study):
        kinds = ("parquet", "csv", "md")
        files = [paths.row_weights(study, run.model, run.name, kind) for kind in kinds]
        inputs = [
            paths.training_rows(study, run),
            paths.model(study, run.model, run.name),
            *(paths.reference(study, run) or [paths.start(study, run)]),
            *own_file(study, run.method),
        ]
        yield Result("weigh_rows", files, inputs, run_settings(study, run))


def shown_results(study: Study) -> Iterator[Result]:
    """Tables, figures, verdicts and the page."""

    def laid_out(step: str, files: list[str], layout: Any, *more: str, **options: Any) -> Result:
        return Result(step, files, [*layouts.files_in(layout), *more], layout, options)

    for name in study.tables:
        files = [paths.table(study, name, kind) for kind in ("csv", "md", "tex")]
        layout = layouts.table_layout(study, name)
        yield laid_out("tabulate_scores", files, layout, "config/published.csv")
    if study.tables:
        both, benchmarks = ("csv", "md"), paths.benchmark_files(study)
        files = [paths.table(study, "disagreements", kind) for kind in both]
        yield Result("list_disagreements", files, [*layouts.scores_tabled(study), *benchmarks])
        files = [paths.table(study, "health", kind) for kind in (*both, "tex")]
        yield laid_out("tabulate_health", files, layouts.health_layout(study))
        files = [paths.table(study, "contamination", kind) for kind in both]
        layout = layouts.overlap_layout(study)
        yield laid_out("tabulate_overlaps", files, layout, paths.overlaps(study))
        folder = os.path.dirname(paths.statistics(study, ""))
        yield laid_out("summarise_scores", [folder], layouts.summary_layout(study))
    if study.retains:
        layout = retention.retention_layout(study)
        files = [paths.table(study, "retention", kind) for kind in ("csv", "md", "tex")]
        yield laid_out("tabulate_retention", files, layout)
    if (layout := sweeps.rates_layout(study))["choices"]:
        files = [paths.table(study, "learning_rates", kind) for kind in ("csv", "md")]
        yield laid_out("tabulate_rates", files, layout)
    for name in layouts.figure_names(study):
        files = [paths.figure(study, name, kind) for kind in ("pdf", "png", "csv")]
        layout, own = layouts.figure_layout(study, name), drawn_files(study, name)
        yield laid_out("plot_figure", files, layout, *own, figure=name)
    if study.claims:
        layout = layouts.claims_layout(study)
        yield laid_out("judge_claims", [paths.claims(study)], layout, study.claims)
    yield laid_out("render_report", [paths.report(study)], layouts.report_layout(study))


def drawn_files(study: Study, figure: str) -> list[str]:
    """The users' files with the objectives whose weights a figure draws."""
    drawn = layouts.figure_layout(study, figure).get("objectives", [])
    return sorted({file for entry in drawn for file in own_file(study, entry["method"])})


def as_stated(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    """Settings as a manifest has them: what is left of them in JSON."""
    return None if settings is None else json.loads(json.dumps(settings))
