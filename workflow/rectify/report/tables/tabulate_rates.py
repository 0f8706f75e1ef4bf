r"""List the learning rates of a study's sweeps with their validation averages, and those chosen.

    rectify tabulate_rates --settings SETTINGS --out results/mini/tables/learning_rates

SETTINGS is a file of JSON: choices, of each its model and method, their titles, and the folder of
the model that was chosen, in which `rectify choose_model` has left choice.csv. Writes OUT.csv, the
rows of all of these, and OUT.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from rectify.report.tables.markdown import as_markdown
from rectify.step.command import settings_file, step_parser
from rectify.step.files import write_text
from rectify.step.tables import read_csv

NUMBERS = ("learning_rate", "accuracy", "stderr", "low", "high", "n_problems", "n_seeds",
           "behind", "behind_low", "behind_high", "p_value")  # fmt: skip
TITLES = {"model_title": "Model", "method_title": "Method"}
HEAD = (
    "**Learning rates.** Averages over the validation problems, which no table shows, with 95 % "
    "intervals, in percent; and how many points each is behind the best one (paired by problem and "
    "seed), whose models were taken."
)
AT_AN_END = (
    "The best one is the lowest or the highest of those tried, so that a better one may lie beyond"
)


def markdown(table: pd.DataFrame) -> str:
    """The rows, those chosen in bold, under a sentence that says what they are."""
    rows = []
    for row in table.to_dict("records"):
        average = f"{row['accuracy']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        behind = f"{row['behind']:.2f} ({row['behind_low']:.2f} to {row['behind_high']:.2f})"
        rate = f"{row['learning_rate']:g}"
        rows.append(
            {
                **{title: row[key] for key, title in TITLES.items()},
                "Learning rate": f"**{rate}**" if row["chosen"] else rate,
                "Validation average": average,
                "Behind": "chosen" if row["chosen"] else behind,
            }
        )
    shown = as_markdown(pd.DataFrame(rows))
    ends = at_an_end(table)
    note = f"{AT_AN_END}: {', '.join(ends)}.\n\n" if ends else ""
    return f"{HEAD}\n\n{note}{shown}\n"


def at_an_end(table: pd.DataFrame) -> list[str]:
    """The sweeps whose best learning rate is the lowest or the highest of those tried."""
    found = []
    for _, rows in table.groupby(["model", "method"], sort=False):
        rates = rows["learning_rate"]
        (best,) = rates[rows["chosen"].astype(bool)]
        if best in (rates.min(), rates.max()):
            found.append(" ".join(rows[[*TITLES]].iloc[0]))
    return found


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    tables = []
    for choice in arguments.settings["choices"]:
        own = read_csv(Path(choice["folder"]) / "choice.csv", numbers=NUMBERS, others=("chosen",))
        named = ("model", "model_title", "method", "method_title")
        for place, key in enumerate(named):
            own.insert(place, key, choice[key])
        tables.append(own)
    table = pd.concat(tables, ignore_index=True)
    write_text(f"{arguments.out}.csv", table.to_csv(index=False, float_format="%.8g"))
    write_text(f"{arguments.out}.md", markdown(table))
    print(markdown(table))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("tabulate_rates", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="path without ending to write to")
    return options
