"""results/reference/zoo, a run of config/zoo.yaml: every rule at the same settings. The README's
rows are that run's, and what is said of them holds.
"""

import re

import pandas as pd
import pytest
from helpers import ROOT
from rectify.report.tables.tabulate_rates import at_an_end
from rectify.study.load import load_study

REFERENCE = ROOT / "results" / "reference" / "zoo"
SHOWN = 8  # rows of either end


@pytest.fixture(scope="module")
def ranking():
    """The rows, the best first, by method."""
    return pd.read_csv(REFERENCE / "figures" / "ranking.csv").set_index("method")


@pytest.fixture(scope="module")
def readme():
    return " ".join((ROOT / "README.md").read_text().split())


def difference(row, rival):
    """A difference with its interval, as the README has it."""
    if pd.isna(row[f"difference_{rival}"]):
        return "–"
    middle, low, high = (row[f"{end}_{rival}"] for end in ("difference", "low", "high"))
    sure = "**" if row[f"p_holm_{rival}"] < 0.05 else ""
    return f"{sure}{middle:+.1f}{sure} ({low:+.1f} to {high:+.1f})"


def line(method, row, titles):
    """A row of the README's table."""
    values = (f"{row['accuracy']:.1f} ± {row['stderr']:.1f}", difference(row, "sft"),
              difference(row, "dft"))  # fmt: skip
    return f"| {titles[method]} | {' | '.join(values)} |"


@pytest.mark.usefixtures("at_root")
def test_the_readmes_rows_are_the_first_and_the_last_of_this_run(ranking):
    methods = load_study("config/zoo.yaml").methods
    titles = {name: method.title for name, method in methods.items()} | {"base": "Base"}
    rows = [line(method, row, titles) for method, row in ranking.iterrows()]
    assert len(rows) == 45
    shown = "\n".join([*rows[:SHOWN], "| ... | | | |", *rows[-SHOWN:]])
    assert shown in (ROOT / "README.md").read_text()


def test_what_is_said_of_them_holds(ranking, readme):
    above = ranking[ranking["accuracy"] > ranking.loc["dft", "accuracy"]]
    assert list(above.index) == ["prift", "asft", "prift-mass"]
    assert (above["low_dft"] < 0).all()  # none of them surely
    sure = ranking[ranking["p_holm_sft"] < 0.05]
    said = re.search(r"Holm's correction (\w+) rules differ from SFT", readme)[1]
    assert said == ["no", "one", "two", "three", "four", "five"][len(sure)]
    below = (ranking["accuracy"] < ranking.loc["base", "accuracy"]).sum()
    assert f"{below} of the 44 are below the base model" in readme
    weights = pd.read_csv(REFERENCE / "row_weights/qwen2-mini/dft-seed0.csv").set_index("name")
    word, number = weights.loc[["word", "number"], "mean_weight"]
    assert f"words have a mean weight of {word:.2f}, numbers of {number:.2f}" in readme
    stderr = ranking.loc["sft", "stderr"]
    assert f"standard error of {stderr:.1f} points" in readme


@pytest.fixture(scope="module")
def matched():
    """The same of config/zoo-matched.yaml: most rules at their own learning rates."""
    file = ROOT / "results" / "reference" / "zoo-matched" / "figures" / "ranking.csv"
    table = pd.read_csv(file)
    return table.assign(method=table["method"].str.removesuffix("-own")).set_index("method")


def test_what_is_said_of_their_own_learning_rates_holds(ranking, matched, readme):
    first = ["prift", "asft", "prift-mass", "dft"]
    assert list(matched.index[:4]) == list(ranking.index[:4]) == first
    assert (matched.loc[first, "learning_rate"] == 4e-4).all()
    assert (matched.loc[first[:3], "low_dft"] < 0).all()
    sft, base = matched.loc["sft"], matched.loc["base"]
    assert sft["learning_rate"] == 3.6e-3
    said = f"SFT goes from {sft['fixed']:.1f} to {sft['accuracy']:.1f}"
    assert said in readme
    below = (matched["accuracy"] < base["accuracy"]).sum()
    assert f"of the 44, {below} are below the base model still" in readme
    sure = matched.index[(matched["p_holm_sft"] < 0.05) & (matched["difference_sft"] > 0)]
    assert set(sure) == {"asft", "dft-power", "trsft"}
    rates = pd.read_csv(ROOT / "results/reference/zoo-matched/tables/learning_rates.csv")
    assert f"{len(at_an_end(rates))} of the {rates['method'].nunique()} rules" in readme
