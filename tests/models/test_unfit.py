"""Training rows that do not fit: counted, named by file and row, cut, dropped or refused."""

import json

import pandas as pd
import pytest
from rectify.models.encoding import encode_problems, encode_rows
from rectify.models.tokenizer import load_tokenizer
from rectify.rl.dpo import encode_pairs
from rectify.step import manifest
from rectify.step.errors import StepError

ROOM = 40  # tokens: the template takes 16 or so
# this template refuses a question with a "%", as some do a role, or an empty turn
TEMPLATE = (
    "{% if '%' in messages[0]['content'] %}{{ raise_exception('no such role') }}{% endif %}"
    "<|im_start|>user\n{{ messages[0]['content'] }}<|im_end|>\n<|im_start|>assistant\n"
)
FIT = ("1+1?", "2")
UNFIT = {
    "too_long": ("2+2?", "=4. " * 30),
    "no_room": ("1+" * 60, "9"),
    "empty": ("3+3?", ""),
    "refused": ("4%?", "0"),
}
SAID = {
    "too_long": "1 longer than max_length, so that their EOS is cut off (row 2)",
    "no_room": "1 whose prompt fills max_length (row 2)",
    "empty": "1 whose response is EOS alone (row 2)",
    "refused": "1 whose prompt the chat template refuses (row 2)",
}


@pytest.fixture
def tokenizer(model_copy):
    (model_copy / "chat_template.jinja").write_text(TEMPLATE)
    return load_tokenizer(model_copy)


def rows_of(*pairs):
    """Training rows."""
    return pd.DataFrame(pairs, columns=["problem", "solution"])


def problems_of(tokenizer, examples):
    """The questions of encoded rows."""
    texts = [tokenizer.decode(example.prompt) for example in examples]
    return [text.split("user\n")[1].split("<|im_end|>")[0] for text in texts]


@pytest.mark.parametrize("kind", UNFIT)
def test_an_unfit_row_is_left_out_counted_and_named(tokenizer, kind, capsys):
    rows = rows_of(FIT, UNFIT[kind], FIT)
    examples, counts = encode_rows(tokenizer, "chat", rows, ROOM, "drop", "rows.parquet")
    assert problems_of(tokenizer, examples) == ["1+1?", "1+1?"]
    assert (counts["rows"], counts["dropped"], counts["truncated"]) == (3, 1, 0)
    assert capsys.readouterr().out == (
        f"unfit: rows.parquet: of 3 rows {SAID[kind]}; 0 are cut, 1 dropped\n"
    )
    zero = dict.fromkeys(UNFIT, 0)
    assert manifest.NOTES["unfit"] == {"rows": 3, **zero, kind: 1}


@pytest.mark.parametrize("kind", UNFIT)
def test_an_unfit_row_is_refused_in_one_line(tokenizer, kind):
    rows = rows_of(FIT, UNFIT[kind], FIT)
    with pytest.raises(StepError) as error:
        encode_rows(tokenizer, "chat", rows, ROOM, "refuse", "rows.parquet")
    assert str(error.value) == (
        f"rows.parquet: of 3 rows {SAID[kind]}; mend them, or say training.unfit: drop"
    )


@pytest.mark.parametrize("kind", UNFIT)
def test_by_default_a_long_row_alone_is_cut_and_loses_its_eos(tokenizer, kind, capsys):
    rows = rows_of(FIT, UNFIT[kind], FIT)
    examples, counts = encode_rows(tokenizer, "chat", rows, ROOM)
    cut = kind == "too_long"
    assert (len(examples), counts["truncated"]) == ((3, 1) if cut else (2, 0))
    assert [example.ended for example in examples] == ([True, False, True] if cut else [True] * 2)
    assert f"{int(cut)} are cut, {int(not cut)} dropped" in capsys.readouterr().out


@pytest.mark.parametrize("unfit", [None, "drop", "refuse"])
def test_where_all_rows_fit_nothing_is_said_and_nothing_differs(tokenizer, unfit, capsys):
    examples, counts = encode_rows(tokenizer, "chat", rows_of(FIT, FIT), ROOM, unfit)
    plain, _ = encode_rows(tokenizer, "chat", rows_of(FIT, FIT), ROOM)
    assert examples == plain
    assert (counts["rows"], counts["dropped"], counts["truncated"]) == (2, 0, 0)
    assert capsys.readouterr().out == ""


def test_of_many_the_first_three_are_named(tokenizer):
    rows = rows_of(*[UNFIT["no_room"], FIT] * 5, UNFIT["empty"])
    with pytest.raises(StepError) as error:
        encode_rows(tokenizer, "chat", rows, ROOM, "refuse", "a.parquet")
    assert "5 whose prompt fills max_length (row 1, 3, 5, ...); 1 whose response is" in str(
        error.value
    )


def test_a_template_that_refuses_every_row_is_at_fault_itself(tokenizer):
    with pytest.raises(StepError, match=r"row 1: .*the chat template fails .*no such role"):
        encode_rows(tokenizer, "chat", rows_of(UNFIT["refused"], UNFIT["refused"]), ROOM, "drop")


def test_a_benchmarks_problem_that_the_template_refuses_is_named(tokenizer):
    """Dropping it would change the table."""
    problems = pd.DataFrame(
        {"benchmark": "math", "problem_id": [7, 8], "problem": ["1+1?", "4%?"], "answer": "2"}
    )
    with pytest.raises(StepError, match=r"benchmark 'math' problem 8: .*no such role"):
        encode_problems(tokenizer, "chat", problems)


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_a_pair_is_unfit_if_one_of_its_answers_is(tokenizer, side):
    pairs = pd.DataFrame({"problem": "1+1?", "chosen": ["2", "2"], "rejected": ["3", "3"]})
    pairs.loc[0, side] = UNFIT["too_long"][1]
    kept, counts = encode_pairs(tokenizer, "chat", pairs, ROOM, "drop", "pairs.parquet")
    assert (len(kept), counts) == (1, {"pairs": 2, "truncated": 0, "dropped": 1})
    kept, counts = encode_pairs(tokenizer, "chat", pairs, ROOM)
    assert (len(kept), counts) == (2, {"pairs": 2, "truncated": 1, "dropped": 0})
    with pytest.raises(StepError, match=r"pairs.parquet: of 2 rows 1 longer .* \(row 1\)"):
        encode_pairs(tokenizer, "chat", pairs, ROOM, "refuse", "pairs.parquet")


def test_a_tokenizer_that_does_not_read_its_own_eos_is_refused(model_copy):
    """One that is matched as a word of its own alone is not, behind another word."""
    for name, key in (("tokenizer.json", None), ("tokenizer_config.json", "added_tokens_decoder")):
        file = model_copy / name
        settings = json.loads(file.read_text())
        tokens = settings["added_tokens"] if key is None else settings.get(key, {}).values()
        for token in tokens:
            token["single_word"] |= token["content"] == "<|endoftext|>"
        file.write_text(json.dumps(settings))
    tokenizer = load_tokenizer(model_copy)
    with pytest.raises(StepError, match=r"row 1: .* reads its EOS '<.endoftext.>' behind the sol"):
        encode_rows(tokenizer, "chat", rows_of(("1+1?", "It is two")), 128)
