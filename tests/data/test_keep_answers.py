"""The model's own answers: just what the grader found right, and pairs of one question."""

import json

import pandas as pd
import pytest
from helpers import SETTINGS, one_line, settings_file, step
from rectify.data.keep_answers import at_most, graded_answers, pairs_of
from rectify.data.list_questions import questions


def answers(*rows):
    """Rows (problem_id, correct) as finished answers with texts of their own."""
    return pd.DataFrame(
        [
            {"problem_id": problem, "sample": index, "problem": f"q{problem}",
             "text": f"{'right' if correct else 'wrong'}-{problem}-{index}", "correct": correct}
            for index, (problem, correct) in enumerate(rows)
        ]
    )  # fmt: skip


def test_questions_are_the_rows_with_a_boxed_answer():
    rows = pd.DataFrame(
        {
            "problem": ["a", "b", "c"],
            "solution": [r"so \boxed{1}", "no box", r"\boxed{2}, no, \boxed{\frac{3}{4}}"],
        }
    )
    found = questions(rows)
    assert found.to_dict("list") == {
        "problem_id": [0, 2],
        "problem": ["a", "c"],
        "answer": ["1", r"\frac{3}{4}"],
    }


def test_fewer_questions_than_asked_for_are_said(tmp_path):
    rows = pd.DataFrame({"problem": ["a", "b"], "solution": [r"\boxed{1}", "no box"]})
    rows.to_parquet(tmp_path / "rows.parquet")
    words = [f"--{name}={tmp_path / name}" for name in ("out", "counts")]
    done = step("list_questions", "--rows", tmp_path / "rows.parquet", "--count", 5, *words)
    assert "questions: asked for 5, found 1\n" in done.stdout


def test_pairs_are_a_right_and_a_wrong_answer_of_one_question_and_share_none():
    rows = answers((0, True), (0, False), (0, True), (1, True), (1, True), (2, False),
                   (3, False), (3, True), (3, True), (3, False))  # fmt: skip
    pairs = pairs_of(rows)
    assert len(pairs) == 1 + 0 + 0 + 2  # the rarer kind of each question
    for pair in pairs.itertuples():
        assert pair.chosen.startswith(f"right-{pair.problem[1:]}-")
        assert pair.rejected.startswith(f"wrong-{pair.problem[1:]}-")
    assert pairs["chosen"].is_unique
    assert pairs["rejected"].is_unique


def test_a_cap_keeps_a_seeded_sample_in_order():
    rows = pd.DataFrame({"problem": range(100)})
    kept = at_most(rows, 10, seed=1)["problem"].tolist()
    assert len(kept) == 10
    assert kept == sorted(kept)
    assert kept == at_most(rows, 10, seed=1)["problem"].tolist()
    assert kept != at_most(rows, 10, seed=2)["problem"].tolist()
    assert len(at_most(rows, None, seed=1)) == len(at_most(rows, 100, seed=1)) == 100


@pytest.fixture
def files(tmp_path):
    """Graded samples of two questions, and the step's arguments."""
    scored = pd.DataFrame(
        {
            "problem_id": [0, 0, 0, 1, 1, 1],
            "sample": [0, 1, 2] * 2,
            "correct": [True, False, True, False, True, False],
            "text": list("abcdef"),
            "finish_reason": ["stop", "stop", "length", "stop", "stop", "length"],
        }
    )
    asked = {"problem_id": [0, 1], "problem": ["p", "q"], "answer": ["1", "2"]}
    pd.DataFrame(asked).to_parquet(tmp_path / "questions.parquet")
    scored.drop(columns="correct").to_parquet(tmp_path / "samples.parquet")
    scored[["problem_id", "sample", "correct"]].to_parquet(tmp_path / "scores.parquet")
    words = [f"--{name}={tmp_path / name}.parquet" for name in
             ("questions", "samples", "scores", "correct", "pairs", "answers")]  # fmt: skip
    return tmp_path, [*words, f"--counts={tmp_path / 'counts.json'}"]


def test_just_the_finished_and_graded_correct_are_kept(files):
    folder, words = files
    done = step(
        "keep_answers",
        "--settings",
        settings_file({"seed": 0, "correct": None, "pairs": 9}),
        *words,
    )
    assert done.returncode == 0, done.stderr
    assert "correct: asked for all, found 2\npairs: asked for 9, found 2\n" in done.stdout
    correct = pd.read_parquet(folder / "correct.parquet")
    assert correct.to_dict("list") == {"problem": ["p", "q"], "solution": ["a", "e"]}
    pairs = pd.read_parquet(folder / "pairs.parquet")
    assert pairs.values.tolist() == [["p", "a", "b"], ["q", "e", "d"]]
    every = pd.read_parquet(folder / "answers.parquet")
    assert every.to_dict("list") == {
        "problem": ["p", "p", "q", "q"],
        "solution": ["a", "b", "d", "e"],
        "reward": [1.0, 0.0, 0.0, 1.0],
    }
    assert json.loads((folder / "counts.json").read_text()) == {
        "questions": 2, "skipped": 0, "samples": 6, "unfinished": 2, "correct": 2, "kept": 2,
        "pairs": 2, "kept_pairs": 2,
    }  # fmt: skip


def test_questions_that_have_no_answers_are_counted(files):
    """Their prompts were too long to be asked."""
    folder, words = files
    asked = {"problem_id": [0, 1, 2], "problem": ["p", "q", "r" * 999], "answer": ["1", "2", "3"]}
    pd.DataFrame(asked).to_parquet(folder / "questions.parquet")
    done = step(
        "keep_answers",
        "--settings",
        settings_file({"seed": 0, "correct": None, "pairs": 9}),
        *words,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads((folder / "counts.json").read_text())
    assert (counts["questions"], counts["skipped"], counts["samples"]) == (2, 1, 6)


@pytest.mark.slow
def test_an_empty_set_is_refused_by_what_learns_from_it_and_by_nothing_else(files, model_folder):
    folder, words = files
    scores = pd.read_parquet(folder / "scores.parquet").assign(correct=False)
    scores.to_parquet(folder / "scores.parquet")
    done = step(
        "keep_answers",
        "--settings",
        settings_file({"seed": 0, "correct": None, "pairs": None}),
        *words,
    )
    assert done.returncode == 0, done.stderr
    assert len(pd.read_parquet(folder / "answers.parquet")) == 4
    trained = ["--model", model_folder, "--out", folder / "out", "--settings"]
    settings = {**SETTINGS, "dpo": {"beta": 0.1}}
    for name, rows, said in (("train", "correct", "only 0 rows"), ("dpo", "pairs", "no pairs")):
        arguments = ["--rows", folder / f"{rows}.parquet", *trained, settings_file(settings)]
        one_line(step(name, *arguments), said)


def test_a_sample_without_a_score_is_refused(files):
    folder, _ = files
    tables = [pd.read_parquet(folder / f"{name}.parquet") for name in
              ("questions", "samples", "scores")]  # fmt: skip
    with pytest.raises(ValueError, match="problem 1, sample 2 has no score"):
        graded_answers(tables[0], tables[1], tables[2].iloc[:-1])
