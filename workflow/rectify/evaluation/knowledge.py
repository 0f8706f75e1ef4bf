"""What a base model knows of the training rows before it is trained, in numbers and as a text."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from rectify.data.rows import read_rows
from rectify.evaluation.tokens import CLASSES, EOS, OTHER, token_classes, token_probabilities
from rectify.models.encoding import UNFIT, Example, encode_each
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.statistics.accuracy import cells_by_benchmark, pass_at_ks, read_scores
from rectify.statistics.overlaps import KEYS, read_overlaps
from rectify.statistics.regimes import COLUMNS, SILENT, share_of, verdict
from rectify.step.errors import StepError


def spaced(count: int, wanted: int) -> np.ndarray:
    """Places of at most `wanted` of `count` rows, evenly spread: rows may be in their sources'
    order.
    """
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(int))


def read_tokens(
    model: str | Path, rows: pd.DataFrame, settings: SimpleNamespace
) -> tuple[pd.DataFrame, list[Example], list[str | None]]:
    """A row for each response token (example, its place among them, class, p); the examples; and
    what is unfit about each of the rows (problem, solution): None, or one of UNFIT.

    settings: prompt, max_length, unfit, micro_batch_size, precision of a training. Raises StepError
    if no row is fit.
    """
    tokenizer = load_tokenizer(model)
    each, kinds = encode_each(tokenizer, settings.prompt, rows, settings.max_length, settings.unfit)
    examples = [example for example in each if example is not None]
    if not examples:
        raise StepError(f"none of the {len(rows)} training rows that were read is fit for training")
    loaded = load_model(Path(model), settings.precision)
    probabilities = token_probabilities(loaded, examples, settings.micro_batch_size)
    parts = [
        pd.DataFrame({"example": index, "class": token_classes(tokenizer, e.response), "p": own})
        for index, (e, own) in enumerate(zip(examples, probabilities, strict=True))
    ]
    return pd.concat(parts, ignore_index=True), examples, kinds


def by_class(tokens: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Of each class of tokens: how many there are (tokens), their mean_p, the share with p < SILENT
    (silenced), of the loss of SFT the share that is theirs (loss), and of the pull on them, 1 - p
    under SFT and p (1 - p) under DFT, the share that DFT takes away (removed).
    """
    # p is 0 where float32 has no smaller one
    tokens = tokens.assign(nll=-np.log(tokens["p"].clip(lower=np.finfo(np.float32).tiny)))
    total, found = tokens["nll"].sum(), {}
    for name in (*CLASSES, OTHER, EOS):
        own = tokens[tokens["class"] == name]
        if own.empty:
            continue
        pull = (1 - own["p"].astype(float)).clip(lower=0)
        found[name] = {
            "tokens": len(own),
            "mean_p": float(own["p"].mean()),
            "silenced": float((own["p"] < SILENT).mean()),
            "loss": float(own["nll"].sum() / total) if total > 0 else 0.0,
            "removed": float((pull**2).sum() / pull.sum()) if pull.sum() > 0 else 0.0,
        }
    return found


def number_share(tokens: pd.DataFrame) -> dict[str, float | int | None]:
    """The number tokens, and the share of them with p < SILENT with its interval over rows; None
    where there are none.
    """
    numbers = tokens[tokens["class"] == "number"]
    if numbers.empty:
        return {"tokens": 0, "share": None, "low": None, "high": None}
    rows = (numbers["p"] < SILENT).groupby(numbers["example"]).agg(["sum", "size"])
    share, low, high = share_of(rows["sum"].to_numpy(), rows["size"].to_numpy())
    return {"tokens": len(numbers), "share": share, "low": low, "high": high}


def duplicates(rows: pd.DataFrame) -> dict[str, int]:
    """Rows whose problem and solution another row before them has, and those whose problem alone
    has been asked before, case and blanks aside.
    """
    problems = rows["problem"].str.lower().str.split().str.join(" ")
    return {
        "rows": int(rows.duplicated(["problem", "solution"]).sum()),
        "problems": int(problems.duplicated().sum()),
    }


