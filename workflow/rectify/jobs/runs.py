"""What a study has to train and decode, derived from its tables and figures.

A run is one model trained one way with one seed. Its name is a file name in results/<study>/:
`dft-seed0`, `sft-lr0.0002-seed0`, `dft-batch32-seed1`, `dft-seed0-repeat1`. A base model from a
folder or the hub is `base`; a model that the study pretrains is pretrained with each training seed,
`base-seed0` and so on, and training seed k starts from base k. A ready checkpoint, which is of no
seed, is `released-ready`.

A pretraining from random weights is chaotic: on another processor, whose sums round otherwise, it
ends in another model. So the miniatures' base models are files of the repository, pretrained once.
The folder that a study names in `pretrain.kept` holds `<model>/base-seed0` and so on, the manifest
of each beside it, and in `manifests.jsonl` those of the rows and first weights that it was made
from: `rectify keep_bases` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rectify.paper.figure import FigureBlock
from rectify.step.errors import StepError
from rectify.study.schema import Study

BASE = "base"
REPEATED = 2**20  # how far apart the seeds of repeats are


@dataclass(frozen=True)
class Run:
    """One model, one method, one seed, and what differs from the study's training settings.

    A ready checkpoint is none of the study's trainings: its seed is None. Nor is that of a sweep,
    which is one of another method's runs.
    """

    model: str
    method: str
    seed: int | None
    overrides: tuple[tuple[str, Any], ...] = ()
    repeat: int = 0

    @property
    def name(self) -> str:
        """The run's file name, `{method}[-lr{x}][-batch{n}]-seed{n}[-repeat{n}]`, or
        `{method}-ready`.
        """
        if self.seed is None:
            return f"{self.method}-ready"
        labels = {"learning_rate": "lr", "batch_size": "batch"}
        differing = "".join(f"-{labels[key]}{value:g}" for key, value in self.overrides)
        again = f"-repeat{self.repeat}" if self.repeat else ""
        return f"{self.method}{differing}-seed{self.seed}{again}"

    @property
    def training_seed(self) -> int:
        """What seeds the training itself: another for each repeat from the same base model."""
        return self.seed + REPEATED * self.repeat


def seeds_of(study: Study, method: str, seeds: list[int] | None) -> list[int] | list[None]:
    """The training seeds of a method: those that a figure names, else its own; [None] of a ready
    checkpoint, which has one run.
    """
    if study.methods[method].checkpoint:
        return [None]
    return seeds or study.seeds[: study.methods[method].seeds]


def base_name(study: Study, model: str, seed: int) -> str:
    """The base model that a training seed starts from."""
    return f"{BASE}-seed{seed}" if study.models[model].pretrain else BASE


def base_names(study: Study, model: str, seeds: list[int] | None = None) -> list[str]:
    """A model's base models: one, or one for each of the seeds, the study's unless given."""
    return list(dict.fromkeys(base_name(study, model, seed) for seed in seeds or study.seeds))


def kept_base(study: Study, model: str, base: str) -> Path | None:
    """The folder of a kept base model; None if it is to be pretrained, or comes from elsewhere."""
    pretraining = study.models[model].pretrain
    if pretraining is None or pretraining.kept is None:
        return None
    folder = Path(pretraining.kept) / model / base
    return folder if folder.is_dir() else None


def pretrained_bases(study: Study) -> list[tuple[str, str]]:
    """(model, base) of every base model that the study pretrains itself."""
    return [
        (model, base)
        for model, block in study.models.items()
        if block.pretrain
        for base in base_names(study, model)
        if not kept_base(study, model, base)
    ]


def seed_of(base: str) -> int:
    """The seed that a pretrained base model was made with: 2 of `base-seed2`."""
    return int(base.removeprefix(f"{BASE}-seed"))


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
        differing = differing_of(study, model, method, overrides)
        wanted = seeds_of(study, method, seeds)
        found += [Run(model, method, seed, differing) for seed in wanted]
    return found


def differing_of(
    study: Study, model: str, method: str, overrides: dict[str, Any]
) -> tuple[tuple[str, Any], ...]:
    """Those of some overrides that the study's own training does not have anyway."""
    default = study.training_of(model, method) if overrides else None
    return tuple((key, value) for key, value in overrides.items() if getattr(default, key) != value)


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
    for figure in study.figures.shown.values():
        methods = figure.needed_methods(study)
        for model in figure.shown_models(study):
            for overrides in figure.overrides():
                found += runs_of(study, model, methods, figure.seeds, **overrides)
    # what a run is made from comes before it
    found = [other for run in found for other in behind(study, run)] + found
    named: dict[tuple[str, str], Run] = {}
    for run in found:
        if named.setdefault((run.model, run.name), run) != run:
            raise StepError(
                f"two different runs of '{run.model}' would be called '{run.name}'; rename a "
                "method, or give learning rates that differ in their first six digits"
            )
    return named


