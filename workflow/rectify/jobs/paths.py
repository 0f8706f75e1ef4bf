"""Where a study's results lie; nothing else says so. A name may be a rule's wildcard, "{model}"."""

from __future__ import annotations

from rectify.jobs.runs import BASE, Run, base_name, reference_of, start_of
from rectify.study.schema import Study

# what the names of samples and scores end with, by the role of the benchmarks that they are of
ENDINGS = {"test": "", "validation": "-validation", "retention": "-retention"}


def role_of(name: str) -> str:
    """The role of the benchmarks that a file of samples or scores, by its name, is of."""
    return next(role for role in reversed(ENDINGS) if name.endswith(ENDINGS[role]))


def results(study: Study) -> str:
    """The folder of a study's results."""
    return f"results/{study.study}"


def settings(study: Study, file: str) -> str:
    """A file of what jobs are given."""
    return f"{results(study)}/settings/{file}"


def rows(study: Study, name: str) -> str:
    """Rows by their name: training, questions, pretraining/MODEL, benchmarks/NAME."""
    return f"{results(study)}/data/{name}.parquet"


def mixed_rows(study: Study, name: str) -> list[str]:
    """Rows that are mixed into those of that name."""
    return [rows(study, f"mixed/{n}") for n in study.data.mix or {}] if name == "training" else []


def row_counts(study: Study, name: str) -> str:
    """How many of those rows there are, and how many were left out."""
    return f"{results(study)}/data/{name}.json"


def benchmark_files(study: Study, role: str = "test") -> list[str]:
    """The problems of every benchmark of a role; `test`: the tables' columns."""
    return [rows(study, f"benchmarks/{name}") for name in study.benchmarks_of(role)]


def overlaps(study: Study) -> str:
    """The problems that training rows share."""
    return f"{results(study)}/data/contamination.csv"


def asked_files(study: Study) -> list[str]:
    """All problems that a model of the study is asked, of whatever role."""
    return [rows(study, f"benchmarks/{name}") for name in study.benchmarks]


def text_files(study: Study) -> list[str]:
    """The text that the base models know, if the study has one."""
    return [rows(study, "retention")] if study.retention.rows else []


def validation_overlaps(study: Study) -> str:
    """The validation problems that training rows or the tables' benchmarks share."""
    return f"{results(study)}/data/validation.csv"


def initial(study: Study, *base: str) -> str:
    """The folder of a miniature's first weights; `base`: the model's name and the base's."""
    return "/".join([results(study), "initial", *base])


def model(study: Study, *run: str) -> str:
    """The folder of a model; `run`: the base model's name, and a base's or a run's."""
    return "/".join([results(study), "models", *run])


def state(study: Study, *run: str) -> str:
    """The folder that its training resumes from."""
    return "/".join([results(study), "state", *run])


def cards(study: Study) -> str:
    """The marker of all models' cards."""
    return f"{results(study)}/models/.cards"


def check(study: Study, *checked: str) -> str:
    """What was found about a base model (`checked`: its name), or a ready checkpoint (and its
    run's).
    """
    return f"{'/'.join([results(study), 'checks', *checked])}.json"


def gate(study: Study, *run: str) -> str:
    """The marker that lets a model be trained, or a base model be decoded."""
    return "/".join([results(study), "checks", *run])


def checked(study: Study) -> str:
    """The marker that all models have been checked."""
    return f"{results(study)}/checks/.checked"


def own_answers(study: Study, name: str, base: str, file: str) -> str:
    """A file of a base model's own answers to the training questions, or made of them."""
    return f"{results(study)}/self/{name}/{base}/{file}"


def training_rows(study: Study, run: Run) -> str:
    """The rows that a run is trained on: the study's, or made of its base model's own answers."""
    method = study.methods[run.method]
    method = study.methods[method.sweep.of] if method.sweep else method
    if method.setting == "online":
        return rows(study, "questions")
    if method.setting == "offline":
        kind = "pairs" if method.dpo else "answers" if method.weighs_rewards else "correct"
        base = base_name(study, run.model, run.seed)
        return own_answers(study, run.model, base, f"{kind}.parquet")
    return rows(study, "training")


