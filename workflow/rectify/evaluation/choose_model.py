r"""Take the model with the best of several learning rates, by validation problems.

    rectify choose_model --settings SETTINGS --overlaps validation.csv --out models/m/sft-own-seed0

SETTINGS is a file of JSON, a run's as `rectify show_settings STUDY choose_model MODEL RUN` prints
it: scoring, benchmarks (the validation problems'), and for each of learning_rates the model of this
seed and the scores of all seeds. The list of overlaps is that of `rectify find_overlaps`: problems
that training rows or the tables' benchmarks share do not count. Taken is the learning rate with the
highest average over benchmarks and seeds; of equal ones the first. OUT gets its model's files
(links, where that can be) and choice.csv, a row for each learning rate: accuracy, stderr and its
95 % interval in percent; `behind`, how many points it is behind the best, with the paired
difference's 95 % interval and p value; and which one was chosen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from rectify.statistics.accuracy import cells_by_benchmark, read_scores
from rectify.statistics.comparisons import compare
from rectify.statistics.overlaps import read_overlaps, without
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import replacing, write_text
from rectify.step.manifest import note
from rectify.step.reuse import link_files

CHOICE = "choice.csv"


def choice(
    scores: dict[float, pd.DataFrame], benchmarks: list[str], scoring: dict[str, str]
) -> pd.DataFrame:
    """A row for each learning rate, as they are in `scores`, those of all seeds.

    Columns: learning_rate, accuracy, stderr, low, high, n_problems, n_seeds, behind, behind_low,
    behind_high, p_value (NaN for the best one, which nothing is compared with), chosen. Raises
    StepError if they did not answer the same problems.
    """
    means = {rate: cells_by_benchmark(own, benchmarks, scoring)["mean"]
             for rate, own in scores.items()}  # fmt: skip
    best = max(means, key=lambda rate: means[rate].accuracy)
    rows = []
    for rate, cell in means.items():
        columns = ("accuracy", "stderr", "low", "high", "n_problems", "n_seeds")
        row = {"learning_rate": rate, **{name: getattr(cell, name) for name in columns}}
        if rate != best:
            found = compare(scores[best], scores[rate], benchmarks, scoring)["mean"]
            row |= {"behind": found.difference, "behind_low": found.low,
                    "behind_high": found.high, "p_value": found.p_value}  # fmt: skip
        rows.append(row | {"chosen": rate == best})
    order = ["learning_rate", *columns, "behind", "behind_low", "behind_high", "p_value", "chosen"]
    return pd.DataFrame(rows).reindex(columns=order)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = Settings(**arguments.settings)
    pairs = read_overlaps(arguments.overlaps)
    named = {entry["learning_rate"]: entry for entry in settings.learning_rates}
    scores = {rate: read_scores(entry["scores"]) for rate, entry in named.items()}
    counted = {rate: without(own, pairs) for rate, own in scores.items()}
    asked, left = (found[next(iter(named))] for found in (scores, counted))
    problems = ["benchmark", "problem_id"]
    lost = len(asked[problems].drop_duplicates()) - len(left[problems].drop_duplicates())
    for name in settings.benchmarks:
        if (count := left.loc[left["benchmark"] == name, "problem_id"].nunique()) < 2:
            raise StepError(
                f"benchmarks.{name}: {count} of its problems are left without those that training "
                f"rows or the tables' benchmarks have too (listed in {arguments.overlaps}), and at "
                "least 2 are needed; take other ones, or more"
            )
    table = choice(counted, settings.benchmarks, settings.scoring)
    (best,) = table.loc[table["chosen"], "learning_rate"]
    note(learning_rate=best, problems_left_out=lost)
    with replacing(arguments.out) as temporary:
        link_files(Path(named[best]["model"]), temporary)
        write_text(temporary / CHOICE, table.to_csv(index=False, float_format="%.10g"))
    print(table.to_string(index=False))
    print(f"{lost} validation problems were left out: training rows or the tables have them too")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("choose_model", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--overlaps", required=True, help="CSV of rectify find_overlaps")
    options.add_argument("--out", required=True, type=Path, help="folder of the model to make")
    return options
