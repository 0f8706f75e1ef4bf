"""A verdict for every sample of every problem."""

import pandas as pd
import pytest
from rectify.evaluation.score import score
from rectify.step.errors import StepError


def frames(*texts, gold="52_8", problem="Write 42 in base 8."):
    """A benchmark of one problem, numbered as rows are, and samples of it."""
    problems = pd.DataFrame(
        {"benchmark": ["a"], "problem_id": [0], "problem": [problem], "answer": [gold]}
    )
    samples = pd.DataFrame({"text": texts}).reset_index(names="sample")
    return samples.assign(
        benchmark="a", problem_id=0, checkpoint=0, n_tokens=1, finish_reason="stop"
    ), problems


def test_a_sample_is_graded_against_its_problems_answer():
    scores = score(*frames("so \\boxed{7}", "so \\boxed{8}", "7", gold="7"), workers=1)
    assert scores["status"].to_list() == ["ok", "ok", "no_answer"]
    assert scores["correct"].to_list() == [True, False, False]


def test_a_sample_that_ends_in_a_loop_is_marked():
    scores = score(*frames("so \\boxed{7}", "and so on " * 20), workers=1)
    assert scores["loop"].to_list() == [False, True]


def test_the_problems_text_says_whether_several_bases_are_asked_for():
    """The digits alone are right where the question states the base, and one base only."""
    one, two = "Write 42 in base 8.", "Is it in base 7 or in base 8? Write 42 in it."
    for problem, right in ((one, True), (two, False)):
        assert score(*frames("\\boxed{52}", problem=problem), workers=1)["correct"].item() == right


def test_a_sample_of_no_problem_is_named():
    samples, problems = frames("\\boxed{7}")
    with pytest.raises(StepError, match="no problem 3 in benchmark 'a'"):
        score(samples.assign(problem_id=3), problems, workers=1)


def test_a_benchmark_has_its_own_grader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(
        "def same(gold, response, row):\n    return response == gold + row['unit']\n"
    )
    samples, problems = frames("7m", "7", "Answer: 7", gold="7")
    problems = problems.assign(row='{"unit": "m"}')
    assert score(samples, problems, 1, {"a": "own.py:same"})["correct"].tolist() == [1, 0, 0]
    found = score(samples, problems, 1, {"a": "exact"})
    assert found["correct"].tolist() == [False, True, True]
    assert found["harness"].tolist() == found["correct"].tolist()


def test_no_scores_are_made_of_a_grader_that_raises(tmp_path, monkeypatch):
    """Its samples would count as wrong answers."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text("def f(gold, response, row):\n    return row['x'] == gold\n")
    samples, problems = frames("7", "8")
    with pytest.raises(StepError) as error:
        score(samples, problems.assign(row="{}"), 1, {"a": "own.py:f"})
    assert str(error.value) == (
        "grader 'own.py:f' fails on 2 of 2 samples, first on row 1 of benchmark 'a', sample 0: "
        "KeyError: 'x'; mend it, and run again"
    )


def test_nor_of_one_that_ends_its_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text("import os\ndef f(gold, response, row):\n    os._exit(3)\n")
    samples, problems = frames("7", "8")
    with pytest.raises(StepError, match="first on row 1 of benchmark 'a', sample 0: it ends its"):
        score(samples, problems.assign(row="{}"), 1, {"a": "own.py:f"})