def trained_runs(study: Study) -> dict[tuple[str, str], Run]:
    """Those of them that are trained here: no ready checkpoints, nor those of a sweep."""
    return {key: run for key, run in all_runs(study).items() if study.methods[run.method].trained}


def taught_models(study: Study) -> list[str]:
    """The base models that are trained on the study's own rows, not on answers of theirs alone."""
    taught = {
        run.model
        for run in trained_runs(study).values()
        if study.methods[run.method].setting == "sft"
    }
    return [name for name in study.models if name in taught]


def reference_of(study: Study, run: Run) -> Run | None:
    """The run that a run takes for its reference; None if that is the model that its training
    starts from, or its base model.
    """
    other = study.methods[run.method].reference
    return Run(run.model, other, run.seed) if other and other != BASE else None


def start_of(study: Study, run: Run) -> Run | None:
    """The run whose model a run's training starts from; None if that is its base model."""
    other = study.methods[run.method].start
    return Run(run.model, other, run.seed) if other else None


def candidates_of(study: Study, run: Run) -> dict[float, Run]:
    """The runs among which a sweep's run is, by their learning rates; none of another method."""
    if not (sweep := study.methods[run.method].sweep):
        return {}
    found = {}
    for rate in sweep.learning_rates:
        differing = differing_of(study, run.model, sweep.of, {"learning_rate": rate})
        found[rate] = Run(run.model, sweep.of, run.seed, differing)
    return found


def behind(study: Study, run: Run) -> list[Run]:
    """The runs that a run is made from, each after those that it is made from itself.

    A sweep's run is chosen by all seeds' scores, whichever of them are shown.
    """
    own = [*filter(None, [start_of(study, run), reference_of(study, run)])]
    if study.methods[run.method].sweep:
        for seed in seeds_of(study, run.method, None):
            own += candidates_of(study, replace(run, seed=seed)).values()
    return [each for other in own for each in (*behind(study, other), other)]


def is_shown(study: Study, figure: FigureBlock, run: Run) -> bool:
    """Whether a run is among those that a figure shows."""
    model, method = run.model, run.method
    shown = method in figure.shown_methods(study) and model in figure.shown_models(study)
    if run.repeat or not shown:
        return False
    differing = (differing_of(study, model, method, each) for each in figure.overrides())
    return run.seed in seeds_of(study, method, figure.seeds) and run.overrides in differing


def along(study: Study, run: Run) -> dict[str, list[int]]:
    """The steps at which figures show a run along its training, by their names."""
    return {
        name: figure.checkpoints
        for name, figure in study.figures.shown.items()
        if hasattr(figure, "checkpoints") and is_shown(study, figure, run)
    }


def checkpoints_of(study: Study, run: Run) -> list[int]:
    """All of these steps."""
    return list(dict.fromkeys(step for steps in along(study, run).values() for step in steps))
