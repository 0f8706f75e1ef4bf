"""A rule of one's own, from a file with a function to its line in the sorted table; and what it
hardly learns from.
"""

import json
import re

import pandas as pd
import pytest
from helpers import ROOT, snakemake, step
from rectify.paper.figures import ranking

pytestmark = pytest.mark.slow
# in small what config/zoo.yaml is: a model, the rules that are there, and all of them ranked
ZOO = """\
study: small-zoo
models: {mini: {title: Mini, path: config/bases/qwen2-mini/base-seed0}}
data: {world: {voice: expert, steps: [1, 2]}, rows: 32}
benchmarks: {easy: {title: Easy, world: {steps: [1, 1]}, rows: 8}}
methods:
  sft: {title: SFT, objective: sft}
  dft: {title: DFT, objective: dft}
training: {batch_size: 8, micro_batch_size: 8, max_length: 128, learning_rate: 4.0e-4}
decoding: {engine: transformers, samples: 4, max_new_tokens: 40, dtype: float32}
figures:
  ranking: {model: mini}
  gallery: {model: mini, methods: [sft, dft], weigh_rows: [dft]}
"""
WEIGHED = "results/small-zoo/row_weights/mini/dft-seed0.csv"
# what config/README.md says to write: the rule, and the study that adds it to the zoo
WRITTEN = re.findall(
    r"```\w+\n(.*?)```",
    (ROOT / "config/README.md").read_text().partition("A leaderboard of your own")[2],
    re.DOTALL,
)


@pytest.fixture(scope="module")
def tables(checkout):
    """The sorted tables of the study that is there, and of the one that adds a rule."""
    rule, mine = WRITTEN[:2]
    assert "config/zoo.yaml" in mine
    small = mine.replace("config/zoo.yaml", "config/small-zoo.yaml")
    written = {"config/small-zoo.yaml": ZOO, "my_rules.py": rule, "config/mine.yaml": small}
    for name, text in written.items():
        (checkout / name).write_text(text)
    found = []
    for study, more in {"small-zoo": [WEIGHED], "mine": []}.items():
        table = f"results/{study}/figures/ranking.csv"
        done = snakemake(table, *more, "--configfile", f"config/{study}.yaml", cwd=checkout)
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(pd.read_csv(checkout / table, index_col="method"))
    return found


def test_the_rule_has_its_line_in_the_sorted_table(tables):
    before, after = tables
    assert set(before.index) == {"base", "sft", "dft"}
    assert set(after.index) == {"base", "sft", "dft", "mine"}
    assert list(after.columns) == ranking.COLUMNS[1:]
    assert after["accuracy"].is_monotonic_decreasing
    assert after["accuracy"].max() > 0
    shown = ["difference_sft", "p_holm_dft", "nll", "entropy", "n_tokens", "unfinished"]
    assert after.loc["mine", shown].notna().all()
    logged = after.loc["mine", "nll"]
    assert logged not in (after.loc["sft", "nll"], after.loc["dft", "nll"])


def test_its_picture_is_there(checkout, tables):
    assert (checkout / "results/mine/figures/ranking.png").stat().st_size > 1000


def test_the_other_rules_are_taken_from_the_study_that_has_made_them(checkout, tables):
    before, after = tables
    same = ["accuracy", "stderr", "low", "high", "nll", "entropy", "n_tokens", "unfinished"]
    pd.testing.assert_frame_equal(after.loc[before.index, same], before[same])
    for name in ("base", "sft-seed0", "dft-seed0", "mine-seed0"):
        kinds = ("samples", "scores") if name == "base" else ("samples", "scores", "models")
        for kind in kinds:
            manifest = json.loads(
                (checkout / f"results/mine/{kind}/mini/{name}.manifest.json").read_text()
            )
            taken = manifest["notes"].get("taken_from", "")
            assert taken.startswith("results/small-zoo/") == (name != "mine-seed0"), (kind, name)


def test_what_dft_hardly_learns_from_is_made_as_the_study_says(checkout, tables):
    shown = pd.read_csv(checkout / WEIGHED)
    assert shown["part"].unique().tolist() == ["token", "lowest", "highest"]
    tokens = shown[shown["part"] == "token"]
    assert {"number", "box", "EOS"} <= set(tokens["name"])
    assert tokens["mean_weight"].tolist() == pytest.approx(tokens["mean_p"].tolist(), rel=1e-4)
    every = pd.read_parquet((checkout / WEIGHED).with_suffix(".parquet"))
    assert len(every) == 32
    assert (every["ratio"] != 1).all()  # the trained model beside its base
    done = step("verify", "config/small-zoo.yaml", WEIGHED, cwd=checkout)
    assert done.returncode == 0, done.stderr
