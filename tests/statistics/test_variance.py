"""The components of a cell's variance, against known effects and mean squares by hand."""

import numpy as np
import pytest
from helpers import drawn, scores_of
from rectify.statistics.accuracy import (
    UNSEEDED,
    average_at_n,
)
from rectify.statistics.summarise_scores import variances
from rectify.statistics.variance import SOURCES, mean_squares, variance_split
from rectify.step.errors import StepError


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
