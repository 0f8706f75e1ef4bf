"""What a study will cost before it is run: jobs, GPU-hours, wall time, disk, download, price.

    python -m rectify.plan config/paper.yaml --gpus 8 --gpu h100 --price 2.5

Work is counted in floating-point operations from parameters and tokens: 6 per parameter and token
for training (2 more where activations are computed again, 2 more for each pass that an objective
needs besides), 2 for reading and decoding. What turns it into time is assumed, and printed: the
GPU's peak, the share of it that is reached, tokens per row and per answer, the start of a process.
`--measured BENCHMARKS` takes the rates from Snakemake's benchmark files of finished jobs instead.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rectify import runs
from rectify.cli import run_step, step_parser
from rectify.contract import load_objective, parameters_of, required
from rectify.io import StepError, read_rows
from rectify.sizes import GB, WEIGHT_BYTES, download_bytes, parameters
from rectify.study import Study, load_study
from rectify.study.training import Method

PEAK = {"a100": 312e12, "h100": 989e12, "h200": 989e12}  # dense bf16, per GPU, as NVIDIA prints it
REACHED = {
    "pretrain_model": 0.40,
    "train_model": 0.40,
    "measure_probabilities": 0.40,
    "decode_benchmarks": 0.08,
    "decode_checkpoints": 0.08,
}  # assumed shares of the peak
STARTS = {"decode_benchmarks": 60.0, "decode_checkpoints": 60.0}  # seconds, assumed, per engine
START = 45.0  # seconds, assumed, of any other process with a GPU
ROW_TOKENS = 450  # assumed, of a worked problem with its prompt
ANSWER_TOKENS = 700  # assumed, of a sampled answer
CHARACTERS_PER_TOKEN = 2.7  # assumed, to count tokens in rows that are at hand
PROBLEMS = {"math500": 500, "minerva_math": 272, "olympiadbench": 675, "aime24": 30, "amc23": 40}


@dataclass(frozen=True)
class Job:
    """A job on a GPU: its rule, its work in floating-point operations, and its engines' starts."""

    rule: str
    name: str
    work: float
    starts: int = 1


def forward_passes(method: Method) -> int:
    """Forward passes per training row that a method adds: of the reference, or to know weights."""
    objective = load_objective(method.objective, method.parameters)
    needs = required(objective) & {"ref_logp", "batch_log_ratio"}
    return len(needs) + bool(parameters_of(objective).get("kl_weight"))


def row_tokens(study: Study) -> float:
    """Mean tokens of a training row: counted in characters if the rows are at hand, or assumed."""
    file = Path("results") / study.study / "data" / "training.parquet"
    if not file.is_file():
        return ROW_TOKENS
    rows = read_rows(file)
    return float((rows["problem"] + rows["solution"]).str.len().mean() / CHARACTERS_PER_TOKEN)


def problems(study: Study) -> int:
    """Problems that a model answers; raises StepError for a benchmark of unknown size."""
    total = 0
    for name, benchmark in study.benchmarks.items():
        count = benchmark.rows or PROBLEMS.get(benchmark.published or name)
        if count is None:
            raise StepError(f"benchmarks.{name}.rows: needed to plan, its size is not known")
        total += min(count, study.decoding.problems or count)
    return total


def jobs(study: Study) -> list[Job]:
    """Every job with a GPU's worth of work."""
    found = []
    tokens, asked = row_tokens(study), problems(study) * study.decoding.samples
    answer = min(ANSWER_TOKENS, study.decoding.max_new_tokens / 2)
    curve = {(run.model, run.name) for run in runs.curve_runs(study)}
    figure = study.figures.figure2
    shards = study.decoding.shards
    for name, model in study.models.items():
        size = parameters(name, model)
        if model.pretrain:
            steps = model.pretrain.training
            seen = (steps.steps or 0) * steps.batch_size
            found.append(Job("pretrain_model", name, 6 * size * seen * tokens))
        decoded = 2.0 * size * asked * answer / shards
        found += [Job("decode_benchmarks", f"{name} base", decoded)] * shards
    for (name, run_name), run in runs.all_runs(study).items():
        size = parameters(name, study.models[name])
        training = study.training_of(name, run.method, **dict(run.overrides))
        rows = runs.count_rows(study, training)
        passes = forward_passes(study.methods[run.method]) + training.gradient_checkpointing
        per_token = 6 + 2 * passes
        label = f"{name} {run_name}"
        found.append(Job("train_model", label, per_token * size * rows * tokens))
        decoded = 2.0 * size * asked * answer / shards
        found += [Job("decode_benchmarks", label, decoded)] * shards
        if (name, run_name) in curve:
            count = len(study.figures.figure1.checkpoints)
            found += [Job("decode_checkpoints", label, count * decoded, count)] * shards
    if figure:
        rows = figure.rows or study.data.rows or 0
        for name in figure.models or study.models:
            size = parameters(name, study.models[name])
            number = 1 if "base" in figure.methods else 0
            number += len(runs.runs_of(study, name, figure.methods, figure.seeds))
            read = Job("measure_probabilities", name, 2.0 * size * rows * tokens)
            found += [read] * number
    return found


