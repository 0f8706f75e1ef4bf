"""A study's work in floating-point operations, from its models' parameters and its tokens.

Per parameter and token: 6 for training (4 under LoRA, 2 more where activations are computed again,
and for each other forward pass), 2 for reading and decoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rectify.data.rows import read_rows
from rectify.jobs import layouts, paths, runs
from rectify.jobs.retention import diverged_runs, scores_retained
from rectify.jobs.settings import SETTINGS
from rectify.jobs.sweeps import validated_scores
from rectify.objectives.inputs import REFERENCE
from rectify.objectives.signature import load_objective, parameters_of, required
from rectify.paper.published import PROBLEMS
from rectify.planning.sizes import parameters
from rectify.step.errors import StepError
from rectify.study.methods import Method
from rectify.study.schema import Study
from rectify.study.training import Training

ROW_TOKENS = 450  # assumed, of a worked problem with its prompt
ANSWER_TOKENS = 700  # assumed, of a sampled answer
CHARACTERS_PER_TOKEN = 2.7  # assumed, to count tokens in rows that are at hand
CORRECT = 0.35  # assumed share of a model's own answers: the paper's 140,000 of 400,000
DRAWING = 5  # assumed: how much longer an operation takes in drawing an answer than in training


@dataclass(frozen=True)
class Job:
    """A job on a GPU: its rule, its work in floating-point operations, and its engines' starts."""

    rule: str
    name: str
    work: float
    starts: int = 1
    step: str = ""

    @property
    def kind(self) -> str:
        """Jobs of one kind reach the same rate: its rule, and its step where the rule has many."""
        return f"{self.rule} {self.step}".strip()


def row_tokens(study: Study) -> float:
    """Mean tokens of a training row: counted in characters if the rows are at hand, or assumed."""
    file = Path(paths.rows(study, "training"))
    if not file.is_file():
        return ROW_TOKENS
    rows = read_rows(file)
    texts = rows["messages"] if "messages" in rows else rows["problem"] + rows["solution"]
    return float(texts.str.len().mean() / CHARACTERS_PER_TOKEN)


def answer_tokens(study: Study) -> float:
    """Mean tokens of a sampled answer, assumed."""
    return min(ANSWER_TOKENS, study.decoding.max_new_tokens / 2)


def problems(study: Study, role: str = "test") -> int:
    """Problems of a role's benchmarks; raises StepError for a benchmark of unknown size."""
    total = 0
    for name, benchmark in study.benchmarks_of(role).items():
        count = benchmark.rows or PROBLEMS.get(benchmark.published or name)
        if count is None:
            raise StepError(f"benchmarks.{name}.rows: needed to plan, its size is not known")
        total += min(count, study.decoding.problems or count)
    return total


def own_answers(study: Study) -> int:
    """Answers of its own to the training questions that a model is asked for."""
    asked = study.self_sampling.questions or study.data.rows or 0
    return asked * study.self_sampling.samples


def seen_rows(study: Study, method: Method, training: Training) -> float:
    """Rows, pairs or questions that a training sees, each as often as it does."""
    if training.steps:
        return training.steps * training.batch_size
    if method.setting == "sft":
        rows = study.data.all_rows or 0
    elif method.setting == "online":
        rows = study.self_sampling.questions or study.data.rows or 0
    else:
        most = study.self_sampling.pairs if method.dpo else study.self_sampling.correct
        found = CORRECT * own_answers(study)
        rows = own_answers(study) if method.weighs_rewards else min(most or found, found)
    return training.epochs * rows


def forward_passes(method: Method) -> int:
    """Forward passes per training row that an objective adds: of the reference, or for weights."""
    objective = load_objective(method.objective, method.parameters)
    needs = required(objective)
    passes = [
        needs & set(REFERENCE),
        needs & {"batch_logp", "batch_log_ratio"},
        needs & {"old_logp"},
        parameters_of(objective).get("kl_weight"),
    ]
    return sum(map(bool, passes))


