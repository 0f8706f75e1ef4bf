"""A cell's numbers against closed forms, scipy and brute force: interval, pass@k, variance."""

import itertools

import numpy as np
import pandas as pd
import pytest
from helpers import drawn, scores_of
from rectify.statistics.accuracy import (
    UNSEEDED,
    average_at_n,
    cell_of,
    interval,
    mean_of_benchmarks,
    outcomes,
    pass_at_k,
    read_scores,
    seed_and_repeat,
)
from rectify.statistics.summarise_scores import variances
from rectify.statistics.variance import SOURCES, mean_squares, variance_split
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


# components of variance


def effects(rng, expected, shapes):
    """Effects of these variances, each -1 or 1 standard deviation, added up."""
    return sum(
        np.sqrt(variance) * rng.choice([-1, 1], shape)
        for variance, shape in zip(expected, shapes, strict=True)
    )


def test_components_are_found_again():
    """Outcomes of known spread: problem 0.2, seed 0.08, interaction 0.2, the rest is sampling."""
    rng = np.random.default_rng(4)
    expected = (0.04, 0.0064, 0.04)
    found = []
    for _ in range(300):
        shifts = effects(rng, expected, ((30, 1, 1), (1, 5, 1), (30, 5, 1)))
        split = variance_split(scores_of(rng.random((30, 5, 8)) < 0.5 + shifts), pretrained=True)
        assert split.fine_tuning is None
        found.append([split.problem, split.pretraining, split.interaction, split.sampling])
    sampling = 0.25 - sum(expected)  # of all outcomes' variance at 50 %
    assert np.mean(found, axis=0) == pytest.approx([*expected, sampling], rel=0.06)


def test_pretraining_and_fine_tuning_are_told_apart_by_repeats():
    """Problem, seed, repeat in seed, and problem x seed and x repeat, which are one component."""
    rng = np.random.default_rng(29)
    expected = (0.02, 0.008, 0.004, 0.006, 0.008)
    shapes = ((20, 1, 1, 1), (1, 6, 1, 1), (1, 6, 3, 1), (20, 6, 1, 1), (20, 6, 3, 1))
    found = []
    for _ in range(300):
        shifts = effects(rng, expected, shapes)
        split = variance_split(scores_of(rng.random((20, 6, 3, 8)) < 0.5 + shifts), True)
        found.append([getattr(split, source) for source in SOURCES])
    components = [*expected[:3], sum(expected[3:]), 0.25 - sum(expected)]
    assert np.mean(found, axis=0) == pytest.approx(components, rel=0.06)


def test_the_nested_layouts_mean_squares_by_hand():
    """Effects that sum to 0 in every cell above them: sums of squares are those of the effects."""
    problem = np.array([1.0, -1.0])[:, None, None, None]
    seed = np.array([2.0, -1.0, -1.0])[None, :, None, None]
    repeat = np.array([[3.0, -3.0], [1.0, -1.0], [2.0, -2.0]])[None, :, :, None]
    by_seed = problem * np.array([0.5, 0.0, -0.5])[None, :, None, None]
    by_repeat = problem * np.array([[0.2, -0.2]] * 3)[None, :, :, None]
    sampling = np.array([0.1, -0.1]) * np.ones((2, 3, 2, 1))
    found = mean_squares(7 + problem + seed + repeat + by_seed + by_repeat + sampling)
    assert found == pytest.approx(
        {
            "problem": 12 * 2 / 1 / 1,  # 3 seeds x 2 repeats x 2 samples, times 1 + 1
            "seed": 8 * (4 + 1 + 1) / 2,
            "repeat": 4 * 2 * (9 + 1 + 4) / 3,
            "problem x seed": 4 * 2 * (0.25 + 0.25) / 2,
            "problem x repeat": 2 * 2 * 3 * 2 * 0.04 / 3,
            "sampling": 24 * 0.01 / 12,
        }
    )


def test_the_split_of_a_nested_layout_is_its_mean_squares_arithmetic():
    correct = drawn(np.random.default_rng(30), np.linspace(0, 1, 40), seeds=6)
    correct = correct.reshape(40, 3, 2, 16) ^ (np.arange(3) == 2)[:, None, None]
    split, square = variance_split(scores_of(correct), True), mean_squares(correct.astype(float))
    assert split.sampling == pytest.approx(square["sampling"])
    expected = square["repeat"] - square["problem x repeat"]
    assert split.fine_tuning == pytest.approx(max(expected, 0) / (40 * 16))
    expected = (
        square["seed"] - square["repeat"] - square["problem x seed"] + square["problem x repeat"]
    )
    assert split.pretraining == pytest.approx(max(expected, 0) / (40 * 2 * 16))
    assert split.problem == pytest.approx(
        max(square["problem"] - square["problem x seed"], 0) / (3 * 2 * 16)
    )