def rates_of(folder: Path, study: Study) -> dict[str, float]:
    """Operations per second of each rule, start included, from finished jobs' benchmark files.

    Raises StepError if there are none.
    """
    work: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for job in jobs(study):
        file = folder / job.rule / study.study / f"{job.name.replace(' ', '/')}.tsv"
        if file.is_file():
            work[job.rule] += job.work
            seconds[job.rule] += float(pd.read_csv(file, sep="\t")["s"].mean())
    if not work:
        raise StepError(f"{folder}: no benchmark file of study '{study.study}' in it")
    return {rule: work[rule] / seconds[rule] for rule in work}


def seconds_of(job: Job, gpu: str, rates: dict[str, float]) -> float:
    """GPU-seconds of a job."""
    if job.rule in rates:
        return job.work / rates[job.rule]
    start = STARTS.get(job.rule, START) * job.starts
    return start + job.work / (PEAK[gpu] * REACHED[job.rule])


def disk_bytes(study: Study) -> float:
    """Bytes of all trained models and checkpoints."""
    curve = {(run.model, run.name) for run in runs.curve_runs(study)}
    total = 0.0
    for key, run in runs.all_runs(study).items():
        training = study.training_of(run.model, run.method)
        size = parameters(run.model, study.models[run.model]) * WEIGHT_BYTES[training.precision]
        total += size * (1 + len(study.figures.figure1.checkpoints) * (key in curve))
    return total


def table(study: Study, gpu: str, rates: dict[str, float]) -> pd.DataFrame:
    """Jobs and GPU-hours per rule."""
    rows = [(job.rule, seconds_of(job, gpu, rates) / 3600) for job in jobs(study)]
    frame = pd.DataFrame(rows, columns=["rule", "gpu_hours"])
    summed = frame.groupby("rule", sort=False)["gpu_hours"].agg(["size", "sum", "max"])
    return summed.set_axis(["jobs", "GPU-hours", "longest job"], axis=1).reset_index()


def main(arguments: argparse.Namespace) -> None:
    """Print the plan."""
    study = load_study(arguments.study)
    rates = rates_of(arguments.measured, study) if arguments.measured else {}
    rules = table(study, arguments.gpu, rates)
    hours = rules["GPU-hours"].sum()
    chain = rules["longest job"].sum()
    print(f"study '{study.study}'")
    print(rules.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    print(f"in all: {rules['jobs'].sum()} jobs, {hours:.1f} GPU-hours")
    wall = max(hours / arguments.gpus, chain)
    print(f"wall time on {arguments.gpus} GPUs: at least {wall:.1f} h")
    print(f"price at {arguments.price:g} per GPU-hour: {hours * arguments.price:.0f}")
    print(f"download: {download_bytes(study) / GB:.0f} GB of models")
    print(f"disk: {disk_bytes(study) / GB:.0f} GB of trained models and checkpoints")
    if rates:
        print("measured: " + ", ".join(f"{rule} {rate:.3g}/s" for rule, rate in rates.items()))
    else:
        shares = ", ".join(f"{rule} {100 * share:.0f} %" for rule, share in REACHED.items())
        print(
            f"assumed: {arguments.gpu}, {PEAK[arguments.gpu]:.3g} operations/s, of which {shares}"
        )
        print(f"assumed: {row_tokens(study):.0f} tokens per row, {ANSWER_TOKENS} per answer")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("plan", __doc__)
    options.add_argument("study", help="a study file")
    options.add_argument("--gpus", type=int, default=8, help="GPUs at work at a time")
    options.add_argument("--gpu", choices=list(PEAK), default="h100", help="their model")
    options.add_argument("--price", type=float, default=2.5, help="of a GPU-hour, any currency")
    options.add_argument(
        "--measured", type=Path, metavar="BENCHMARKS", help="folder of finished jobs' benchmarks"
    )
    return options


if __name__ == "__main__":
    run_step(main, parser())
