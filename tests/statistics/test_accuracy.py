"""A cell's numbers against closed forms, scipy and brute force: interval, seeds, pass@k."""

import itertools

import numpy as np
import pandas as pd
import pytest
from helpers import drawn, scores_of
from rectify.statistics.accuracy import (
    UNSEEDED,
    average_at_n,
    cell_of,
    mean_of_benchmarks,
    outcomes,
    pass_at_k,
    read_scores,
    seed_and_repeat,
)
from rectify.statistics.spread import interval
from rectify.step.errors import StepError
from scipy import stats

# the interval of a cell


def coverage(problems, mean, concentration, draws=4000):
    """Percent of draws in which the interval has the mean of the population of problems."""
    rng = np.random.default_rng([problems, int(1000 * mean), concentration])
    shape = (draws, problems)
    share = rng.beta(mean * concentration, (1 - mean) * concentration, shape)
    accuracies = rng.binomial(16, share) / 16
    bounds = np.array([interval(row) for row in accuracies])
    return 100 * np.mean((bounds[:, 0] <= mean) & (mean <= bounds[:, 1]))


@pytest.mark.parametrize("mean", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("problems", [30, 40, 272, 500])
def test_the_interval_covers_the_truth_95_times_in_100(problems, mean):
    assert 94 < coverage(problems, mean, 1) < 96


@pytest.mark.parametrize(
    ("problems", "mean", "least", "most"),
    [
        (30, 0.02, 95, 98), (30, 0.1, 93, 96), (40, 0.99, 95, 98),
        (272, 0.05, 94, 96), (272, 0.01, 94, 98), (500, 0.98, 94, 96),
    ],
)  # fmt: skip
def test_near_the_edges_the_interval_errs_on_the_wide_side(problems, mean, least, most):
    assert least < coverage(problems, mean, 1) < most


def test_far_from_the_edges_and_with_many_problems_it_is_the_t_interval():
    rng = np.random.default_rng(0)
    accuracies = rng.beta(2, 2, 500)
    expected = stats.t.interval(0.95, 499, accuracies.mean(), stats.sem(accuracies))
    assert interval(accuracies) == pytest.approx(expected, abs=5e-4)


def test_with_one_sample_it_is_wilsons_interval():
    """Then problems are trials; the two quarter problems count for little among 500."""
    right = 200
    accuracies = np.repeat([1.0, 0.0], [right, 500 - right])
    wilson = stats.binomtest(right, 500).proportion_ci(method="wilson")
    assert interval(accuracies) == pytest.approx((wilson.low, wilson.high), abs=5e-4)


def test_no_problem_solved_is_not_certainty():
    low, high = interval(np.zeros(30))
    assert low == 0
    wilson = stats.binomtest(0, 30).proportion_ci(method="wilson")  # 30 problems, 0 solved
    assert high == pytest.approx(wilson.high, rel=0.05)
    mirrored = interval(np.ones(30))
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_the_means_interval_adds_up_symmetric_ones_like_errors():
    rng = np.random.default_rng(1)
    cells = [average_at_n(scores_of(drawn(rng, rng.beta(2, 2, n)))) for n in (500, 675)]
    mean = mean_of_benchmarks(cells)
    assert mean.high - mean.low == pytest.approx(2 * 1.96 * mean.stderr, rel=0.01)
    assert mean.low < mean.accuracy < mean.high


def test_outcomes_must_be_complete():
    scores = scores_of(np.ones((3, 2, 4)))
    problems, correct = outcomes(scores.sample(frac=1, random_state=0))
    assert list(problems) == [0, 1, 2]
    assert correct.shape == (3, 2, 1, 4)
    for broken in (scores.iloc[1:], pd.concat([scores, scores.iloc[:1]])):
        with pytest.raises(StepError, match="3 problems x 2 seeds x 4 samples"):
            outcomes(broken)


def test_what_is_missing_or_there_twice_is_named():
    scores = scores_of(np.ones((3, 2, 2, 4)))
    with pytest.raises(StepError, match="problem_id 1, seed 0, repeat 1, sample 2 is missing"):
        outcomes(scores.drop(scores.index[22]))
    with pytest.raises(StepError, match="problem_id 0, seed 1, repeat 0, sample 3 is there twice"):
        outcomes(pd.concat([scores, scores.iloc[[11]]]))


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ([0], "problem_id 0, seed 0, repeat 0, sample 0 is missing"),
        ([-1], "problem_id 2, seed 1, repeat 1, sample 3 is missing"),
        ([-1, 17], "problem_id 1, seed 0, repeat 0, sample 1 is missing"),
    ],
)
def test_of_several_that_are_missing_the_first_is_named(gone, named):
    scores = scores_of(np.ones((3, 2, 2, 4)))
    with pytest.raises(StepError, match=named):
        outcomes(scores.drop(scores.index[gone]).sample(frac=1, random_state=0))


