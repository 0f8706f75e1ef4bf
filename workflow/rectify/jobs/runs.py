"""What a study has to train and decode, derived from its tables and figures.

A run is one model trained one way with one seed. Its name is a file name in results/<study>/:
`dft-seed0`, `sft-lr0.0002-seed0`, `dft-batch32-seed1`, `dft-seed0-repeat1`. A base model from a
folder or the hub is `base`; a model that the study pretrains is pretrained with each training seed,
`base-seed0` and so on, and training seed k starts from base k.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rectify.step.errors import StepError
from rectify.study.schema import Study

BASE = "base"
REPEATED = 2**20  # how far apart the seeds of repeats are


@dataclass(frozen=True)
class Run:
    """One model, one method, one seed, and what differs from the study's training settings."""

    model: str
    method: str
    seed: int
    overrides: tuple[tuple[str, Any], ...] = ()
    repeat: int = 0

    @property
    def name(self) -> str:
        """The run's file name, `{method}[-lr{x}][-batch{n}]-seed{n}[-repeat{n}]`."""
        labels = {"learning_rate": "lr", "batch_size": "batch"}
        differing = "".join(f"-{labels[key]}{value:g}" for key, value in self.overrides)
        again = f"-repeat{self.repeat}" if self.repeat else ""
        return f"{self.method}{differing}-seed{self.seed}{again}"

    @property
    def training_seed(self) -> int:
        """What seeds the training itself: another for each repeat from the same base model."""
        return self.seed + REPEATED * self.repeat


def seeds_of(study: Study, method: str, seeds: list[int] | None) -> list[int]:
    """The training seeds of a method: those that a figure names, else its own.

    A checkpoint has none of ours; it has one run, which goes by the study's first.
    """
    if study.methods[method].checkpoint:
        return study.seeds[:1]
    return seeds or study.seeds[: study.methods[method].seeds]


def base_name(study: Study, model: str, seed: int) -> str:
    """The base model that a training seed starts from."""
    return f"{BASE}-seed{seed}" if study.models[model].pretrain else BASE


def base_names(study: Study, model: str, seeds: list[int] | None = None) -> list[str]:
    """A model's base models: one, or one for each of the seeds, the study's unless given."""
    return list(dict.fromkeys(base_name(study, model, seed) for seed in seeds or study.seeds))


def runs_of(
    study: Study, model: str, methods: list[str], seeds: list[int] | None = None, **overrides: Any
) -> list[Run]:
    """The trained runs of some methods (`base` has none), for each seed that they are run with.

    An override that equals the study's own setting is none: the run is the study's own. These are
    the first fine-tunings from each base model; `repeats_of` adds the others.
    """
    found = []
    for method in study.methods_of(model, methods):
        if method == BASE:
            continue
        differing: tuple[tuple[str, Any], ...] = ()
        if overrides:
            default = study.training_of(model, method)
            differing = tuple((k, v) for k, v in overrides.items() if getattr(default, k) != v)
        wanted = seeds_of(study, method, seeds)
        found += [Run(model, method, seed, differing) for seed in wanted]
    return found


def repeats_of(study: Study, runs: list[Run]) -> list[Run]:
    """Runs, each with its repeats: further fine-tunings from the same base model."""
    return [
        replace(run, repeat=repeat)
        for run in runs
        for repeat in range(study.methods[run.method].repeats)
    ]


def all_runs(study: Study) -> dict[tuple[str, str], Run]:
    """Every run that a table or a figure needs, by (model, run name)."""
    found: list[Run] = []
    for table in study.tables.values():
        for model in table.models or study.models:
            found += repeats_of(study, runs_of(study, model, table.methods))
    found += curve_runs(study)
    if figure := study.figures.figure2:
        for model in figure.models or study.models:
            found += runs_of(study, model, figure.methods, figure.seeds)
    if figure := study.figures.findings:
        for model in figure.models or study.models:
            found += runs_of(study, model, figure.methods, figure.seeds)
    for figure in (study.figures.monitors, study.figures.gallery):
        if figure:
            found += runs_of(study, figure.model, figure.methods, figure.seeds)
    if sweep := study.figures.figure3:
        for key, value in sweep.points():
            found += runs_of(study, sweep.model, sweep.methods, sweep.seeds, **{key: value})
    named: dict[tuple[str, str], Run] = {}
    for run in found:
        if named.setdefault((run.model, run.name), run) != run:
            raise StepError(f"two different runs of '{run.model}' would be called '{run.name}'")
    return named


def trained_runs(study: Study) -> dict[tuple[str, str], Run]:
    """Those of them that are trained here: all but the ready checkpoints."""
    return {
        key: run for key, run in all_runs(study).items() if not study.methods[run.method].checkpoint
    }


def curve_runs(study: Study) -> list[Run]:
    """The runs whose checkpoints Figure 1 shows."""
    figure = study.figures.figure1
    return runs_of(study, figure.model, figure.methods, figure.seeds) if figure else []


def in_curve(study: Study, run: Run) -> bool:
    """Whether a run is one of them."""
    figure = study.figures.figure1
    if figure is None or run.overrides or run.repeat or run.model != figure.model:
        return False
    shown = run.method in figure.methods
    return shown and run.seed in seeds_of(study, run.method, figure.seeds)


def measured_runs(study: Study) -> list[tuple[str, str]]:
    """The (model, run name) whose token probabilities the figures show, each once."""
    found = []
    if figure := study.figures.findings:
        for model in figure.models or study.models:
            found += [(model, r.name) for r in runs_of(study, model, figure.methods, figure.seeds)]
    if figure := study.figures.figure2:
        for model in figure.models or study.models:
            if BASE in figure.methods:
                found += [(model, name) for name in base_names(study, model, figure.seeds)]
            found += [(model, r.name) for r in runs_of(study, model, figure.methods, figure.seeds)]
    if figure := study.figures.gallery:
        model = figure.model
        found += [(model, name) for name in base_names(study, model, figure.seeds)]
        found += [(model, r.name) for r in runs_of(study, model, figure.methods, figure.seeds)]
    return list(dict.fromkeys(found))
