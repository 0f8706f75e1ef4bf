"""results/reference/matched, a run of config/matched.yaml: each method at its own learning rate.
The README's numbers are that run's, and what is said of them holds.
"""

import math
import re

import pandas as pd
import pytest
from helpers import ROOT

REFERENCE = ROOT / "results" / "reference" / "matched"
MODELS = {"qwen2-mini": "Qwen2-mini", "llama-mini": "Llama-mini"}
METHODS = {"sft": "SFT", "iw-sft": "iw-SFT", "dft": "DFT"}


@pytest.fixture(scope="module")
def cells():
    """The tables' cells by (model, method, benchmark)."""
    tables = [pd.read_csv(REFERENCE / "tables" / f"table{n}.csv") for n in (1, 2)]
    return (
        pd.concat(tables).drop_duplicates(keys := ["model", "method", "benchmark"]).set_index(keys)
    )


@pytest.fixture(scope="module")
def rates():
    """The chosen learning rates by (model, method)."""
    table = pd.read_csv(REFERENCE / "tables" / "learning_rates.csv")
    return table[table["chosen"]].set_index(["model", "method"])


def test_the_readmes_table_is_that_of_this_run(cells, rates):
    readme = (ROOT / "README.md").read_text()
    rows = []
    for model, model_title in MODELS.items():
        for method, title in METHODS.items():
            means = [cells.loc[model, name, "mean"] for name in (method, f"{method}-own")]
            hardest = cells.loc[model, f"{method}-own", "six-steps"]
            shown = [f"{cell.accuracy:.2f} ± {cell.stderr:.2f}" for cell in (*means, hardest)]
            rate = rates.loc[(model, f"{method}-own"), "learning_rate"]
            rows.append(f"| {model_title} | {title} | {rate:g} | {' | '.join(shown)} |")
    assert "\n".join(rows) in readme


def test_no_chosen_rate_is_at_an_end_of_those_tried(rates):
    """Else a better one might lie beyond."""
    table = pd.read_csv(REFERENCE / "tables" / "learning_rates.csv")
    chosen = rates["learning_rate"]
    tried = table.groupby(["model", "method"])["learning_rate"].agg(["min", "max"])
    tried = tried.loc[chosen.index]
    assert ((tried["min"] < chosen) & (chosen < tried["max"])).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("benchmark", ["mean", "six-steps"])
def test_dft_is_above_sft_each_at_its_own_rate(cells, model, benchmark):
    """By two standard errors of their difference."""
    sft, dft = (cells.loc[model, f"{method}-own", benchmark] for method in ("sft", "dft"))
    assert dft.accuracy > sft.accuracy + 2 * math.hypot(sft.stderr, dft.stderr)


@pytest.mark.parametrize("model", MODELS)
def test_at_its_own_rate_sft_is_below_the_base_model_on_the_hardest_benchmark_still(cells, model):
    base, sft, dft = (cells.loc[model, name, "six-steps"].accuracy
                      for name in ("base", "sft-own", "dft-own"))  # fmt: skip
    assert sft < base < dft
    gaps = re.search(r"its own learning rate SFT is ([\d.]+) and ([\d.]+) points below DFT",
                     " ".join((ROOT / "README.md").read_text().split()))  # fmt: skip
    sft, dft = (cells.loc[model, f"{method}-own", "mean"].accuracy for method in ("sft", "dft"))
    assert float(gaps[1 + list(MODELS).index(model)]) == pytest.approx(dft - sft, abs=0.005)
