"""What was kept: verdicts by the interval, differences as the tables', KL as a ratio of sums."""

import numpy as np
import pandas as pd
import pytest
from helpers import one_line, settings_file, step
from rectify.report.tables.tabulate_retention import tidy
from rectify.statistics.accuracy import cells_by_benchmark, read_scores
from rectify.statistics.comparisons import compare
from rectify.statistics.retention import accuracies, divergence, verdict_on
from rectify.step.errors import StepError
from scipy import stats

SCORING = {"grader": "corrected", "rounding": "exact"}
NAMES = ["old", "other"]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-1.9, 0.5, "kept"),
        (0.5, 3.0, "kept"),
        (-1.9, -0.5, "kept"),  # less than the margin is lost, surely
        (-2.0, 0.0, "inconclusive"),
        (-3.0, -1.0, "inconclusive"),
        (-9.0, 9.0, "inconclusive"),
        (-3.0, -2.1, "lost"),
        (-3.0, -2.0, "inconclusive"),
    ],
)
def test_a_verdict_is_what_the_interval_says_at_the_margin(low, high, verdict):
    assert verdict_on(low, high, 2.0) == verdict


def scores(right, seed=0):
    """A score file's rows: 4 samples of each of 20 problems, right with this chance."""
    rng = np.random.default_rng(seed)
    rows = [
        {"benchmark": name, "checkpoint": 0, "problem_id": problem, "sample": sample,
         "correct": bool(rng.random() < right), "harness": False, "status": "ok"}
        for name in NAMES for problem in range(20) for sample in range(4)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def rows(tmp_path):
    """A base model and two methods of two seeds, one of which has lost everything."""
    found = []
    for method, right in (("base", 0.9), ("sft", 0.9), ("dft", 0.0)):
        files = []
        for seed in (0, 1):
            file = tmp_path / f"{method}-seed{seed}-retention.parquet"
            scores(right, seed).to_parquet(file)
            files.append(str(file))
        own = {"model": "m", "model_title": "M", "method": method, "method_title": method.upper()}
        found.append(own | {"setting": "sft", "scores": files, "divergence": []})
    return found


def test_values_and_differences_are_those_of_the_tables(rows):
    base, sft, dft = (read_scores(row["scores"]) for row in rows)
    for own in (sft, dft):
        lines = {line["benchmark"]: line for line in accuracies(own, base, NAMES, SCORING, 2.0)}
        cells, pairs = cells_by_benchmark(own, NAMES, SCORING), compare(own, base, NAMES, SCORING)
        assert list(lines) == [*NAMES, "mean"]
        for name, line in lines.items():
            assert line["value"] == cells[name].accuracy
            assert (line["low"], line["high"]) == (cells[name].low, cells[name].high)
            assert line["difference"] == pairs[name].difference
            assert line["n_problems"] == cells[name].n_problems
    assert {line["verdict"] for line in accuracies(dft, base, NAMES, SCORING, 2.0)} == {"lost"}
    (first, *_) = accuracies(base, None, NAMES, SCORING, 2.0)
    assert "difference" not in first
    assert "verdict" not in first


def measured(folder, name, kl, tokens):
    """A file of rectify measure_divergence."""
    file = folder / f"{name}.parquet"
    pd.DataFrame({"row": range(len(kl)), "tokens": tokens, "kl": kl}).to_parquet(file)
    return str(file)


def test_a_kl_is_the_sum_of_all_by_all_tokens_and_its_error_is_by_rows(tmp_path):
    kl, tokens = np.array([2.0, 0.0, 6.0, 4.0]), np.array([10, 5, 20, 5])
    line = divergence([measured(tmp_path, "dft-seed0", kl, tokens)])
    ratio = kl.sum() / tokens.sum()
    off = (kl - ratio * tokens) / tokens.mean()
    error = off.std(ddof=1) / 2
    reach = stats.t.ppf(0.975, 3) * error
    assert line["value"] == pytest.approx(ratio)
    assert line["stderr"] == pytest.approx(error)
    assert (line["low"], line["high"]) == pytest.approx((max(ratio - reach, 0), ratio + reach))
    assert (line["n_problems"], line["n_seeds"]) == (4, 1)


def test_seeds_that_differ_widen_a_kls_interval(tmp_path):
    tokens = np.full(50, 10)
    noise = np.random.default_rng(0).normal(0, 0.1, 50)
    files = [
        measured(tmp_path, f"dft-seed{seed}", 10 * (seed + 1) + noise, tokens) for seed in (0, 1)
    ]
    alone, both = divergence(files[:1]), divergence(files)
    assert both["value"] == pytest.approx(1.5, abs=0.01)
    assert both["high"] - both["low"] > 100 * (alone["high"] - alone["low"])
    # t with one degree of freedom over the seeds' means, 1 and 2
    assert both["high"] == pytest.approx(1.5 + stats.t.ppf(0.975, 1) * 0.5, rel=0.01)


def test_models_measured_on_other_rows_are_refused_by_name(tmp_path):
    files = [measured(tmp_path, f"dft-seed{n}", [1.0] * (3 - n), [2] * (3 - n)) for n in (0, 1)]
    with pytest.raises(StepError, match=r"dft-seed0.parquet: other rows than the other models'"):
        divergence(files)


def test_the_step_writes_the_table_thrice(rows, tmp_path):
    rows[2]["divergence"] = [measured(tmp_path, "dft-seed0", [2.0, 1.0], [4, 4])]
    titles = [{"name": name, "title": name.title()} for name in NAMES]
    settings = {"scoring": SCORING, "margin": 2.0, "benchmarks": titles, "rows": rows}
    done = step("tabulate_retention", "--settings", settings_file(settings), "--out",
                tmp_path / "retention")  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "retention.csv")
    pd.testing.assert_frame_equal(table, tidy(settings), check_dtype=False, atol=1e-6)
    assert len(table) == 3 * 3 + 1
    text = (tmp_path / "retention.md").read_text()
    assert text == done.stdout.removesuffix("\n")
    assert "above minus 2 points" in text
    assert " lost |" in text
    assert " 0.3750 ± 0.1250 |" in text
    assert "KL, nats per token" in (tmp_path / "retention.tex").read_text()
    # KL alone, without a benchmark
    alone = settings | {"benchmarks": [], "rows": [row | {"scores": []} for row in rows]}
    assert tidy(alone)["quantity"].tolist() == ["kl"]


def test_scores_that_are_gone_are_named(rows, tmp_path):
    rows[1]["scores"][0] = str(tmp_path / "gone-seed0-retention.parquet")
    titles = [{"name": name, "title": name} for name in NAMES]
    settings = {"scoring": SCORING, "margin": 2.0, "benchmarks": titles, "rows": rows}
    done = step("tabulate_retention", "--settings", settings_file(settings), "--out",
                tmp_path / "retention")  # fmt: skip
    one_line(done, "gone-seed0-retention.parquet: no such file")
    assert not list(tmp_path.glob("retention*"))
