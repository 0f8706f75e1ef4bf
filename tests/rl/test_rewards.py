"""Rewards: the grader beside a training run, questions that can be asked."""

import pytest
from helpers import ROOT
from rectify.models.stops import stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.rl.questions import read_questions
from rectify.rl.rewards import grader, score
from rectify.step.errors import StepError
from rectify.step.manifest import NOTES


def test_reward_is_the_grader_s_on_finished_answers_alone(model_folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "workflow"))
    tokenizer = load_tokenizer(model_folder)
    end = stop_token_ids(tokenizer)[0]
    expected = {
        "so \\boxed{7}.": 1.0,
        "\\boxed{14/2}": 1.0,
        "\\boxed{7}</s> \\boxed{9}": 1.0,  # cut at a stop word that is spelled out
        "\\boxed{8}": 0.0,
        "seven": 0.0,
    }
    answers = [[*tokenizer.encode(text), end] for text in expected]
    cut_off = tokenizer.encode("\\boxed{7}")
    with grader() as reward:
        rewards = score(tokenizer, ["7"] * 6, [*answers, cut_off], reward)
        assert rewards == [*expected.values(), 0.0]
        assert reward([], []) == []


def test_questions_without_gold_or_room_are_left_out(model_folder, rows, tmp_path):
    questions = tmp_path / "questions.parquet"
    table = rows.head(8).assign(problem_id=range(8))
    tokenizer = load_tokenizer(model_folder)
    table.assign(answer=[None, ""] * 4).to_parquet(questions)
    with pytest.raises(StepError, match=r"questions\.parquet: no question with an answer"):
        read_questions(questions, tokenizer, "chat", 100)
    table.to_parquet(questions)
    with pytest.raises(StepError, match="no prompt of at most 3 tokens"):
        read_questions(questions, tokenizer, "chat", 3)
    longest = max(len(q.prompt) for q in read_questions(questions, tokenizer, "chat", 100))
    shorter = read_questions(questions, tokenizer, "chat", longest - 1)
    assert 0 < len(shorter) < 8
    assert NOTES["prompts"] == {"given": 8, "too_long": 8 - len(shorter)}
    table.assign(answer=["5", None, "", "7"] * 2).to_parquet(questions)
    kept = read_questions(questions, tokenizer, "chat", 100)
    assert [question.gold for question in kept] == ["5", "7", "5", "7"]
    texts = [tokenizer.decode(question.prompt) for question in kept]
    expected = table["problem"].iloc[[0, 3, 4, 7]]
    assert all(problem in text for problem, text in zip(expected, texts, strict=True))
