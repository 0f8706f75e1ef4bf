"""Statistics, tables and figures, from hand-made scores."""

import shutil

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT, settings_file, step
from rectify.evaluation.measure_probabilities import EDGES, histogram
from rectify.report.tables import markdown, tabulate_scores
from rectify.statistics.accuracy import (
    average_at_n,
    cells_by_benchmark,
    mean_of_benchmarks,
    outcomes,
    read_scores,
    rounded_mean,
)
from scipy import stats


def scores_of(correct, benchmark="a", checkpoint=0):
    """Scores of one seed: correct[problem][sample]."""
    rows = [
        (problem, sample, bool(value))
        for problem, samples in enumerate(correct)
        for sample, value in enumerate(samples)
    ]
    frame = pd.DataFrame(rows, columns=["problem_id", "sample", "correct"])
    named = {"benchmark": benchmark, "checkpoint": checkpoint, "status": "ok", "harness": False}
    return frame.assign(repeat=0, **named)


def test_average_at_n_and_its_standard_error_by_hand():
    cell = average_at_n(scores_of([[1, 1], [1, 0], [0, 0]]).assign(seed=0))
    assert cell.accuracy == pytest.approx(50)
    assert cell.stderr == pytest.approx(50 / np.sqrt(3))  # the means are 100, 50, 0
    assert (cell.n_problems, cell.n_samples, cell.n_seeds) == (3, 2, 1)


def test_standard_error_is_scipys_over_problem_means():
    rng = np.random.default_rng(0)
    seeds = [scores_of(rng.random((40, 16)) < 0.3).assign(seed=seed) for seed in range(3)]
    for scores in seeds:
        means = scores.groupby("problem_id")["correct"].mean()
        assert average_at_n(scores).stderr == pytest.approx(100 * stats.sem(means))


def test_with_several_seeds_what_these_differ_by_beyond_chance_is_added():
    """Their means' variance less that of the residuals: a two-way layout by hand."""
    rng = np.random.default_rng(0)
    seeds = [scores_of(rng.random((40, 16)) < 0.3).assign(seed=seed) for seed in range(3)]
    cell = average_at_n(pd.concat(seeds))
    means = np.array([scores.groupby("problem_id")["correct"].mean() for scores in seeds])
    residuals = means - means.mean(axis=0) - means.mean(axis=1, keepdims=True) + means.mean()
    chance = (residuals**2).sum() / (39 * 2) / 40
    own = means.mean(axis=1).var(ddof=1) - chance
    assert own > 0
    problems = stats.sem(means.mean(axis=0)) ** 2
    assert cell.stderr == pytest.approx(100 * np.sqrt(problems + own / 3))
    assert cell.n_seeds == 3


def test_repeating_samples_or_seeds_does_not_shrink_the_error():
    """Clustering: copies of the same answers carry no information."""
    once = average_at_n(scores_of([[1], [0], [1], [0]]).assign(seed=0))
    copies = [scores_of([[1] * 9, [0] * 9, [1] * 9, [0] * 9]).assign(seed=s) for s in range(3)]
    assert average_at_n(pd.concat(copies)).stderr == pytest.approx(once.stderr)


def test_mean_gives_every_benchmark_the_same_weight():
    easy = average_at_n(scores_of([[1]] * 9 + [[0]]).assign(seed=0))
    hard = average_at_n(scores_of([[0], [0], [1]]).assign(seed=0))
    mean = mean_of_benchmarks([easy, hard])
    assert mean.accuracy == pytest.approx((90 + 100 / 3) / 2)
    assert mean.stderr == pytest.approx(np.hypot(easy.stderr, hard.stderr) / 2)


def test_rounded_mean_is_the_papers_own_arithmetic():
    """AIME24's printed 0.41 is two hits in two of sixteen runs of 30 problems: (3.3 + 3.3) / 16."""
    correct = np.zeros((30, 16), dtype=bool)
    correct[4, 2] = correct[17, 9] = True
    scores = scores_of(correct).assign(seed=0)
    assert rounded_mean(outcomes(scores)[1]) == pytest.approx(6.6 / 16)
    assert average_at_n(scores, "per_run").accuracy == pytest.approx(6.6 / 16)
    assert average_at_n(scores).accuracy == pytest.approx(100 * 2 / 480)


def test_scoring_says_whose_verdicts_count():
    scores = scores_of([[1, 0], [0, 0]]).assign(seed=0, harness=True)
    for grader, accuracy in (("corrected", 25), ("harness", 100)):
        scoring = {"grader": grader, "rounding": "exact"}
        assert cells_by_benchmark(scores, ["a"], scoring)["a"].accuracy == pytest.approx(accuracy)