@pytest.mark.parametrize(
    ("shape", "pretrained", "known"),
    [
        ((4, 1, 1, 4), True, set()),
        ((4, 3, 1, 4), True, {"pretraining", "interaction"}),
        ((4, 1, 3, 4), True, {"fine_tuning", "interaction"}),
        ((4, 3, 2, 4), True, {"pretraining", "fine_tuning", "interaction"}),
        ((4, 3, 1, 4), False, {"fine_tuning", "interaction"}),
        ((4, 3, 2, 4), False, {"fine_tuning", "interaction"}),
    ],
)
def test_what_was_done_once_has_no_part_of_its_own(shape, pretrained, known):
    split = variance_split(scores_of(np.random.default_rng(31).random(shape) < 0.5), pretrained)
    parts = {"pretraining", "fine_tuning", "interaction"}
    assert {part for part in parts if getattr(split, part) is not None} == known
    assert {part for part in parts if split.of_mean[part] is not None} == known


def test_without_pretraining_every_training_is_a_fine_tuning():
    scores = scores_of(np.random.default_rng(32).random((8, 3, 2, 4)) < 0.5)
    single = scores.assign(seed=0, repeat=2 * scores["seed"] + scores["repeat"])
    assert variance_split(scores, False) == variance_split(single, True)


@pytest.mark.parametrize(("base", "part"), [(0, "pretraining"), (UNSEEDED, "fine_tuning")])
def test_seeds_are_pretrainings_where_the_base_model_has_them(base, part):
    rng = np.random.default_rng(33)
    scores = {
        ("m", "base"): scores_of(drawn(rng, np.full(4, 0.5))).assign(seed=base),
        ("m", "dft"): scores_of(drawn(rng, np.full(4, 0.5), seeds=2)),
    }
    table = variances(scores, {"grader": "corrected", "rounding": "exact"}).set_index("method")
    other = {"pretraining": "fine_tuning", "fine_tuning": "pretraining"}[part]
    assert table.loc["dft", [part, f"{part}_of_mean"]].notna().all()
    assert table.loc["dft", [other, f"{other}_of_mean"]].isna().all()


def test_with_one_seed_the_parts_add_up_to_the_standard_error():
    scores = scores_of(drawn(np.random.default_rng(5), np.linspace(0, 1, 40)))
    split = variance_split(scores, pretrained=True)
    assert split.pretraining is None
    assert split.interaction is None
    parts = split.of_mean["problem"] + split.of_mean["sampling"]
    assert np.sqrt(parts) == pytest.approx(average_at_n(scores).stderr)


@pytest.mark.parametrize("repeats", [1, 2])
def test_with_several_seeds_too(repeats):
    """Wherever no component comes out negative."""
    rng = np.random.default_rng(34)
    shapes = ((40, 1, 1, 1), (1, 4, 1, 1), (1, 4, repeats, 1), (40, 4, 1, 1), (40, 4, repeats, 1))
    shifts = effects(rng, (0.02, 0.008, 0.004, 0.006, 0.008), shapes)
    scores = scores_of(rng.random((40, 4, repeats, 8)) < 0.5 + shifts)
    split = variance_split(scores, pretrained=True)
    parts = [part for part in split.of_mean.values() if part is not None]
    assert min(parts) > 0
    assert np.sqrt(sum(parts)) == pytest.approx(average_at_n(scores).stderr)


def test_negative_components_are_zero_and_a_split_needs_two_of_each():
    """Each problem solved once in two samples: less spread between problems than by chance."""
    split = variance_split(scores_of([[[0, 1], [1, 0]], [[1, 0], [0, 1]]]), pretrained=True)
    assert (split.problem, split.pretraining, split.interaction) == (0, 0, 0)
    assert split.sampling == pytest.approx(0.5)
    for shape in ((1, 1, 4), (4, 1, 1)):
        with pytest.raises(StepError, match="it needs 2"):
            variance_split(scores_of(np.zeros(shape)), pretrained=True)