def start(study: Study, run: Run) -> str:
    """The model that a run's training starts from: its base model, or another run's."""
    own = start_of(study, run)
    return model(study, run.model, own.name) if own else base_of(study, run)


def reference(study: Study, run: Run) -> list[str]:
    """The model that a run takes for its reference, if not the one that it starts from."""
    if study.methods[run.method].reference == BASE:
        return [base_of(study, run)]
    return [model(study, run.model, own.name)] if (own := reference_of(study, run)) else []


def part_names(study: Study) -> list[str]:
    """Endings of the parts that a model's problems are decoded in; one alone has none."""
    count = study.decoding.shards
    return [f".part{i}of{count}" for i in range(1, count + 1)] if count > 1 else [""]


def samples(study: Study, name: str, run: str, part: str) -> str:
    """A part of a model's samples; `run` of a curve's ends with -checkpoints, of other benchmarks
    than the tables' with one of ENDINGS.
    """
    return f"{results(study)}/samples/{name}/{run}{part}.parquet"


def sample_files(study: Study, name: str, run: str) -> list[str]:
    """All parts of them."""
    return [samples(study, name, run, part) for part in part_names(study)]


def score_folder(study: Study) -> str:
    """The folder of all verdicts."""
    return f"{results(study)}/scores/"


def scores(study: Study, name: str, run: str) -> str:
    """The verdicts on a model's samples."""
    return f"{score_folder(study)}{name}/{run}.parquet"


def samples_behind(study: Study, file: str) -> list[str]:
    """All parts of the samples that a score file is about."""
    name, run = file.removeprefix(score_folder(study)).split("/")
    return sample_files(study, name, run.removesuffix(".parquet"))


def score_files(study: Study, name: str, runs: list[str]) -> list[str]:
    """The score files of some runs of a model."""
    return [scores(study, name, run) for run in runs]


def histogram_folder(study: Study) -> str:
    """The folder of all probabilities of training tokens."""
    return f"{results(study)}/histograms/"


def histogram(study: Study, name: str, run: str) -> str:
    """The training tokens by the probability that a model gives them, counted."""
    return f"{histogram_folder(study)}{name}/{run}.parquet"


def divergence_folder(study: Study) -> str:
    """The folder of all distances from base models."""
    return f"{results(study)}/divergence/"


def divergence(study: Study, name: str, run: str) -> str:
    """How far a model's distribution of tokens is from its base model's, row by row of a text."""
    return f"{divergence_folder(study)}{name}/{run}.parquet"


def divergences(study: Study, name: str, runs: list[str]) -> list[str]:
    """The same of some runs of a model; none where no text is read, and none of a ready checkpoint
    where the base model is one of several.
    """
    if not study.retention.rows:
        return []
    based = [run for run in runs if not (study.models[name].pretrain and run.endswith("-ready"))]
    return [divergence(study, name, run) for run in based]


def base_of(study: Study, run: Run) -> str:
    """The base model of a run, however many trainings lie between them."""
    return model(study, run.model, base_name(study, run.model, run.seed))


def row_weights(study: Study, name: str, run: str, kind: str = "csv") -> str:
    """What a run hardly learns from: csv or md, short; all its training rows, parquet."""
    return f"{results(study)}/row_weights/{name}/{run}.{kind}"


def precheck(study: Study, name: str, kind: str = "json") -> str:
    """What a base model knows of the training rows: json, or md to be read."""
    return f"{results(study)}/precheck/{name}.{kind}"


def table(study: Study, name: str, kind: str = "csv") -> str:
    """A table: csv, md or tex."""
    return f"{results(study)}/tables/{name}.{kind}"


def figure(study: Study, name: str, kind: str = "csv") -> str:
    """A figure: pdf, png, or its points as csv."""
    return f"{results(study)}/figures/{name}.{kind}"


def statistics(study: Study, name: str) -> str:
    """What the report shows beside the tables."""
    return f"{results(study)}/statistics/{name}.csv"


def claims(study: Study) -> str:
    """The verdicts on the study's claims."""
    return f"{results(study)}/claims.json"


def report(study: Study) -> str:
    """The page."""
    return f"{results(study)}/report.html"