def operations(study: Study, method: Method, training: Training) -> float:
    """Operations per parameter of the model that a run's training takes."""
    rows = seen_rows(study, method, training)
    row, answer = row_tokens(study), answer_tokens(study)
    update = (4 if training.lora else 6) + 2 * training.gradient_checkpointing
    if method.dpo:  # two answers, each also under the reference
        return rows * 2 * row * (update + 2)
    if method.grpo:  # draw, read under the reference, update
        return rows * method.grpo.samples * answer * (2 * DRAWING + 2 + update)
    if method.ppo:  # draw, read under policy, critic and reference, update policy and critic
        return rows * answer * (2 * DRAWING + 6 + 2 * update * method.ppo.epochs)
    return rows * row * (update + 2 * forward_passes(method))


def jobs(study: Study) -> list[Job]:
    """Every job with a GPU's worth of work, of those that make what the study shows."""
    found: list[Job] = []
    shards = study.decoding.shards
    tokens, answer = row_tokens(study), answer_tokens(study)
    asked = problems(study) * study.decoding.samples
    sizes = {name: parameters(name, model) for name, model in study.models.items()}
    trained = runs.trained_runs(study)
    for name, base in runs.pretrained_bases(study):
        steps = study.models[name].pretrain.training
        seen = (steps.steps or 0) * steps.batch_size
        found.append(Job("pretrain_model", f"{name} {base}", 6 * sizes[name] * seen * tokens))
    for file in map(Path, [*validated_scores(study), *scores_retained(study)]):
        role = paths.role_of(file.stem)
        name, run = file.parent.name, file.stem.removesuffix(paths.ENDINGS[role])
        count = problems(study, role) * study.decoding.samples
        work = 2.0 * sizes[name] * count * answer / shards
        found += [Job(f"decode_{role}", f"{name} {run}", work)] * shards
    for file in map(Path, layouts.scores_shown(study)):
        name, run = file.parent.name, file.name.removesuffix(".parquet")
        decoded = 2.0 * sizes[name] * asked * answer / shards
        if (own := run.removesuffix("-checkpoints")) == run:
            found += [Job("decode_benchmarks", f"{name} {run}", decoded)] * shards
        else:
            count = len(runs.checkpoints_of(study, trained[name, own]))
            found += [Job("decode_checkpoints", f"{name} {own}", count * decoded, count)] * shards
    offline = [run for run in trained.values() if study.methods[run.method].setting == "offline"]
    bases = {(run.model, runs.base_name(study, run.model, run.seed)) for run in offline}
    for name, base in sorted(bases):
        drawn = 2.0 * sizes[name] * own_answers(study) * answer / shards
        found += [Job("decode_questions", f"{name} {base}", drawn)] * shards
    for (name, run_name), run in trained.items():
        training = study.training_of(name, run.method, **dict(run.overrides))
        work = sizes[name] * operations(study, study.methods[run.method], training)
        step = study.methods[run.method].step
        rule = "train_ppo" if step == "ppo" else "train_model"
        found.append(Job(rule, f"{name} {run_name}", work, step=step))
    for name in runs.taught_models(study):
        read = SETTINGS["precheck"](study, name)["rows"]
        found.append(Job("precheck", name, 2.0 * sizes[name] * read * tokens))
    rows = study.figures.measured_rows or study.data.rows or 0
    for name, run in layouts.measured_runs(study):
        work = 2.0 * sizes[name] * rows * tokens
        found.append(Job("measure_probabilities", f"{name} {run}", work))
    rows = study.retention.rows.rows if study.retention.rows else None
    for name, run in diverged_runs(study):  # under the model and its base model
        work = 2 * 2.0 * sizes[name] * (rows or 0) * tokens
        found.append(Job("measure_divergence", f"{name} {run}", work))
    for run in layouts.weighed_runs(study):  # each row once, under the model and its reference
        method = study.methods[run.method]
        once = Training(epochs=1)
        work = 2 * 2.0 * sizes[run.model] * seen_rows(study, method, once) * tokens
        found.append(Job("weigh_rows", f"{run.model} {run.name}", work))
    return found