def overlapping(file: str | Path) -> dict[str, int]:
    """Problems of each benchmark that training rows share, by a list of `rectify find_overlaps`."""
    pairs = read_overlaps(str(file))
    shared = pairs.loc[pairs["overlaps"].astype(bool), KEYS].drop_duplicates()
    return {str(name): int(count) for name, count in shared.groupby(KEYS[0]).size().items()}


def base_fact(files: list[str], benchmarks: list[str], scoring: dict[str, str]) -> str:
    """average@n and pass@k of the base model in a sentence: means over the benchmarks, as the
    tables have them; `files` are its scores.
    """
    scores = read_scores(files)
    cell = cells_by_benchmark(scores, benchmarks, scoring)["mean"]
    passes = pass_at_ks(scores, benchmarks, scoring)["mean"]
    named = ", ".join(f"{name} {value:.1f}" for name, value in passes.items())
    return (
        f"The base model's average@{cell.n_samples}: {cell.accuracy:.1f} % (95 % interval "
        f"{cell.low:.1f} to {cell.high:.1f}); {named}."
    )


def measure(
    model: str | Path, rows: str | Path, overlaps: str | Path, settings: SimpleNamespace
) -> dict[str, Any]:
    """What a base model knows of a file of training rows, as plain JSON, and the verdict on it.

    settings: those of `read_tokens`, and how many `rows` the model reads; duplicates are looked for
    among all. Raises StepError as it does, or for a file that cannot be read.
    """
    table = read_rows(rows)[["problem", "solution"]]
    seen = table.iloc[spaced(len(table), settings.rows)]
    tokens, examples, kinds = read_tokens(model, seen, settings)
    lengths = [len(example) for example in examples]
    numbers, classes = number_share(tokens), by_class(tokens)
    found = {
        "verdict": verdict(numbers, classes),
        "numbers": numbers,
        "classes": classes,
        "rows": len(table),
        "read": len(seen),
        "unfit": {kind: kinds.count(kind) for kind in UNFIT},
        "max_length": settings.max_length,
        "lengths": {
            "median": float(np.median(lengths)),
            "most": float(np.quantile(lengths, 0.95)),
            "longest": max(lengths),
        },
        "duplicates": duplicates(table),
        "overlaps": overlapping(overlaps),
    }
    return found | {"facts": facts(found)}


def facts(found: dict[str, Any]) -> list[str]:
    """What else is known of the rows, in sentences."""
    rows, read, lengths = found["rows"], found["read"], found["lengths"]
    twice, shared = found["duplicates"], found["overlaps"]
    lines = [
        f"The model has read {read:,} of {rows:,} rows, evenly spread. Their length with the "
        f"prompt: median {lengths['median']:.0f} tokens, 95 % up to {lengths['most']:.0f}, the "
        f"longest {lengths['longest']:,} (max_length {found['max_length']:,})."
    ]
    unfit = {kind: count for kind, count in found["unfit"].items() if count}
    lines += [f"Unfit: {count:,} of {read:,} {UNFIT[kind]}." for kind, count in unfit.items()]
    lines.append(
        f"Duplicates among all {rows:,} rows: {twice['rows']:,} the same as one before, "
        f"{twice['problems']:,} with a problem that has been asked before (case and blanks aside)."
    )
    named = ", ".join(f"{count:,} of {name}" for name, count in shared.items())
    lines.append(f"Benchmark problems that overlap with the rows: {named or 'none'}.")
    return lines


def markdown(name: str, found: dict[str, Any]) -> str:
    """A model's findings as a person reads them."""
    said = found["verdict"]
    lines = [f"**{name}: {said['sentence']}**", "", *(f"- {line}" for line in said["reasons"])]
    head = ["tokens", "number", *COLUMNS.values()]
    lines += ["", *said["uncertainty"], "", f"| {' | '.join(head)} |"]
    lines.append(f"|---|{'---:|' * (len(head) - 1)}")
    for own, values in found["classes"].items():
        cells = (f"{values[key]:.3f}" for key in COLUMNS)
        lines.append(f"| {own} | {values['tokens']:,} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"- {line}" for line in found["facts"])]) + "\n"
