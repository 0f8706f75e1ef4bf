"""Conversations sampled as training rows: an answer a row, and every kind of bad one named."""

import json

import pandas as pd
import pytest
from helpers import SETTINGS, settings_file, step
from rectify.data.sample_rows import training_rows
from rectify.data.source import source_settings
from rectify.jobs.preflight import check_runs
from rectify.step import manifest
from rectify.step.errors import StepError
from rectify.study.load import load_study, read_yaml

GIVEN = {"rows_of": "training", "problem": "problem", "solution": "solution", "messages": "turns"}


def turn(role, content):
    return {"role": role, "content": content}


ONE = [turn("user", "1+1?"), turn("assistant", "2")]
TWO = [turn("system", "Brief."), *ONE, turn("user", "2+2?"), turn("assistant", "So \\boxed{4}")]


def sampled(chats, **settings):
    """Training rows of these conversations, from a file that has them."""
    frame = pd.DataFrame({"turns": pd.Series(chats, dtype=object), "score": range(len(chats))})
    return training_rows(frame, source_settings(GIVEN | settings), "a.jsonl")


def test_the_last_answer_is_the_solution_of_the_users_turn_before_it():
    rows = sampled([ONE, TWO])
    assert list(rows) == ["problem", "solution", "messages"]
    assert rows["problem"].tolist() == ["1+1?", "2+2?"]
    assert rows["solution"].tolist() == ["2", "So \\boxed{4}"]
    assert rows["messages"].map(json.loads).tolist() == [ONE, TWO]


def test_or_every_answer_is_one_of_a_row_of_its_own_with_what_its_conversation_has():
    rows = sampled([TWO, ONE], loss_on="assistant", reward="score", answer_after="So")
    assert rows["messages"].map(json.loads).tolist() == [TWO[:3], TWO, ONE]
    assert rows["solution"].tolist() == ["2", "So \\boxed{4}", "2"]
    assert rows["reward"].tolist() == [0.0, 0.0, 1.0]
    assert rows["answer"].tolist() == ["", "\\boxed{4}", ""]


def test_what_the_assistant_says_before_it_is_asked_is_no_answer():
    greeted = [turn("assistant", "Hello."), *ONE]
    assert sampled([greeted], loss_on="assistant")["solution"].tolist() == ["2"]


def test_more_than_role_and_content_is_not_read():
    named = [{**own, "name": None, "weight": 1} for own in TWO]
    assert sampled([named]).equals(sampled([TWO]))


