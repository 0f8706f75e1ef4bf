"""The note on methods that are not above their base: what their own files say, from small ones."""

import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs import layouts
from rectify.report.tables.shortfall import course, lesson, shortfalls
from rectify.study.load import load_study


def logged(folder, steps=20, **columns):
    """A model folder whose log goes in equal steps from the first to the last value of a column."""
    folder.mkdir()
    values = {
        name: [first + (last - first) * i / (steps - 1) for i in range(steps)]
        for name, (first, last) in columns.items()
    }
    pd.DataFrame({"step": range(1, steps + 1), **values}).to_csv(folder / "train.csv", index=False)
    return str(folder)


def kept(file, **columns):
    """A file of rows about the questions a, a, b."""
    pd.DataFrame({"problem": ["a", "a", "b"], **columns}).to_parquet(file)
    return str(file)


def test_the_course_is_the_mean_of_the_first_and_last_tenth_over_all_seeds(tmp_path):
    """20 rows: 2 of them; (0.00 + 0.01) / 2 and (0.02 + 0.03) / 2 make a mean of 0.015."""
    first = logged(tmp_path / "seed0", reward=(0.00, 0.19), loss=(1, 1))
    second = logged(tmp_path / "seed1", reward=(0.02, 0.21), loss=(1, 1))
    assert course([first, second]) == (
        "the mean reward of the answers it drew went from 0.015 to 0.195 over 20 steps, which did "
        "not carry over to the benchmarks"
    )


@pytest.mark.parametrize(
    ("column", "first", "last", "said"),
    [
        ("reward", 0.5, 0.4, "; training did not raise it"),
        ("reward", 0.0, 0.0, "; training did not raise it"),
        ("rewards/margins", 0.0, 2.0, ", which did not carry over to the benchmarks"),
        ("rewards/margins", 0.0, -1.0, "; training did not raise it"),
        ("nll", 0.9, 0.3, ", which did not carry over to the benchmarks"),
        ("nll", 0.3, 0.9, "; training did not lower it"),
    ],
)
def test_training_that_failed_is_told_from_a_gain_that_stayed_behind(
    tmp_path, column, first, last, said
):
    text = course([logged(tmp_path / "run", steps=5, **{column: (first, last)})])
    assert text.endswith(f"went from {first:.3f} to {last:.3f} over 5 steps{said}")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"solution": "s"}, "3 correct answers to 2 questions"),
        (
            {"chosen": "c", "rejected": "r"},
            "3 pairs of a correct and a wrong answer to 2 questions",
        ),
        (
            {"solution": "s", "reward": [1.0, 0.0, 0.0]},
            "3 answers to 2 questions, 1 of them correct",
        ),
        ({"problem_id": "i", "answer": "4"}, "2 questions"),
    ],
)
def test_what_was_learned_from_is_counted(tmp_path, columns, said):
    file = kept(tmp_path / "rows.parquet", **columns)
    assert lesson([file]) == lesson([file, file]) == said
    other = kept(tmp_path / "others.parquet", **columns)
    assert lesson([file, other]) == f"{said} (mean of 2 base models)"


def test_rl_methods_that_are_not_above_base_have_a_line_of_their_own(tmp_path):
    """SFT is named; GRPO, which is above its base, is not, nor are its files read."""
    models = [logged(tmp_path / "ppo", steps=10, reward=(0.5, 0.25))]
    questions = kept(tmp_path / "questions.parquet", answer="4")
    rows = [
        {"training": None},
        {"training": None},
        {"training": {"models": models, "rows": [questions]}},
        {"training": {"models": ["gone"], "rows": ["gone.parquet"]}},
    ]
    cells = pd.DataFrame(
        {
            "model": "m",
            "method": ["base", "sft", "ppo", "grpo"],
            "setting": ["-", "sft", "online", "online"],
            "benchmark": "mean",
            "accuracy": [50.0, 40.0, 50.0, 60.0],
        }
    )
    text, line = shortfalls(cells, rows).split("\n\n")
    assert text.startswith("Not above the base model on the average: m sft, m ppo online. The RL")
    assert line == (
        "- m ppo online, trained on 2 questions: the mean reward of the answers it drew went from "
        "0.500 to 0.250 over 10 steps; training did not raise it."
    )
    named = shortfalls(cells.iloc[[0, 1, 3]], rows)
    assert named == "Not above the base model on the average: m sft."
    assert shortfalls(cells.iloc[[0, 3]], rows) is None


def test_a_table_takes_its_rl_methods_logs_and_rows(monkeypatch):
    monkeypatch.chdir(ROOT)
    layout = layouts.table_layout(load_study("config/mini.yaml"), "table3")
    training = {row["method_title"] + row["setting"]: row["training"] for row in layout["rows"]}
    assert [name for name, found in training.items() if found is None] == [
        "Base-", "SFTsft", "iw-SFTsft", "DFTsft",
    ]  # fmt: skip
    folder = "results/mini/models/qwen2-mini"
    assert training["PPOonline"] == {
        "models": [f"{folder}/ppo-seed{seed}" for seed in range(3)],
        "rows": ["results/mini/data/questions.parquet"] * 3,
    }
    assert training["DPOoffline"] == {
        "models": [f"{folder}/dpo-seed{seed}" for seed in range(3)],
        "rows": [
            f"results/mini/self/qwen2-mini/base-seed{seed}/pairs.parquet" for seed in range(3)
        ],
    }
    assert f"{folder}/dpo-seed2" in layouts.files_in(layout)
