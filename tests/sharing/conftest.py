"""Fixtures: the finished small study with its models' cards, and with the best of a sweep."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import scores_of, settings_file
from rectify.jobs.cards import card_layout
from rectify.jobs.sweeps import choice_settings
from rectify.study.load import load_study
from small_study import STUDY, card_settings, inside, run

MODELS = "results/small/models/m"

# SWEPT: a choice between two runs that the small study has anyway
SWEPT = {
    **STUDY,
    "benchmarks": {
        **STUDY["benchmarks"],
        "unseen": {
            "title": "Unseen", "role": "validation", "world": {"steps": [1, 2]}, "rows": 2
        },
    },
    "methods": {
        **STUDY["methods"],
        "own": {"title": "Own", "sweep": {"of": "dft", "learning_rates": [1e-4, 2e-4]},
                "seeds": 1},
    },
    "tables": {"table1": {"caption": "Table 1.", "methods": ["base", "dft", "own"]}},
}  # fmt: skip


@pytest.fixture
def carded(study_copy):
    """The finished study with its cards."""
    with inside(study_copy):
        run("write_cards", "--settings", settings_file(card_settings(study_copy)))
    return study_copy


@pytest.fixture
def swept(study_copy):
    """The finished study with the best of a sweep, 2e-4, its scores and all cards."""
    folder, base = study_copy, "results/small"
    with inside(folder):
        study = load_study(SWEPT)
        settings = choice_settings(study, "m", "own-seed0")
        for entry, right in zip(settings["learning_rates"], (1, 3), strict=True):
            counts = np.arange(4) < right
            outcomes = np.broadcast_to(counts, (2, 1, 4)).astype(float)
            scores = scores_of(outcomes, "unseen").drop(columns=["seed", "repeat"])
            (file,) = entry["scores"]
            scores.assign(harness=scores["correct"], status="ok", checkpoint=0).to_parquet(file)
        Path("none.csv").write_text("benchmark,problem_id,row,kind,overlaps\n")
        run("choose_model", "--settings", settings_file(settings), "--overlaps", "none.csv",
            "--out", f"{MODELS}/own-seed0")  # fmt: skip
        # the tables' verdicts on it, with those of other problems among them
        scores = pd.read_parquet(f"{base}/scores/m/dft-lr0.0002-seed0.parquet")
        other = scores.assign(benchmark="unseen", correct=False)
        pd.concat([scores, other]).to_parquet(f"{base}/scores/m/own-seed0.parquet")
        run("write_cards", "--settings", settings_file(card_layout(study)))
    return folder