BAD = {
    "none": (None, "it holds no turns"),
    "empty": ([], "it holds no turns"),
    "text": ("1+1?", "it is a str, not a list of turns"),
    "texts": (["1+1?", "2"], "turn 1 is a str, not role and content"),
    "sharegpt": (
        [{"from": "human", "value": "1+1?"}],
        "turn 1 is from, value, not role and content",
    ),
    "role": (
        [turn("tool", "1"), *ONE],
        "turn 1 has the role 'tool', which is none of system, user,",
    ),
    "blank": ([turn("user", " "), ONE[1]], "turn 1 is empty"),
    "null": ([turn("user", None), ONE[1]], "turn 1 is empty"),
    "parts": (
        [turn("user", [{"type": "text", "text": "1+1?"}]), ONE[1]],
        "the content of turn 1 is a list of dictionaries, not one text",
    ),
    "unanswered": (TWO[:4], "its last turn is the user's, not the assistant's"),
    "unasked": ([turn("system", "Brief."), ONE[1]], "it has no turn of the user's"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("loss_on", [None, "assistant"])
def test_a_bad_conversation_is_left_out_counted_and_named(kind, loss_on, capsys):
    bad, said = BAD[kind]
    for unfit in (None, "drop"):
        rows = sampled([ONE, bad, ONE], loss_on=loss_on, unfit=unfit)
        assert rows.index.tolist() == [0, 2]
        out = capsys.readouterr().out
        assert out.startswith(
            "dropped: a.jsonl: 1 rows whose 'turns' cannot be trained on (row 2: "
        )
        assert said in out
        assert manifest.NOTES["dropped"] == {"rows": 1, "first": ["2"]}
    with pytest.raises(StepError) as error:
        sampled([ONE, bad, ONE], loss_on=loss_on, unfit="refuse")
    assert "row 2" in str(error.value)
    assert said in str(error.value)
    assert str(error.value).endswith("mend them, or say training.unfit: drop")


def test_of_many_the_first_three_are_named(capsys):
    sampled([None, ONE, None, None, TWO[:4]])
    nothing = "; ".join(f"row {row}: it holds no turns" for row in (1, 3, 4))
    assert f"4 rows whose 'turns' cannot be trained on ({nothing}; ...)" in capsys.readouterr().out


@pytest.mark.parametrize("unfit", [None, "drop", "refuse"])
def test_a_field_without_any_conversation_is_at_fault_itself(unfit):
    with pytest.raises(StepError, match=r"a.jsonl: no row has .* in 'turns'; row 1: it is a str"):
        sampled(["1+1?", "2+2?"], unfit=unfit)
    with pytest.raises(StepError, match=r"no field 'chats'; there are turns, score"):
        sampled([ONE], messages="chats")


# the study's keys


@pytest.mark.usefixtures("at_root")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"loss_on": "last"}, "`loss_on` is about `messages`; leave it out"),
        ({"messages": "m", "world": {"steps": [1, 2]}, "file": None}, "a world's rows have no"),
        ({"messages": "m", "solution": "text"}, "has both `messages` and `problem` or `solution`"),
        (
            {"messages": "m", "loss_on": "assistant", "behaviour_logp": "p"},
            "behaviour_logp is of one answer a row",
        ),
        ({"messages": "m", "loss_on": "user"}, "loss_on"),
    ],
)
def test_keys_that_say_nothing_together_are_refused(data, said):
    with pytest.raises((StepError, ValueError), match=said):
        study_of(data)


def study_of(data, style="chat"):
    """The template of a study with other data."""
    study = read_yaml("config/own.yaml")
    study["data"] = {"file": "train.jsonl", "rows": 100} | data
    study["models"]["mine"]["train_prompt"] = style
    return load_study(study)


@pytest.mark.usefixtures("at_root")
def test_a_prompt_style_that_takes_no_conversation_is_refused_before_anything_runs():
    check_runs(study_of({"messages": "m"}, "chat-boxed"), "config/published.csv")
    with pytest.raises(
        StepError, match=r"models.mine.train_prompt: 'deepseek-math' .* data.messages"
    ):
        check_runs(study_of({"messages": "m"}, "deepseek-math"), "config/published.csv")


# through the steps


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_file_of_conversations_is_trained_on(tmp_path, model_folder, rows, kind):
    """Sampled and trained on as a study's are; bad ones are counted on the way."""
    chats = [
        [turn("user", row.problem), turn("assistant", row.solution)] * (1 + number % 2)
        for number, row in enumerate(rows.head(20).itertuples())
    ]
    frame = pd.DataFrame({"turns": [*chats, TWO[:4]], "source": "world"})
    file = tmp_path / f"chats.{kind}"
    if kind == "jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_parquet(file)
    out, counts = tmp_path / "rows.parquet", tmp_path / "rows.json"
    given = GIVEN | {"seed": 0, "pick": "random", "file": str(file), "loss_on": "assistant"}
    del given["solution"]
    done = step("sample_rows", "--settings", settings_file(given | {"rows": 24}), "--out", out,
                "--counts", counts)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(counts.read_text())
    assert [found[key] for key in ("rows", "dropped_unusable", "answers", "taken")] == [
        21,
        1,
        30,
        24,
    ]
    written = pd.read_parquet(out)
    assert [json.loads(own)[-1]["content"] for own in written["messages"]] == [*written["solution"]]
    done = step("train", "--settings", settings_file(SETTINGS | {"max_length": 256}), "--rows", out,
                "--model", model_folder, "--out", tmp_path / "model")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "rows 24" in done.stdout
    assert len(pd.read_csv(tmp_path / "model" / "train.csv")) == 24 // SETTINGS["batch_size"]
