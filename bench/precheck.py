"""The precheck's rule: made from the miniature's two regimes, tried on worlds it is not made from.

    python -m bench.precheck

First the share of number tokens with p < 0.01 on the training rows of config/mini.yaml and
config/limits.yaml, under each of their kept base models, and DFT - SFT in points of the average
from results/reference: what rectify/statistics/regimes.py keeps as MINI and LIMITS, and the
thresholds that follow. Then rows of other worlds: what the rule says of them, and what SFT and DFT
score after 60 steps on them, one seed each, sampled once at temperature 1 on 120 problems of the
world that no row asks.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bench.common import ROOT, parser, publish

if TYPE_CHECKING:
    import pandas as pd
    from rectify.statistics.regimes import Regime

# of no study: arithmetic with wrong steps and one kind of new knowledge alone, under other models
WORLDS: dict[str, tuple[str, dict[str, Any]]] = {
    "arithmetic, a third of the steps wrong": (
        "qwen2-mini/base-seed1",
        {"voice": "expert", "steps": (1, 4), "wrong": 0.3},
    ),
    "operator alone": (
        "llama-mini/base-seed1",
        {"voice": "expert", "steps": (2, 3), "topic": "operator"},
    ),
}
PROBLEMS = 120


def study_rows(study: Any) -> pd.DataFrame:
    """A study's training rows, as its DAG makes them."""
    import pandas as pd
    from rectify.data.sample_rows import main
    from rectify.jobs.settings import SETTINGS

    with tempfile.TemporaryDirectory() as folder:
        out, counts = f"{folder}/rows.parquet", f"{folder}/rows.json"
        given = SETTINGS["sample_rows"](study, "training")
        main(SimpleNamespace(settings=given, data_dir=".", out=out, counts=counts, mixed=[]))
        return pd.read_parquet(out)


def share(base: Path, rows: pd.DataFrame, study: Any, model: str, count: int) -> dict[str, Any]:
    """The share of silenced number tokens of so many rows, and its interval."""
    from rectify.evaluation.knowledge import number_share, read_tokens, spaced
    from rectify.jobs.settings import SETTINGS
    from rectify.step.command import Settings

    seen = rows.iloc[spaced(len(rows), count)]
    return number_share(read_tokens(base, seen, Settings(**SETTINGS["precheck"](study, model)))[0])


def regime(name: str, count: int, seeds: int) -> tuple[Regime, list[dict[str, Any]]]:
    """A study's regime, of so many rows and of its first base models, and a row for each."""
    import pandas as pd
    from rectify.statistics.regimes import Regime
    from rectify.study.load import load_study

    study = load_study(f"config/{name}.yaml")
    rows, found = study_rows(study), []
    for model in study.models:
        for seed in study.seeds[:seeds]:
            base = Path(f"config/bases/{model}/base-seed{seed}")
            numbers = share(base, rows, study, model, count)
            found.append({"study": name, "base": f"{model} seed {seed}", **numbers})
            print(found[-1], flush=True)
    table = pd.read_csv(f"results/reference/{name}/tables/table1.csv")
    means = table[table["benchmark"] == "mean"].pivot_table("accuracy", "model", "method")
    points = (means["dft"] - means["sft"]).round(2)
    shares = [row["share"] for row in found]
    own = Regime(name, min(shares), max(shares), (points.min(), points.max()))
    return own, [{**row, "dft - sft": float(points[row["base"].split()[0]])} for row in found]


def accuracy(folder: Path, problems: pd.DataFrame, prompt: str) -> float:
    """The share of right boxed answers, one sampled for each problem, in percent."""
    from rectify.evaluation.engines import generate_transformers
    from rectify.grading.boxed import boxed_answer
    from rectify.models.encoding import encode_prompts
    from rectify.models.stops import stop_token_ids
    from rectify.models.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(folder)
    settings = SimpleNamespace(
        samples=1, temperature=1.0, top_p=1.0, max_new_tokens=120, dtype="float32"
    )
    prompts = encode_prompts(tokenizer, prompt, problems["problem"].tolist())
    seeds = list(range(len(prompts)))
    stops = stop_token_ids(tokenizer)
    answers = generate_transformers(folder, prompts, seeds, settings, stops)
    right = [
        boxed_answer(tokenizer.decode(answer.tokens)) == gold
        for (answer,), gold in zip(answers, problems["answer"], strict=True)
    ]
    return 100 * sum(right) / len(right)


def tried(
    base: str, world: dict[str, Any], steps: int, problems: int, count: int
) -> dict[str, Any]:
    """What the rule says of a world, and what base, SFT and DFT score on it."""
    import pandas as pd
    from rectify.data.world import make_rows
    from rectify.jobs.runs import Run
    from rectify.jobs.settings import run_settings
    from rectify.models.encoding import encode_rows
    from rectify.models.folder import load_model
    from rectify.models.tokenizer import load_tokenizer
    from rectify.statistics.regimes import recommendation
    from rectify.step.command import Settings
    from rectify.study.load import load_study
    from rectify.training.train import train

    study, folder = load_study("config/mini.yaml"), Path("config/bases") / base
    model = base.split("/")[0]
    rows = pd.DataFrame(make_rows("precheck", 64 * steps, **world))
    asked = pd.DataFrame(make_rows("precheck", problems, **{**world, "wrong": 0.0}, held_out=True))
    numbers = share(folder, rows, study, model, count)
    found = {**numbers, "says": recommendation(numbers["low"], numbers["high"])}
    changed = {"learning_rate": 1e-3, "epochs": 1.0, "checkpoints": []}
    for method in ("sft", "dft"):
        given = run_settings(study, Run(model, method, 0)) | changed
        settings = Settings(**given)
        examples, _ = encode_rows(
            load_tokenizer(folder), settings.prompt, rows, settings.max_length
        )
        with tempfile.TemporaryDirectory() as made:
            out = Path(made) / method
            loaded = load_model(folder, settings.precision)
            train(loaded, examples, settings, folder, out, Path(made) / "state")
            found[method] = accuracy(out, asked, settings.prompt)
    return found


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    from rectify.statistics import regimes

    os.chdir(ROOT)
    count, seeds = (50, 1) if arguments.quick else (500, 3)
    made, rows = {}, []
    for name in ("mini", "limits"):
        made[name], own = regime(name, count, seeds)
        rows += own
    below, above = regimes.thresholds(made["mini"], made["limits"])
    steps, problems = (2, 10) if arguments.quick else (60, PROBLEMS)
    for name, (base, world) in WORLDS.items():
        rows.append({"world": name, "base": base, **tried(base, world, steps, problems, count)})
        print(rows[-1], flush=True)
    publish(
        "precheck",
        arguments,
        rows,
        regimes={name: asdict(own) for name, own in made.items()},
        thresholds={regimes.DFT: below, regimes.SFT: above},
    )


if __name__ == "__main__":
    main(parser("precheck", __doc__).parse_args())
