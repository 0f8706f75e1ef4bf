"""results/reference/smollm, a run of config/smollm.yaml: the README's numbers are that run's, and
what is said of them holds.
"""

import re

import pandas as pd
import pytest
from helpers import ROOT

REFERENCE = ROOT / "results" / "reference" / "smollm"
TITLES = {"base": "Base", "sft": "SFT", "iw-sft": "iw-SFT", "dft": "DFT"}
ANSWERS = 384  # of each method


@pytest.fixture(scope="module")
def readme():
    return " ".join((ROOT / "README.md").read_text().split())


@pytest.fixture(scope="module")
def cells():
    tables = [pd.read_csv(REFERENCE / "tables" / f"table{n}.csv") for n in (1, 2)]
    return pd.concat(tables).drop_duplicates(["method", "benchmark"])


@pytest.fixture(scope="module")
def ranking():
    return pd.read_csv(REFERENCE / "figures" / "ranking.csv").set_index("method")


@pytest.fixture(scope="module")
def bins():
    """Shares of the training tokens by (method, bin), in percent."""
    shares = pd.read_csv(REFERENCE / "figures" / "figure2.csv")
    return 100 * shares.set_index(["method", "low"])["share"]


def without_a_box(method):
    """(right answers without a box, answers without one), as the tables' notes say."""
    text = "".join((REFERENCE / "tables" / f"table{n}.md").read_text() for n in (1, 2))
    found = re.search(rf"SmolLM2-135M-Instruct {re.escape(TITLES[method])} (\d+) of (\d+)", text)
    return tuple(map(int, found.groups()))


@pytest.mark.parametrize("method", TITLES)
def test_the_readmes_row_is_that_of_this_run(readme, cells, ranking, bins, method):
    own = cells[cells["method"] == method].set_index("benchmark")
    names = ("one-step", "two-steps", "math500", "mean")
    row = [f"{own.loc[name].accuracy:.2f} ± {own.loc[name].stderr:.2f}" for name in names]
    ranked = ranking.loc[method]
    nll = "" if pd.isna(ranked.nll) else f"{ranked.nll:.2f}"
    row += [str(without_a_box(method)[1]), f"{ranked.n_tokens:.0f}",
            f"{100 * ranked.unfinished:.1f} %", nll,
            f"{bins[method, 0.0]:.1f} %", f"{bins[method, 0.9]:.1f} %"]  # fmt: skip
    assert re.sub(" +", " ", f"| {TITLES[method]} | {' | '.join(row)} |") in readme
    assert (own["n_samples"] * own["n_problems"]).loc["mean"] == ANSWERS


def test_dft_alone_has_more_tokens_in_the_lowest_bin_than_the_base_model(bins):
    lowest, highest = bins.xs(0.0, level="low"), bins.xs(0.9, level="low")
    assert lowest[lowest > lowest["base"]].index.tolist() == ["dft"]
    assert highest.idxmax() == "dft"


def test_its_nll_is_twice_sfts(ranking):
    assert ranking.loc["dft", "nll"] == pytest.approx(2 * ranking.loc["sft", "nll"], rel=0.05)


def test_of_dfts_right_answers_most_have_no_box_and_by_the_box_alone_sft_is_ahead(readme, ranking):
    right = {method: round(ranking.loc[method, "accuracy"] * ANSWERS / 100) for method in TITLES}
    unboxed = {method: without_a_box(method)[0] for method in TITLES}
    assert f"{unboxed['dft']} of its {right['dft']} right answers" in readme
    assert f"{unboxed['sft']} of SFT's {right['sft']}" in readme
    assert right["sft"] - unboxed["sft"] > right["dft"] - unboxed["dft"]


def test_the_difference_of_the_averages_is_stated_with_its_interval(readme, ranking):
    dft = ranking.loc["dft"]
    interval = f"{dft.difference_sft:.1f} points (95 %: {dft.low_sft:.1f} to {dft.high_sft:.1f})"
    assert interval in readme
    assert dft.p_holm_sft > 0.05
