"""results/reference/mini, a run of the miniature: the paper's claims hold there on every model,
and the README's numbers are that run's.
"""

import json
import re

import pandas as pd
import pytest
from helpers import ROOT

REFERENCE = ROOT / "results" / "reference" / "mini"
MODELS = {"qwen2-mini": "Qwen2-mini", "llama-mini": "Llama-mini"}
METHODS = {"base": "Base", "sft": "SFT", "iw-sft": "iw-SFT", "dft": "DFT"}
BENCHMARKS = ["two-steps", "three-steps", "four-steps", "five-steps", "six-steps", "mean"]


@pytest.fixture(scope="module")
def cells():
    """Both tables' rows by (model, method, benchmark)."""
    tables = [pd.read_csv(REFERENCE / "tables" / f"table{number}.csv") for number in (1, 2)]
    keys = ["model", "method", "benchmark"]
    return pd.concat(tables).drop_duplicates(keys).set_index(keys)


@pytest.fixture(scope="module")
def third():
    """Table 3's means by (method, setting)."""
    table = pd.read_csv(REFERENCE / "tables" / "table3.csv")
    means = table[table["benchmark"] == "mean"]
    return means.set_index(["method", "setting"])


@pytest.fixture(scope="module")
def bins():
    """Figure 2's shares by (model's title, method), the lowest and the highest bin."""
    points = pd.read_csv(REFERENCE / "figures" / "figure2.csv")
    points = points.sort_values("low").groupby(["model", "method"])["share"]
    return points.agg(["first", "last"])


@pytest.mark.parametrize("model", MODELS)
def test_dft_is_above_sft_and_iw_sft_on_the_mean(cells, model):
    mean = {method: cells.loc[(model, method, "mean"), "accuracy"] for method in METHODS}
    assert mean["dft"] > max(mean["sft"], mean["iw-sft"], mean["base"])


@pytest.mark.parametrize("model", MODELS)
def test_on_the_hardest_benchmark_sft_falls_below_base_and_dft_rises_above(cells, model):
    hardest = {method: cells.loc[(model, method, "six-steps"), "accuracy"] for method in METHODS}
    assert hardest["sft"] < hardest["base"] < hardest["dft"]


def test_every_method_that_learns_from_graded_answers_is_above_base(third):
    own = third[third.index.get_level_values("setting").isin(["offline", "online"])]
    assert len(own) == 6
    assert (own["accuracy"] > third.loc[("base", "-"), "accuracy"]).all()


def test_offline_dft_is_above_the_others_that_do_not_see_the_experts_solutions(third):
    """As in the paper: above offline RFT, DPO and iw-SFT, and above PPO and GRPO."""
    settings = third.index.get_level_values("setting")
    own = third[settings.isin(["offline", "online"])]
    assert own["accuracy"].idxmax() == ("dft", "offline")


def test_the_readmes_third_table_is_that_of_this_run(third):
    readme = (ROOT / "README.md").read_text()
    for (_, setting), cell in third.iterrows():
        accuracy = f"{cell.accuracy:.2f} ± {cell.stderr:.2f}"
        assert f"{setting} | {accuracy} | {cell.n_seeds:.0f} | {cell.published:.2f} |" in readme


@pytest.mark.parametrize("model", MODELS.values())
def test_dft_polarises_the_probabilities_of_the_training_tokens(bins, model):
    dft, sft = bins.loc[(model, "dft")], bins.loc[(model, "sft")]
    assert dft["first"] > sft["first"]
    assert dft["last"] > sft["last"]


def test_the_readmes_table_is_that_of_this_run(cells):
    readme = (ROOT / "README.md").read_text()
    for model, title in MODELS.items():
        for method, name in METHODS.items():
            row = [cells.loc[(model, method, benchmark)] for benchmark in BENCHMARKS]
            shown = [f"{cell.accuracy:.2f} ± {cell.stderr:.2f}" for cell in row]
            printed = f"{row[-1].published:.2f}"
            assert " | ".join([f"| {title}", name, *shown, f"{printed} |"]) in readme


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_tables_text_rounds_what_its_csv_says(number):
    table = pd.read_csv(REFERENCE / "tables" / f"table{number}.csv")
    text = (REFERENCE / "tables" / f"table{number}.md").read_text()
    for cell in table.itertuples():
        assert f" {cell.accuracy:.2f} ± {cell.stderr:.2f} |" in text


def test_the_readmes_bins_are_those_of_this_run(bins):
    readme = " ".join((ROOT / "README.md").read_text().split())
    for title in MODELS.values():
        parts = []
        for method, name in METHODS.items():
            shown = bins.loc[(title, method)]
            label = "base" if method == "base" else name
            parts.append(f"{label} {100 * shown['first']:.1f} and {100 * shown['last']:.1f}")
        assert f"{title}: {', '.join(parts)}" in readme


def test_at_every_learning_rate_and_batch_size_dft_is_above_sft_and_the_readme_says_how_far():
    points = pd.read_csv(REFERENCE / "figures" / "figure3.csv")
    sft, dft = (
        points[points["method"] == method].set_index(["setting", "value"])["accuracy"]
        for method in ("sft", "dft")
    )
    assert len(sft) == 8
    assert (sft < dft).all()
    shown = [f"{value:.2f}" for value in (sft.min(), sft.max(), dft.min(), dft.max())]
    said = "{} to {}, where DFT is at {} to {})".format(*shown)
    assert said in " ".join((ROOT / "README.md").read_text().split())


def test_the_readmes_verdicts_are_those_of_this_run():
    readme = " ".join((ROOT / "README.md").read_text().split())
    verdicts = [c["verdict"] for c in json.loads((REFERENCE / "claims.json").read_text())]
    reproduced, contradicted, open_ = map(
        verdicts.count, ("reproduced", "contradicted", "inconclusive")
    )
    assert reproduced + contradicted + open_ == len(verdicts)
    assert f"this run has {reproduced} reproduced, {contradicted} contradicted" in readme
    assert f"and {open_} inconclusive" in readme


def test_every_number_of_the_papers_tables_is_in_published_csv():
    readme = (ROOT / "README.md").read_text()
    published = pd.read_csv(ROOT / "config" / "published.csv")
    averages = {f"{value:.2f}" for value in published[published["benchmark"] == "avg"]["accuracy"]}
    printed = re.compile(
        r"\| (Qwen2|Llama)-mini.*\| [\d.]+ \|"
    )  # with the paper's in the last column
    lines = [line for line in readme.splitlines() if printed.fullmatch(line)]
    assert len(lines) == len(MODELS) * len(METHODS)
    assert {line.split("|")[-2].strip() for line in lines} <= averages
