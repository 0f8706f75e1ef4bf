"""What a study will cost before it is run: jobs, GPU-hours, wall time, disk, download, price.

    rectify plan config/paper.yaml --gpus 8 --gpu h100 --price 2.5

Work is counted in floating-point operations (rectify.planning.flops). What turns it into time is
assumed, and printed: the GPU's peak, the share of it that is reached, tokens per row and per
answer, the start of a process. `--measured BENCHMARKS` takes the rates from Snakemake's benchmark
files of finished jobs instead.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import pandas as pd

from rectify.jobs import runs
from rectify.planning.flops import ANSWER_TOKENS, Job, jobs, row_tokens
from rectify.planning.sizes import (
    CHECKPOINT_BYTES,
    GB,
    WORKING_BYTES,
    disk_bytes,
    download_bytes,
    parameters,
    training_needs,
)
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.tables import read_csv
from rectify.study.load import load_study
from rectify.study.schema import Study

PEAK = {  # dense bf16, per GPU, as NVIDIA prints it
    "l4": 121e12, "a10": 125e12, "rtx4090": 165e12, "a100": 312e12, "h100": 989e12, "h200": 989e12,
}  # fmt: skip
REACHED = {
    "pretrain_model": 0.40,
    "train_model": 0.40,
    "train_ppo": 0.40,
    "measure_probabilities": 0.40,
    "measure_divergence": 0.40,
    "weigh_rows": 0.40,
    "precheck": 0.40,
    "decode_benchmarks": 0.08,
    "decode_validation": 0.08,
    "decode_retention": 0.08,
    "decode_checkpoints": 0.08,
    "decode_questions": 0.08,
}  # assumed shares of the peak
START = 45.0  # seconds, assumed, of a process with a GPU
ENGINE_START = 60.0  # the same of one that starts vLLM


def rates_of(folder: Path, study: Study) -> dict[str, float]:
    """Operations per second of each kind of job, start included, from finished ones' benchmarks.

    Raises StepError if there are none.
    """
    work: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for job in jobs(study):
        file = folder / job.rule / study.study / f"{job.name.replace(' ', '/')}.tsv"
        if file.is_file():
            work[job.kind] += job.work
            seconds[job.kind] += float(read_csv(file, numbers=("s",), sep="\t")["s"].mean())
    if not work:
        raise StepError(f"{folder}: no benchmark file of study '{study.study}' in it")
    return {kind: work[kind] / seconds[kind] for kind in work}


def seconds_of(job: Job, gpu: str, rates: dict[str, float]) -> float:
    """GPU-seconds of a job."""
    if job.kind in rates:
        return job.work / rates[job.kind]
    start = ENGINE_START if job.rule.startswith("decode") else START
    return start * job.starts + job.work / (PEAK[gpu] * REACHED[job.rule])


def state_bytes(study: Study) -> float:
    """Bytes of the two checkpoints that the largest training keeps to resume from."""
    needs = [0.0]
    for run in runs.trained_runs(study).values():
        training = study.training_of(run.model, run.method, **dict(run.overrides))
        weights = parameters(run.model, study.models[run.model])
        needs.append(2 * CHECKPOINT_BYTES[training.precision] * weights)
    return max(needs)


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
    print(f"study '{study.study}'")
    print(rules.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    print(f"in all: {rules['jobs'].sum()} jobs on GPUs, {hours:.1f} GPU-hours")
    print(f"wall time with {arguments.gpus} GPUs always busy: {hours / arguments.gpus:.1f} h")
    print(f"price at {arguments.price:g} per GPU-hour: {hours * arguments.price:.0f}")
    needs = training_needs(study, 1)
    largest = max(needs, key=needs.get)
    print(
        f"memory: {needs[largest] / GB:.0f} GB for a training of {largest} alone on a GPU, of "
        f"which {WORKING_BYTES / GB:.0f} GB are assumed for activations and logits"
    )
    print(f"download: {download_bytes(study) / GB:.0f} GB of models")
    print(
        f"disk: {disk_bytes(study) / GB:.0f} GB of trained models and checkpoints, and up to "
        f"{state_bytes(study) / GB:.0f} GB for each training while it runs"
    )
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
