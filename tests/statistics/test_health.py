"""How answers are: each number by another way, and how surely its interval has the truth."""

import numpy as np
import pandas as pd
import pytest
from helpers import one_line, settings_file, step
from rectify.report.tables.tabulate_health import tidy
from rectify.statistics.health import (
    NUMBERS,
    QUANTITIES,
    Measured,
    differences,
    health,
    median_values,
    ratio_values,
    read_answers,
)
from rectify.statistics.spread import bounds, interval, spread_of, t_interval
from rectify.step.errors import StepError
from scipy import stats

SCORING = {"grader": "corrected", "rounding": "exact"}
BENCHMARKS = {"easy": 20, "hard": 12}
SAMPLES = 4


def scores(seed, longer=1.0):
    """A score file's rows: problems of differing length and difficulty."""
    rng = np.random.default_rng(seed)
    own = np.random.default_rng(0)  # the problems are the same in all files
    parts = []
    for name, count in BENCHMARKS.items():
        problem = np.repeat(np.arange(count), SAMPLES)
        hard = np.repeat(own.random(count), SAMPLES)
        rows = len(problem)
        parts.append(
            pd.DataFrame(
                {
                    "benchmark": name,
                    "checkpoint": 0,
                    "problem_id": problem,
                    "sample": np.tile(np.arange(SAMPLES), count),
                    "answer": rng.choice(["1", "2", "3", None], rows),
                    "correct": rng.random(rows) > hard,
                    "harness": rng.random(rows) > hard,
                    "status": rng.choice(["ok", "no_answer", "timeout"], rows),
                    "n_tokens": (longer * (20 + 100 * hard + 30 * rng.random(rows))).astype(int),
                    "finish_reason": rng.choice(["stop", "length"], rows),
                    "loop": rng.random(rows) < 0.2,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def files(tmp_path):
    """The score files of two seeds of a base model and of DFT, by method."""
    found = {}
    for method, longer in (("base", 1.0), ("dft", 1.5)):
        found[method] = []
        for seed in (0, 1):
            file = tmp_path / f"{method}-seed{seed}.parquet"
            scores(10 * len(method) + seed, longer).to_parquet(file)
            found[method].append(str(file))
    return found


def table_of(answers, base=None):
    """A method's numbers by (benchmark, quantity)."""
    lines = health(answers, base, list(BENCHMARKS), SCORING)
    return pd.DataFrame(lines).set_index(["benchmark", "quantity"])


def test_every_value_is_the_plain_one_of_all_answers(files):
    found = table_of(read_answers(files["dft"]))["value"]
    both = pd.concat([pd.read_parquet(f).assign(file=f) for f in files["dft"]])
    for name, own in both.groupby("benchmark"):
        kinds = own.dropna(subset="answer").groupby(["file", "problem_id"])["answer"].nunique()
        expected = {
            "length": own["n_tokens"].mean(),
            "median_length": own["n_tokens"].median(),
            "unfinished": 100 * (own["finish_reason"] == "length").mean(),
            "unboxed": 100 * (own["status"] == "no_answer").mean(),
            "loop": 100 * own["loop"].mean(),
            "distinct": kinds.sum() / (2 * BENCHMARKS[name]),
            "right_length": own.loc[own["correct"], "n_tokens"].mean(),
            "wrong_length": own.loc[~own["correct"], "n_tokens"].mean(),
        }
        assert found[name].to_dict() == pytest.approx(expected)
    for quantity in QUANTITIES:
        means = [found[name, quantity] for name in BENCHMARKS]
        assert found["mean", quantity] == pytest.approx(np.mean(means))


def test_right_is_what_the_studys_grader_says(files):
    answers = read_answers(files["dft"])
    harness = SCORING | {"grader": "harness"}
    found = pd.DataFrame(health(answers, None, ["easy"], harness)).set_index("quantity")
    own = answers[(answers["benchmark"] == "easy") & answers["harness"]]
    assert found["value"]["right_length"].iloc[0] == pytest.approx(own["n_tokens"].mean())


def test_a_mean_lengths_interval_is_the_t_interval_over_problems(files):
    found = table_of(read_answers(files["dft"][:1])).loc["easy", "length"]
    own = pd.read_parquet(files["dft"][0]).query("benchmark == 'easy'")
    means = own.groupby("problem_id")["n_tokens"].mean()
    expected = stats.t.interval(0.95, 19, means.mean(), stats.sem(means))
    assert (found["low"], found["high"]) == pytest.approx(expected)
    assert found["stderr"] == pytest.approx(stats.sem(means))
    assert (found["n_problems"], found["n_samples"], found["n_seeds"]) == (20, 4, 1)


def test_a_shares_interval_is_an_accuracys(files):
    found = table_of(read_answers(files["dft"][:1])).loc["easy", "loop"]
    own = pd.read_parquet(files["dft"][0]).query("benchmark == 'easy'")
    shares = own.groupby("problem_id")["loop"].mean().to_numpy()
    assert (found["low"], found["high"]) == pytest.approx([100 * x for x in interval(shares)])


def test_a_difference_is_paired_by_problem_and_seed(files):
    """Lengths are half as long again on each problem: by pairs that is seen far more surely."""
    base, dft = read_answers(files["base"]), read_answers(files["dft"])
    found = table_of(dft, base).loc["mean", "length"]
    apart = table_of(base).loc["mean", "length"]
    assert found["difference"] == pytest.approx(found["value"] - apart["value"])
    assert found["difference_low"] > 0.2 * apart["value"]
    assert found["difference_high"] - found["difference_low"] < apart["high"] - apart["low"]
    none = table_of(dft, dft).loc["mean"][["difference", "difference_low", "difference_high"]]
    assert (none == 0).all().all()


def test_a_base_model_without_a_seed_goes_with_every_seed(files, tmp_path):
    alone = str(tmp_path / "base.parquet")
    scores(7).to_parquet(alone)
    found = table_of(read_answers(files["dft"]), read_answers([alone])).loc["easy", "length"]
    plain = table_of(read_answers([alone])).loc["easy", "length"]
    assert found["difference"] == pytest.approx(found["value"] - plain["value"])


def test_what_there_is_none_of_has_no_value():
    """No right answer at all: there is no length of one, nor a mean over the benchmarks."""
    own = scores(1).assign(seed=0, repeat=0, first=True, unfinished=False, unboxed=False)
    own.loc[own["benchmark"] == "hard", "correct"] = False
    found = table_of(own, own)
    for name in ("hard", "mean"):
        assert np.isnan(
            found.loc[name, "right_length"][["value", "difference"]].astype(float)
        ).all()
    assert found.loc["easy", "right_length"]["value"] > 0
    assert found.loc["mean", "wrong_length"]["value"] > 0


def test_one_problem_has_values_but_no_differences():
    own = scores(1).assign(seed=0, repeat=0, first=True, unfinished=False, unboxed=False)
    own = own[own["problem_id"] == 0]
    found = table_of(own, own)
    assert found["value"]["mean", "length"] > 0
    assert found["difference"].isna().all()


def test_scores_without_the_column_are_refused(files):
    old = pd.read_parquet(files["dft"][0]).drop(columns="loop")
    old.to_parquet(files["dft"][0])
    with pytest.raises(StepError, match=r"dft-seed0.parquet: no column 'loop': .*; score the samp"):
        read_answers(files["dft"])


def test_other_problems_than_the_base_models_are_refused(files):
    base = read_answers(files["base"])
    with pytest.raises(StepError, match="1 problems, such as '3', were answered by one method"):
        table_of(read_answers(files["dft"]), base[base["problem_id"] != 3].copy())


# how surely the intervals have the truth


def lengths(problems, rng, longer=1.0, means=None):
    """Answers' lengths and which of them are right, [problems, 1, 1, 16]: long ones are seldom."""
    means = rng.normal(5, 0.5, problems) if means is None else means
    own = means[:, None, None, None]
    tokens = np.rint(longer * np.exp(own + rng.normal(0, 0.6, (problems, 1, 1, 16))))
    return tokens, rng.random(tokens.shape) < 1 / (1 + np.exp(own - 5)), means


def values(tokens, right):
    return {
        "median": median_values(tokens),
        "right": ratio_values(tokens * right, right.astype(float)),
    }


def test_the_intervals_of_the_median_and_of_right_answers_cover_the_truth():
    rng = np.random.default_rng(3)
    many = values(*lengths(100_000, rng)[:2])
    hits = dict.fromkeys(many, 0)
    for _ in range(600):
        for name, own in values(*lengths(60, rng)[:2]).items():
            low, high = bounds(spread_of(own, t_interval))[1:]
            hits[name] += low <= many[name].mean() <= high
    for name, count in hits.items():
        assert 0.92 < count / 600 < 0.98, name


def test_the_intervals_of_their_differences_cover_the_truth():
    rng = np.random.default_rng(4)

    def pair(problems):
        first = lengths(problems, rng)
        second = lengths(problems, rng, 1.3, first[2])
        return values(*second[:2]), values(*first[:2])

    long, short = pair(100_000)
    truth = {name: long[name].mean() - short[name].mean() for name in long}
    hits = dict.fromkeys(truth, 0)
    for _ in range(200):
        one, two = ({"a": Measured(pd.RangeIndex(40), 1, 16, own)} for own in pair(40))
        for name in hits:
            _, low, high = differences(one, two, name)["a"]
            hits[name] += low <= truth[name] <= high
    for name, count in hits.items():
        assert 0.90 < count / 200 < 0.99, name


# the step


def layout(files):
    titles = {"base": "Base", "dft": "DFT"}
    rows = [
        {"model": "m", "model_title": "M_1", "method": method, "method_title": titles[method],
         "setting": "-" if method == "base" else "sft", "scores": own}
        for method, own in reversed(files.items())  # the base model may come last
    ]  # fmt: skip
    benchmarks = [{"name": name, "title": name.title()} for name in BENCHMARKS]
    return {"scoring": SCORING, "benchmarks": benchmarks, "rows": rows}


def test_the_tidy_table_has_a_line_for_each_row_benchmark_and_quantity(files):
    table = tidy(layout(files))
    assert len(table) == 2 * 3 * len(QUANTITIES)
    assert list(table)[-len(NUMBERS) :] == list(NUMBERS)
    assert table.set_index("method")["difference"].isna().groupby("method").mean().to_dict() == {
        "base": 1.0, "dft": 0.0
    }  # fmt: skip


@pytest.mark.slow
def test_the_step_writes_the_table_three_times(files, tmp_path):
    done = step("tabulate_health", "--settings", settings_file(layout(files)), "--out",
                tmp_path / "health")  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "health.csv")
    (row,) = table.query(
        "method == 'dft' and benchmark == 'mean' and quantity == 'loop'"
    ).itertuples()
    text = (tmp_path / "health.md").read_text()
    assert f"{row.value:.2f} ± {row.stderr:.2f}" in text
    assert (
        f"{row.difference:+.2f} ({row.difference_low:+.2f} to {row.difference_high:+.2f})" in text
    )
    tex = (tmp_path / "health.tex").read_text()
    assert f"{row.value:.2f} $\\pm$ {row.stderr:.2f}" in tex
    assert "M\\_1" in tex
    old = pd.read_parquet(files["dft"][0]).drop(columns="loop")
    old.to_parquet(files["dft"][0])
    again = step("tabulate_health", "--settings", settings_file(layout(files)), "--out",
                 tmp_path / "again")  # fmt: skip
    one_line(again, "no column 'loop'", "score the samples again")
    assert not list(tmp_path.glob("again*"))
