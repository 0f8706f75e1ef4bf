"""Health over training: a point for each step, beside the base models, and four panels."""

import pandas as pd
import pytest
from rectify.paper.figures import health
from rectify.statistics.health import QUANTITIES

STEPS = {0: (100, 0.0), 5: (60, 0.5), 10: (40, 1.0)}  # tokens, and the share that is in a loop
OTHER = {7: (1, 0.0)}  # of another figure
PROBLEMS, SAMPLES = 6, 4


def scores(steps):
    """Score rows of these steps; longer on later problems."""
    rows = [
        {
            "benchmark": name, "checkpoint": step if len(steps) > 1 else 0, "problem_id": problem,
            "sample": sample, "answer": "1", "correct": sample == 0, "harness": sample == 0,
            "status": "ok", "n_tokens": (STEPS | OTHER)[step][0] + problem, "finish_reason": "stop",
            "loop": sample < SAMPLES * (STEPS | OTHER)[step][1],
        }
        for step in steps for name in ("easy", "hard") for problem in range(PROBLEMS)
        for sample in range(SAMPLES)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("health")
    files = {"base": [0], "dft-seed0-checkpoints": [5, 7, 10], "dft-seed0": [10]}
    for name, steps in files.items():
        scores(steps).to_parquet(folder / f"{name}.parquet")
    (folder / "model").mkdir()
    (folder / "model" / "train.csv").write_text("step,nll\n5,1\n10,1\n")
    base, along, final = (str(folder / f"{name}.parquet") for name in files)
    return {
        "base": [base],
        "steps": [5, 10],
        "curves": [
            {"method": "dft", "checkpoints": [along], "final": [final],
             "model": str(folder / "model")}
        ],
        "methods": {"base": "Base", "dft": "DFT"},
        "benchmarks": {"easy": "Easy", "hard": "Hard"},
        "samples": SAMPLES,
        "scoring": {"grader": "corrected", "rounding": "exact"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def points(layout):
    return health.points(layout)


def test_each_step_has_every_quantity_and_the_last_one_once(points):
    assert list(points) == health.COLUMNS
    assert len(points) == len(STEPS) * 3 * len(QUANTITIES)
    assert not points.duplicated(health.KEYS).any()
    found = points.query("benchmark == 'mean'").set_index(["quantity", "step"])["value"]
    for step, (tokens, share) in STEPS.items():
        assert found["length", step] == tokens + (PROBLEMS - 1) / 2
        assert found["loop", step] == 100 * share


def test_differences_are_to_the_base_model_problem_by_problem(points):
    own = points.query("benchmark == 'mean' and quantity == 'length'").set_index("step")
    assert pd.isna(own["difference"][0])
    assert own.loc[10, ["difference", "difference_low", "difference_high"]].tolist() == [-60] * 3
    assert own.loc[10, "low"] < own.loc[10, "value"] < own.loc[10, "high"]


def test_four_panels_show_the_means(points, layout):
    figure = health.draw(points, layout)
    assert [axis.get_title() for axis in figure.axes] == list(health.PANELS.values())
    means = points.query("benchmark == 'mean'").groupby("quantity")["value"]
    for axis, quantity in zip(figure.axes, health.PANELS, strict=True):
        (line,) = [line for line in axis.lines if len(line.get_xdata()) == len(STEPS)][:1]
        assert line.get_ydata().tolist() == means.get_group(quantity).tolist()


def test_a_point_is_made_of_its_step_and_of_the_base_models(points, layout):
    (curve,) = layout["curves"]
    text = points.astype(str)

    def behind(step):
        return health.behind(layout, text[text["step"] == step].iloc[0], text)

    assert behind("0") == layout["base"]
    assert behind("5") == [*curve["checkpoints"], *layout["base"]]
    assert behind("10") == [*curve["final"], curve["model"], *layout["base"]]