@pytest.fixture
def layout(tmp_path):
    """A table of one model, two methods and two benchmarks."""
    rng = np.random.default_rng(1)
    rows = []
    for method, share in (("base", 0.3), ("dft", 0.6)):
        frames = [scores_of(rng.random((6, 4)) < share, name) for name in ("easy", "hard")]
        file = tmp_path / ("base.parquet" if method == "base" else f"{method}-seed0.parquet")
        pd.concat(frames).to_parquet(file)
        rows.append(
            {
                "model": "m",
                "model_title": "M",
                "published": "qwen2.5-math-1.5b",
                "method": method,
                "method_title": method.upper(),
                "setting": "-" if method == "base" else "sft",
                "scores": [str(file)],
                "training": None,
            }
        )
    benchmarks = [
        {"name": "easy", "title": "Easy_50%", "published": "math500"},
        {"name": "hard", "title": "Hard", "published": None},
    ]
    scoring = {"grader": "corrected", "rounding": "exact"}
    return {
        "name": "table1", "caption": "Table 1.", "scoring": scoring, "benchmarks": benchmarks,
        "rows": rows,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"base": 3, "dft": 3}, "mean over 3 training seeds; base: mean over 3 pretrainings."),
        ({"base": 1, "dft": 3}, "mean over 3 training seeds; base: one model."),
        ({"dft": 3}, "mean over 3 training seeds."),
        ({"base": 1}, "standard error over problems; base: one model."),
    ],
)
def test_a_tables_note_speaks_of_the_rows_that_it_has(rows, said):
    cells = pd.DataFrame({"method": rows.keys(), "n_seeds": rows.values(), "n_samples": 16})
    cells = cells.assign(model="m", method_title=cells["method"], setting="sft")
    assert markdown.notes(cells).endswith(said)


