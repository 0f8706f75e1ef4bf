"""Where a study's results lie; nothing else says so."""

from __future__ import annotations

from rectify.jobs.runs import (
    Run,
    base_name,
)
from rectify.study.schema import Study


def results(study: Study) -> str:
    """The folder of a study's results."""
    return f"results/{study.study}"


def own_answers(study: Study, model: str, base: str) -> str:
    """The folder of a base model's own answers to the training questions."""
    return f"{results(study)}/self/{model}/{base}"


def training_rows(study: Study, run: Run) -> str:
    """The rows that a run is trained on: the study's, or made of its base model's own answers."""
    method = study.methods[run.method]
    own = own_answers(study, run.model, base_name(study, run.model, run.seed))
    if method.setting == "online":
        return f"{results(study)}/data/questions.parquet"
    if method.setting == "offline":
        kind = "pairs" if method.dpo else "answers" if method.weighs_rewards else "correct"
        return f"{own}/{kind}.parquet"
    return f"{results(study)}/data/training.parquet"


def score_files(study: Study, model: str, names: list[str]) -> list[str]:
    """The score files of some runs of a model."""
    return [f"{results(study)}/scores/{model}/{name}.parquet" for name in names]


def part_names(study: Study) -> list[str]:
    """Endings of the parts that a model's problems are decoded in; one alone has none."""
    count = study.decoding.shards
    return [f".part{i}of{count}" for i in range(1, count + 1)] if count > 1 else [""]


def sample_files(study: Study, model: str, name: str) -> list[str]:
    """All parts of a run's samples."""
    return [f"{results(study)}/samples/{model}/{name}{part}.parquet" for part in part_names(study)]


def samples_behind(study: Study, scores: str) -> list[str]:
    """All parts of the samples that a score file is about."""
    model, name = scores.removeprefix(f"{results(study)}/scores/").split("/")
    return sample_files(study, model, name.removesuffix(".parquet"))


def benchmark_files(study: Study) -> list[str]:
    """The problems of every benchmark."""
    return [f"{results(study)}/data/benchmarks/{name}.parquet" for name in study.benchmarks]