def test_outcomes_are_in_their_keys_order_whatever_the_rows():
    """Seed 10 comes after seed 9, and problems may have names."""
    correct = drawn(np.random.default_rng(6), [0.2, 0.5, 0.9], 2, 4)
    scores = scores_of(correct).replace({"seed": {0: 9, 1: 10}})
    named = scores.assign(problem_id=scores["problem_id"].map({0: "a", 1: "b", 2: "c"}))
    problems, found = outcomes(named.sample(frac=1, random_state=0))
    assert list(problems) == ["a", "b", "c"]
    assert np.array_equal(found, correct[:, :, None])


# training seeds and repeats


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("scores/m/base.parquet", (UNSEEDED, 0)),
        ("base-seed2.parquet", (2, 0)),
        ("dft-lr0.0002-batch32-seed1.parquet", (1, 0)),
        ("dft-offline-seed10-repeat2.parquet", (10, 2)),
        ("sft-seed0-checkpoints.parquet", (0, 0)),
        ("dft-seed3-seed1.parquet", (1, 0)),  # a method may be called so
        ("released-ready.parquet", (UNSEEDED, 0)),
    ],
)
def test_a_score_files_name_says_its_seed_and_repeat(file, expected):
    assert seed_and_repeat(file) == expected


@pytest.mark.parametrize(
    "name",
    [
        "dft",
        "dft-seed",
        "dft-seed0-repeat0",
        "dft-seed0-repeat",
        "dft-seed1x",
        "-seed0",
        "-ready",
        "dft-ready-repeat1",
    ],
)
def test_a_name_that_is_no_runs_is_refused(name):
    with pytest.raises(StepError, match=f"m/{name}.parquet: its name is no run's"):
        seed_and_repeat(f"m/{name}.parquet")


def test_read_scores_labels_every_file(tmp_path):
    rows = scores_of(np.ones((2, 1, 3))).drop(columns=["seed", "repeat"])
    names = ["dft-seed0", "dft-seed0-repeat1", "dft-seed2", "dft-seed2-repeat1"]
    files = [str(tmp_path / f"{name}.parquet") for name in names]
    for file in files:
        rows.to_parquet(file)
    scores = read_scores(files)
    found = scores.groupby(["seed", "repeat"]).size()
    assert found.to_dict() == {(0, 0): 6, (0, 1): 6, (2, 0): 6, (2, 1): 6}
    _, correct = outcomes(scores)
    assert correct.shape == (2, 2, 2, 3)
    with pytest.raises(StepError, match="seed 2, repeat 1, sample 0 is missing"):
        outcomes(read_scores(files[:3]))


def test_read_scores_leaves_texts_where_they_are(tmp_path):
    rows = scores_of(np.ones((2, 1, 3))).drop(columns=["seed", "repeat"])
    rows = rows.assign(checkpoint=0, answer="7", harness=True, status="ok", finish_reason="stop")
    rows.to_parquet(file := tmp_path / "base.parquet")
    assert set(read_scores([str(file)])) == {
        "benchmark", "checkpoint", "problem_id", "sample", "correct", "harness", "status", "seed",
        "repeat",
    }  # fmt: skip


