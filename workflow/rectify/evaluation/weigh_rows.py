r"""Weigh the training rows by a method's objective: what it hardly learns from.

    rectify weigh_rows --settings SETTINGS --rows rows.parquet --model FOLDER --reference FOLDER \
        --out weights

SETTINGS is a file of JSON, a run's as `rectify show_settings STUDY train_model MODEL RUN` prints
it; --model is the trained model whose weights are asked for (or the base, for those at the start),
--reference the base. An older policy is taken for the model itself. Rows are weighed in batches of
the run's size, in the file's order. Writes OUT.parquet, a row for each: its number in the file
(from 0), response tokens, mean weight, mean probability, and the geometric mean of the
probabilities' ratio to the reference; and OUT.csv and OUT.md, these by class of token and for the
ten rows of lowest and of highest mean weight.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, TrainingArguments

from rectify.data.rows import read_rows
from rectify.evaluation.tokens import token_classes
from rectify.models.encoding import Example, encode_each, state_unfit
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.loss import IGNORED, with_token_nll
from rectify.objectives.signature import load_objective
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.files import write_text
from rectify.step.tables import write_parquet
from rectify.training.batches import check_columns, collate
from rectify.training.trainer import WeightedTrainer, fixed_of, with_given

EXTREMES = 10  # rows at either end
SHOWN = 100  # characters of a text
MEANS = ["tokens", "mean_weight", "mean_p", "ratio"]


@torch.no_grad()
def token_weights(
    model: nn.Module,
    reference: nn.Module,
    examples: list[Example],
    settings: SimpleNamespace,
    trained: bool = False,
) -> Iterator[tuple[Example, Tensor, Tensor, Tensor]]:
    """Each example with the weight, log p and log p_ref of its response tokens: [T] each.

    settings: objective, parameters, precision, batch_size and micro_batch_size of a run; trained:
    the weights are those at its end, not at its start, to a rule that knows how far it has come. An
    older policy is the model itself.
    """
    objective = load_objective(settings.objective, settings.parameters)
    check_columns(settings.objective, objective, examples)
    size = settings.micro_batch_size
    batches = [examples[start : start + size] for start in range(0, len(examples), size)]
    frozen = with_token_nll(reference)
    batches = with_given(batches, objective, frozen, settings.precision, 0, {"ref_logp"})
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, report_to="none", use_cpu=not torch.cuda.is_available(),
            bf16=settings.precision == "bf16-mixed", max_steps=1,
        )  # fmt: skip
        trainer = WeightedTrainer(
            with_token_nll(model), arguments, objective=objective, accumulation="token_mean",
            reference=None, fixed=fixed_of(objective, examples),
        )  # fmt: skip
        trainer.state.global_step = int(trained) * trainer.args.max_steps
        device = trainer.accelerator.device
        count = settings.batch_size // size
        for start in range(0, len(batches), count):
            step = batches[start : start + count]
            collated = ({k: v.to(device) for k, v in collate(part).items()} for part in step)
            found, _ = trainer.get_batch_samples(collated, len(step), device)
            for part, batch in zip(step, found, strict=True):
                nll, weight, _ = trainer.weighted(trainer.model, batch)
                mask = batch["targets"] != IGNORED
                for row, example in enumerate(part):
                    keep = mask[row]
                    values = (weight[row], -nll[row], batch["ref_logp"][row])
                    yield example, *(each[keep].float().cpu() for each in values)


def tokens_table(
    tokenizer: PreTrainedTokenizerFast,
    weighed: Iterator[tuple[Example, Tensor, Tensor, Tensor]],
) -> pd.DataFrame:
    """A row for each response token: example (its place), class, weight, p, log_ratio."""
    found = []
    for index, (example, weight, logp, ref_logp) in enumerate(weighed):
        own = {"class": token_classes(tokenizer, example.response), "weight": weight.numpy()}
        own |= {"p": logp.exp().numpy(), "log_ratio": (logp - ref_logp).numpy()}
        found.append(pd.DataFrame(own).assign(example=index))
    return pd.concat(found, ignore_index=True)


def summed_up(tokens: pd.DataFrame, by: str) -> pd.DataFrame:
    """tokens, mean_weight, mean_p and ratio, the geometric mean of p / p_ref, by a column."""
    groups = tokens.groupby(by, sort=False)
    return pd.DataFrame(
        {
            "tokens": groups.size(),
            "mean_weight": groups["weight"].mean(),
            "mean_p": groups["p"].mean(),
            "ratio": np.exp(groups["log_ratio"].mean()),
        }
    )


def short_table(classes: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """What is shown of `summed_up` tokens: a part each of classes, lowest and highest rows.

    Columns: part (token, lowest, highest), name (a class, or a row's number), tokens, mean_weight,
    mean_p, ratio; problem and solution of a row, shortened.
    """
    ranked = rows.sort_values("mean_weight", kind="stable").assign(name=rows["row"])
    shown = min(EXTREMES, len(ranked) // 2)
    parts = {
        "token": classes.rename_axis("name").reset_index(),
        "lowest": ranked.head(shown),
        "highest": ranked.tail(shown)[::-1],
    }
    found = pd.concat([part.assign(part=name) for name, part in parts.items()])
    texts = {key: found[key].fillna("").map(shortened) for key in ("problem", "solution")}
    return found.assign(**texts)[["part", "name", *MEANS, *texts]]


def markdown(shown: pd.DataFrame) -> str:
    """A short table's three parts."""
    head = "tokens | mean weight | mean p | p / p_ref |"

    def line(row: pd.Series, *keys: str) -> str:
        means = (f"{row[key]:.3g}" for key in MEANS[1:])
        texts = (row[key].replace("|", "\\|") for key in keys)
        return f"| {' | '.join([str(row['name']), f'{row.tokens:,}', *means, *texts])} |"

    parts = {name: shown[shown["part"] == name] for name in ("token", "lowest", "highest")}
    lines = [f"| token | {head}", "|---|---:|---:|---:|---:|"]
    lines += [line(row) for _, row in parts["token"].iterrows()]
    for name in ("lowest", "highest"):
        lines += ["", f"Rows of {name} mean weight:", ""]
        lines += [f"| row | {head} problem | solution |", "|---:|---:|---:|---:|---:|---|---|"]
        lines += [line(row, "problem", "solution") for _, row in parts[name].iterrows()]
    return "\n".join(lines) + "\n"


def shortened(text: str) -> str:
    """A text in a table's cell."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 3]}..."


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    tokenizer = load_tokenizer(arguments.model)
    rows = read_rows(arguments.rows).reset_index(drop=True)
    each, kinds = encode_each(tokenizer, settings.prompt, rows, settings.max_length, settings.unfit)
    state_unfit(kinds, settings.unfit, arguments.rows)
    rows = rows[[example is not None for example in each]]
    examples = [example for example in each if example is not None]
    model, reference = (
        load_model(Path(folder), settings.precision)
        for folder in (arguments.model, arguments.reference)
    )
    trained = Path(arguments.model).resolve() != Path(arguments.reference).resolve()
    weighed = token_weights(model, reference, examples, settings, trained)
    tokens = tokens_table(tokenizer, weighed)
    of_rows = summed_up(tokens, "example")
    of_rows.insert(0, "row", rows.index)
    texts = rows[["problem", "solution"]].set_axis(of_rows.index)
    write_parquet(f"{arguments.out}.parquet", of_rows.reset_index(drop=True))
    shown = short_table(summed_up(tokens, "class"), of_rows.join(texts))
    write_text(f"{arguments.out}.csv", shown.to_csv(index=False, float_format="%.6g"))
    write_text(f"{arguments.out}.md", markdown(shown))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("weigh_rows", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--rows", required=True, help="Parquet with columns problem, solution")
    options.add_argument("--model", required=True, help="folder of the model that is trained")
    options.add_argument("--reference", required=True, help="folder of the base model")
    options.add_argument("--out", required=True, help="OUT.parquet, OUT.csv and OUT.md are written")
    return options
