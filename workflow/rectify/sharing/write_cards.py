"""Write the card of every model that is made here: README.md in its folder, as the hub reads it.

    rectify write_cards --settings SETTINGS

SETTINGS is a file of JSON, as the rule `write_cards` gives it: `rectify show_settings
config/mini.yaml write_cards`. A card's metadata block names base model, training data and, in
its model-index, the average@n in percent on each benchmark; a model that is trained but not scored
(for Figure 2, say) has none. That of the best of a sweep has the learning rates that it was chosen
among, by its folder's choice.csv. Writes nothing but the README.md of each folder, which no hash of
a model takes in (rectify.step.manifest).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rectify.sharing.model_card import card_of, check_card
from rectify.statistics.accuracy import cells_by_benchmark, read_scores
from rectify.step.command import settings_file, step_parser
from rectify.step.files import write_text
from rectify.step.manifest import MODEL_CARD
from rectify.step.tables import read_csv

CHOICE = ("learning_rate", "accuracy", "low", "high", "n_seeds", "chosen")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = arguments.settings
    names = [benchmark["name"] for benchmark in settings["benchmarks"]]
    for run in settings["runs"]:
        cells = None
        if run["scores"]:
            cells = cells_by_benchmark(read_scores([run["scores"]]), names, settings["scoring"])
        folder = Path(run["folder"])
        choice = read_csv(folder / "choice.csv", numbers=CHOICE) if run["swept"] else None
        file = folder / MODEL_CARD
        write_text(file, str(card_of(run, cells, settings, choice)))
        check_card(file)
    print(f"{len(settings['runs'])} model cards")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("write_cards", __doc__)
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    return options