def test_a_cells_error_is_that_of_problems_and_of_the_seeds_own_part():
    """Two problems, three seeds, by hand: seeds' means 0.25, 0.5, 0.9; no interaction."""
    problems, seeds = np.array([[0.1], [-0.1]]), np.array([0.25, 0.5, 0.9])
    cell = cell_of(problems + seeds, 16)
    assert cell.accuracy == pytest.approx(55)
    variance = 0.02 / 2 + seeds.var(ddof=1) / 3
    assert cell.stderr == pytest.approx(100 * np.sqrt(variance))
    low, high = interval(problems[:, 0] + 0.55)
    reach = stats.t.ppf(0.975, 2) * stats.sem(seeds)
    assert cell.low == 0  # hypot of both distances reaches beyond
    assert np.hypot(0.55 - low, reach) > 0.55
    assert cell.high == pytest.approx(100 * min(0.55 + np.hypot(high - 0.55, reach), 1))


def test_an_intervals_distances_add_up_by_squares():
    rng = np.random.default_rng(26)
    problems, seeds = rng.uniform(0.3, 0.6, (50, 1)), np.array([-0.02, 0.0, 0.01, 0.03])
    cell = cell_of(problems + seeds, 16)
    middle, reach = (problems + seeds).mean(), stats.t.ppf(0.975, 3) * stats.sem(seeds)
    low, high = interval((problems + seeds).mean(axis=1))
    assert cell.low == pytest.approx(100 * (middle - np.hypot(middle - low, reach)))
    assert cell.high == pytest.approx(100 * (middle + np.hypot(high - middle, reach)))


def test_seeds_that_differ_by_chance_alone_add_little():
    """The seeds' part is what their means differ by beyond interaction and sampling."""
    rng = np.random.default_rng(27)
    added = []
    for _ in range(200):
        scores = scores_of(drawn(rng, rng.uniform(0, 1, 40), seeds=3))
        problems = scores.groupby("problem_id")["correct"].mean()
        added.append(average_at_n(scores).stderr ** 2 / (100 * stats.sem(problems)) ** 2 - 1)
    assert min(added) == pytest.approx(0)
    assert np.median(added) < 0.05


def test_the_means_seeds_are_those_of_all_benchmarks():
    """Seeds that are better on one benchmark and worse on the other do not move the mean."""
    rng = np.random.default_rng(28)
    seeds = np.array([-0.1, 0.0, 0.1])
    easy, hard = rng.uniform(0.3, 0.7, (2, 30, 1))
    alike = [cell_of(easy + seeds, 16), cell_of(hard + seeds, 16)]
    opposite = [alike[0], cell_of(hard - seeds, 16)]
    problems = [stats.sem(each[:, 0]) ** 2 for each in (easy, hard)]
    for cells, shared in ((alike, stats.sem(seeds) ** 2), (opposite, 0)):
        mean = mean_of_benchmarks(cells)
        assert mean.stderr == pytest.approx(100 * np.sqrt(sum(problems) / 4 + shared))
        assert mean.n_seeds == 3
    with pytest.raises(StepError, match=r"\[1, 3\] training seeds"):
        mean_of_benchmarks([alike[0], cell_of(easy, 16)])


# pass@k


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample(k):
    rng = np.random.default_rng(2)
    correct = drawn(rng, rng.beta(0.5, 0.5, 6), seeds=2, samples=8)
    shares = [
        [np.mean([any(subset) for subset in itertools.combinations(row, k)]) for row in problem]
        for problem in correct
    ]
    means = 100 * np.mean(shares, axis=1)
    cell = pass_at_k(outcomes(scores_of(correct))[1], k)
    assert cell.accuracy == pytest.approx(means.mean())
    assert cell.stderr == pytest.approx(stats.sem(means))


def test_pass_at_1_is_the_average_and_pass_at_n_whether_any_is_right():
    correct = drawn(np.random.default_rng(3), np.linspace(0, 0.3, 20))
    scores = scores_of(correct)
    _, found = outcomes(scores)
    assert pass_at_k(found, 1).accuracy == pytest.approx(average_at_n(scores).accuracy)
    assert pass_at_k(found, 16).accuracy == pytest.approx(100 * correct.any(axis=2).mean())
    with pytest.raises(StepError, match="only 16 samples"):
        pass_at_k(found, 32)