@pytest.mark.slow
def test_table_as_csv_markdown_and_latex(layout, tmp_path):
    out = tmp_path / "table1"
    done = step(
        "tabulate_scores", "--settings", settings_file(layout),
        "--published", "config/published.csv", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(f"{out}.csv")
    assert list(table) == [
        "model", "method", "setting", "benchmark", "accuracy", "stderr", "low", "high",
        "n_problems", "n_samples", "n_seeds", "as_released", "published", "pass@1", "pass@2",
        "pass@4",
    ]  # fmt: skip
    assert table["benchmark"].tolist() == ["easy", "hard", "mean"] * 2
    cell = table.set_index(["method", "benchmark"])
    scores = pd.read_parquet(layout["rows"][1]["scores"][0])
    hits = scores[scores["benchmark"] == "easy"]["correct"]
    assert cell.loc[("dft", "easy"), "accuracy"] == pytest.approx(100 * hits.mean())
    assert cell.loc[("dft", "easy"), "pass@1"] == pytest.approx(100 * hits.mean())
    by_the_harness = scores[scores["benchmark"] == "easy"].groupby("sample")["harness"].mean()
    rounded = (100 * by_the_harness).round(1).mean()  # each run over the benchmark to 0.1
    assert cell.loc[("dft", "easy"), "as_released"] == pytest.approx(rounded)
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()
    any_right = scores[scores["benchmark"] == "easy"].groupby("problem_id")["correct"].max()
    assert cell.loc[("dft", "easy"), "pass@4"] == pytest.approx(100 * any_right.mean())
    assert cell.loc[("base", "easy"), "published"] == 31.66
    assert cell.loc[("dft", "easy"), "published"] == 64.89
    assert np.isnan(cell.loc[("dft", "hard"), "published"])
    markdown, latex = (tmp_path / "table1.md").read_text(), (tmp_path / "table1.tex").read_text()
    assert f"{100 * hits.mean():.2f} ±" in markdown
    assert f"{100 * hits.mean() - 64.89:+.2f}" in markdown
    assert "64.89" in markdown
    assert "Without a box, and right to the published harness: " in markdown
    for rule in ("toprule", "midrule", "bottomrule"):
        assert f"\\{rule}" in latex
    assert "\\textbf{" in latex
    assert "Easy\\_50\\%" in latex


def test_the_note_counts_each_rows_unboxed_answers_that_are_right_to_the_harness(layout):
    frames = [scores_of([[1, 0, 0, 0]]) for _ in layout["rows"]]
    frames[1]["status"] = ["ok", "no_answer", "no_answer", "unparsable"]
    frames[1]["harness"] = [True, True, False, True]
    gradings = [tabulate_scores.grading_of(frame) for frame in frames]
    note = tabulate_scores.grading_note(layout, gradings)
    first, second = (f"{row['model_title']} {row['method_title']}" for row in layout["rows"])
    assert note.startswith("Grading: 2 no_answer, 1 unparsable of 8 samples.")
    assert note.endswith(
        f"Without a box, and right to the published harness: {first} 0 of 0, {second} 1 of 2."
    )


@pytest.mark.slow
def test_a_table_of_several_settings_says_which_and_how_many_seeds(layout, tmp_path):
    """DFT on the model's own answers is another row than DFT; what base beats is named."""
    base, dft = layout["rows"]
    own = {**dft, "setting": "offline", "scores": base["scores"]}
    for seed in (1, 2):
        dft["scores"] = [*dft["scores"], dft["scores"][0].replace("seed0", f"seed{seed}")]
        shutil.copy(dft["scores"][0], dft["scores"][seed])
    layout["rows"].append(own)
    out = tmp_path / "table3"
    done = step(
        "tabulate_scores", "--settings", settings_file(layout),
        "--published", "config/published.csv", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cells = pd.read_csv(f"{out}.csv")
    means = cells[cells["benchmark"] == "mean"].set_index("setting")["accuracy"]
    assert means["offline"] == means["-"] < means["sft"]
    text = out.with_suffix(".md").read_text()
    assert "mean over 3 training seeds (dft), one training seed (dft offline)" in text
    assert "Not above the base model on the average: m dft offline." in text
    lines = [line.split("|")[1:4] for line in text.splitlines() if line.startswith("| M ")]
    settings = [setting.strip() for _, _, setting in lines]
    assert settings == ["-", "sft", "offline"] * 3
    assert r"\begin{tabular}{lllrrr}" in out.with_suffix(".tex").read_text()


def test_rows_of_one_name_keep_their_own_numbers(layout):
    """A study refuses them; a table would show each as itself all the same."""
    base, dft = layout["rows"]
    twin = {**dft, "method_title": "Twin", "scores": base["scores"]}
    layout["rows"].append(twin)
    published = pd.read_csv(ROOT / "config" / "published.csv")
    cells = tabulate_scores.tidy(
        tabulate_scores.cells_of(row, read_scores(row["scores"]), layout, published)
        for row in layout["rows"]
    )
    shown = markdown.layout(cells, layout, lambda cell: cell.accuracy).set_index("Method")
    benchmarks = ["Easy_50%", "Hard", "Avg."]
    assert shown.loc["Twin", benchmarks].tolist() == shown.loc["BASE", benchmarks].tolist()
    assert shown.loc["DFT", benchmarks].tolist() != shown.loc["BASE", benchmarks].tolist()


def test_histogram_counts_every_token_once():
    p = np.array([0.0, 5e-5, 1e-4, 0.05, 0.15, 0.9, 0.95, 1.0, 1.0 + 1e-7])
    counts = histogram(p)
    assert counts["count"].sum() == len(p)
    by_bin = counts.set_index("low")["count"]
    assert by_bin[0.0] == 2
    assert by_bin[1e-4] == 1
    assert by_bin[0.9] == 4
    assert (0, 1e-4, 1e-3, 0.01, *(pytest.approx(k / 10) for k in range(1, 11))) == EDGES


@pytest.mark.slow
def test_figures_have_their_points_and_are_written_alike_twice(tmp_path):
    rng = np.random.default_rng(2)

    def write(name, *checkpoints):
        frames = [
            scores_of(rng.random((6, 4)) < 0.5, benchmark, step_number)
            for benchmark in ("easy", "hard")
            for step_number in checkpoints or (0,)
        ]
        pd.concat(frames).to_parquet(tmp_path / name)
        return str(tmp_path / name)

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "train.csv").write_text("step,weight_mean,weight_max\n1,1,1\n9,0.5,40\n")
    pd.DataFrame({"low": EDGES[:-1], "high": EDGES[1:], "count": range(13)}).to_parquet(
        tmp_path / "histogram.parquet"
    )
    common = {
        "methods": {"base": "Base", "dft": "DFT"},
        "benchmarks": {"easy": "Easy", "hard": "Hard"},
        "samples": 4,
        "scoring": {"grader": "corrected", "rounding": "exact"},
    }
    curve = {
        "method": "dft",
        "checkpoints": [write("dft-seed0-checkpoints.parquet", 2, 3, 5)],
        "final": [write("dft-seed0.parquet")],
        "model": str(tmp_path / "run"),
    }
    files = [str(tmp_path / "histogram.parquet")]
    histograms = [{"model": model, "method": "dft", "files": files} for model in ("M", "N")]
    point = {"method": "dft", "setting": "batch_size", "value": 8, "scores": curve["final"]}
    weighted = {"method": "dft", "objective": "dft", "parameters": {}, "files": files}
    layouts = {
        "figure1": {"base": [write("base.parquet")], "steps": [2, 5, 9], "curves": [curve]},
        "figure2": {"histograms": histograms},
        "figure3": {"points": [point]},
        "monitors": {"curves": [{"method": "dft", "models": [curve["model"]]}]},
        "gallery": {"base": files, "objectives": [weighted]},
    }
    for name, layout in layouts.items():
        bytes_of = []
        for turn in (1, 2):
            out = tmp_path / f"{name}-{turn}"
            done = step(
                "plot_figure", name, "--settings", settings_file(common | layout), "--out", out
            )
            assert done.returncode == 0, done.stderr
            bytes_of.append([out.with_suffix(end).read_bytes() for end in (".pdf", ".png", ".csv")])
        assert bytes_of[0] == bytes_of[1]
    steps = pd.read_csv(tmp_path / "figure1-1.csv")
    assert sorted(steps["step"].unique()) == [0, 2, 5, 9]
    assert set(steps["benchmark"]) == {"easy", "hard", "mean"}
    shares = pd.read_csv(tmp_path / "figure2-1.csv")
    assert shares.groupby("model")["share"].sum().to_dict() == pytest.approx(
        {"M": 1, "N": 1}, abs=1e-5
    )
