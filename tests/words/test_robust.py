"""results/reference/robust, a run of config/robust.yaml: in how many of ten pretrainings of each
architecture each finding comes out; the README's counts are that run's.
"""

import pandas as pd
import pytest
from helpers import ROOT

REFERENCE = ROOT / "results" / "reference" / "robust"
MODELS = ["Qwen2-mini", "Llama-mini"]


@pytest.fixture(scope="module")
def seen():
    """Of each model and pretraining, the quantities of each method."""
    points = pd.read_csv(REFERENCE / "figures" / "findings.csv")
    return points.pivot(index=["model", "seed"], columns=["quantity", "method"], values="value")


def counts(held):
    """In how many pretrainings of each model something held."""
    return held.groupby("model").sum()[MODELS].tolist()


def test_there_are_ten_pretrainings_of_each_architecture(seen):
    assert seen.groupby("model").size()[MODELS].tolist() == [10, 10]
    assert (
        not seen.drop(columns=[("lowest", "base"), ("highest", "base")], errors="ignore")
        .isna()
        .any(axis=None)
    )


def test_dft_is_above_sft_on_the_average_in_all_of_them(seen):
    assert counts(seen["average", "dft"] > seen["average", "sft"]) == [10, 10]


def test_on_the_hardest_benchmark_sft_falls_below_base_and_dft_rises_above_it_in_at_least_nine(
    seen,
):
    base, sft, dft = (seen["hardest", method] for method in ("base", "sft", "dft"))
    assert min(counts(sft < base)) >= 9
    assert min(counts(dft > base)) >= 9


def test_dft_has_more_mass_than_sft_in_both_outer_bins_in_all_of_them(seen):
    more = (seen[place, "dft"] > seen[place, "sft"] for place in ("lowest", "highest"))
    assert [counts(each) for each in more] == [[10, 10], [10, 10]]


def test_the_readmes_counts_are_those_of_this_run(seen):
    base, sft, dft = (seen["hardest", method] for method in ("base", "sft", "dft"))
    outer = [seen[place, "dft"] > seen[place, "sft"] for place in ("lowest", "highest")]
    findings = {
        "DFT above SFT on the average": seen["average", "dft"] > seen["average", "sft"],
        "SFT below the base model on six steps, DFT above it": (sft < base) & (base < dft),
        "DFT with more tokens than SFT in both outer bins": outer[0] & outer[1],
    }
    readme = " ".join((ROOT / "README.md").read_text().split())
    for words, held in findings.items():
        qwen, llama = counts(held)
        assert f"| {words} | {qwen} of 10 | {llama} of 10 |" in readme
