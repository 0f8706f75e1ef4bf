r"""Sample answers to every benchmark problem from one model, or from each checkpoint of a run.

    rectify decode --settings SETTINGS --benchmarks a.parquet b.parquet \
        --model FOLDER [--checkpoints] [--part 1/4] --out samples.parquet

SETTINGS is a file of JSON: `rectify show_settings config/mini.yaml decode_benchmarks
qwen2-mini` prints a study's. Writes one row per sample: benchmark, checkpoint (0 where FOLDER
itself was decoded), problem_id, sample, seed, text, n_tokens, finish_reason (`stop`, or `length`
where the room ran out). A problem whose prompt leaves no room for an answer is skipped, counted and
said.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from rectify.data.rows import read_benchmarks
from rectify.evaluation.engines import ENGINES
from rectify.evaluation.seeds import check_streams, problem_seed
from rectify.models.config import context_of
from rectify.models.encoding import encode_problems
from rectify.models.stops import cut_at_stop, stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.manifest import note
from rectify.step.tables import write_parquet

COLUMNS = {
    "checkpoint": int, "benchmark": object, "problem_id": int, "sample": int, "seed": int,
    "text": object, "n_tokens": int, "finish_reason": object,
}  # fmt: skip


def decode(folder: Path, problems: pd.DataFrame, settings: SimpleNamespace) -> Iterator[dict]:
    """Yield a row per sample of the model in `folder`; `problems` as `read_benchmarks` gives.

    Problems whose prompt leaves no room for an answer have none.
    """
    tokenizer = load_tokenizer(folder)
    prompts = encode_problems(tokenizer, settings.prompt, problems)
    context = context_of(folder)
    room = [len(prompt) < context for prompt in prompts]
    problems, prompts = problems[room], list(itertools.compress(prompts, room))
    if not prompts:
        return
    seeds = [
        problem_seed(settings.seed, row.benchmark, row.problem_id, settings.samples)
        for row in problems.itertuples()
    ]
    generate = ENGINES[settings.engine]
    answers = generate(folder, prompts, seeds, settings, stop_token_ids(tokenizer))
    for row, seed, completions in zip(problems.itertuples(), seeds, answers, strict=True):
        for index, completion in enumerate(completions):
            yield {
                "benchmark": row.benchmark,
                "problem_id": row.problem_id,
                "sample": index,
                "seed": seed + index,
                "text": cut_at_stop(tokenizer.decode(completion.tokens)),
                "n_tokens": len(completion.tokens),
                "finish_reason": completion.finish_reason,
            }


def checkpoints(model: Path) -> dict[int, Path]:
    """A run's checkpoint folders by step; raises StepError if it has none."""
    found = {int(folder.name.split("-")[1]): folder for folder in model.glob("checkpoint-*")}
    if not found:
        raise StepError(f"{model}: no checkpoint-N folder in it; see figures.figure1.checkpoints")
    return dict(sorted(found.items()))


def fraction(text: str) -> tuple[int, int]:
    """`2/4` as (2, 4)."""
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a part such as 1/4")
    return int(index), int(count)


def state_prompts(folder: Path, problems: pd.DataFrame, style: str) -> None:
    """Say, in the manifest too, how many prompts are too long for the model in `folder`.

    Raises StepError if all are.
    """
    tokenizer, context = load_tokenizer(folder), context_of(folder)
    stop_token_ids(tokenizer)  # for the manifest
    lengths = np.array(list(map(len, encode_problems(tokenizer, style, problems))))
    over = np.flatnonzero(lengths >= context)
    note(prompts={"given": len(lengths), "too_long": len(over)})
    if not len(over):
        return
    first = problems.iloc[over[0]]
    said = (
        f"benchmark '{first.benchmark}' problem {first.problem_id}: its prompt has "
        f"{lengths[over[0]]} tokens, but {folder} takes {context}"
    )
    if len(over) == len(lengths):
        raise StepError(f"{said}; none of {len(lengths)} prompts leaves room for an answer")
    print(f"prompts: {len(lengths)}, too long {len(over)}, which are skipped; {said}", flush=True)


def own_problems(arguments: argparse.Namespace, settings: SimpleNamespace) -> pd.DataFrame:
    """This process's part of the problems, as `read_benchmarks` gives them."""
    problems = read_benchmarks(arguments.benchmarks)
    if settings.problems:
        problems = problems.groupby("benchmark", sort=False).head(settings.problems)
    check_streams(settings.seed, problems["benchmark"].value_counts().to_dict(), settings.samples)
    state_prompts(next(iter(folders(arguments).values())), problems, settings.prompt)
    index, count = arguments.part
    return problems.iloc[index - 1 :: count]  # every part has its share of each benchmark


def folders(arguments: argparse.Namespace) -> dict[int, Path]:
    """The model folders to decode by step: the checkpoints, or the model itself as 0."""
    model = Path(arguments.model)
    return checkpoints(model) if arguments.checkpoints else {0: model}


def decode_folders(arguments: argparse.Namespace, settings: SimpleNamespace) -> pd.DataFrame:
    """The samples of this process's part of the problems."""
    problems = own_problems(arguments, settings)
    rows = []
    for step, folder in folders(arguments).items():
        print(f"decoding {len(problems)} problems x {settings.samples} from {folder}", flush=True)
        rows += [{"checkpoint": step, **row} for row in decode(folder, problems, settings)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    samples = decode_folders(arguments, Settings(**arguments.settings))
    keys = ["checkpoint", "benchmark", "problem_id", "sample"]
    write_parquet(arguments.out, samples.sort_values(keys, ignore_index=True))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("decode", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--benchmarks", required=True, nargs="+", help="Parquet files of problems")
    options.add_argument("--model", required=True, help="model folder")
    options.add_argument(
        "--checkpoints", action="store_true", help="decode each FOLDER/checkpoint-N instead"
    )
    options.add_argument(
        "--part", type=fraction, default=(1, 1), help="every N-th problem: 1/4 to 4/4 are all"
    )
    options.add_argument("--out", required=True, help="Parquet file to write")
    return options
