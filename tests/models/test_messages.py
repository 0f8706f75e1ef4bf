"""Conversations as training rows: what carries loss, the same ids both ways, and chat templates
that write something else than is trained on.
"""

import json

import pandas as pd
import pytest
import torch
from helpers import ROOT
from rectify.data.sample_rows import training_rows
from rectify.data.source import source_settings
from rectify.models.encoding import encode_prompts, encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.loss import IGNORED, text_trunk, with_token_nll
from rectify.step import manifest
from rectify.step.errors import StepError
from rectify.training.batches import collate

KEPT = ROOT / "config" / "bases" / "qwen2-mini" / "base-seed0"
EOS = "<|endoftext|>"
BRIEF, ASKED, FIRST, MORE, LAST = "Be brief.", "1+1?", "It is 2.", "And 2+2?", "So 4."
PROMPTS = [
    f"<|im_start|>system\n{BRIEF}<|im_end|>\n<|im_start|>user\n{ASKED}<|im_end|>\n"
    "<|im_start|>assistant\n",
    f"<|im_start|>system\n{BRIEF}<|im_end|>\n<|im_start|>user\n{ASKED}<|im_end|>\n"
    f"<|im_start|>assistant\n{FIRST}<|im_end|>\n<|im_start|>user\n{MORE}<|im_end|>\n"
    "<|im_start|>assistant\n",
]


def chat(*contents, system=BRIEF):
    """A conversation of a system turn and of contents, the user's and the assistant's by turns."""
    first = [{"role": "system", "content": system}] if system else []
    roles = ("user", "assistant")
    return first + [{"role": roles[n % 2], "content": own} for n, own in enumerate(contents)]


def rows_of(*chats, loss_on=None):
    """The training rows of conversations."""
    given = {"rows_of": "training", "problem": "problem", "messages": "m", "loss_on": loss_on}
    return training_rows(pd.DataFrame({"m": chats}), source_settings(given), "a.jsonl")


LONG = chat(ASKED, FIRST, MORE, LAST)


@pytest.fixture
def with_template(model_copy):
    """Makes a tokenizer whose chat template is another one, and whose BOS is a token of its own."""

    def make(template):
        (model_copy / "chat_template.jinja").write_text(template)
        file = model_copy / "tokenizer_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"bos_token": "<|im_end|>"}))
        return load_tokenizer(model_copy)

    return make


def template(turn="{{ m['content'] }}", first="", answer="<|im_start|>assistant\n"):
    """A chat template: `turn` writes a turn's content, `first` is before all, `answer` asks."""
    return (
        first + "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}" + turn
        + "{{ '\n' }}{% endfor %}{% if add_generation_prompt %}" + answer + "{% endif %}"
    )  # fmt: skip


# what is trained on


@pytest.mark.parametrize("style", ["chat", "chat-boxed"])
def test_one_question_and_its_answer_are_the_ids_that_problem_and_solution_are(rows, style):
    tokenizer = load_tokenizer(KEPT)
    odd = {"problem": ["{x} \\frac{1}{2}?", " blanks "], "solution": ["\n 2\n", "é <|im_end|>"]}
    pairs = pd.concat([rows[["problem", "solution"]].head(40), pd.DataFrame(odd)])
    chats = [chat(*pair, system=None) for pair in pairs.itertuples(index=False)]
    for loss_on in (None, "last", "assistant"):
        found = rows_of(*chats, loss_on=loss_on)
        assert found[["problem", "solution"]].to_numpy().tolist() == pairs.to_numpy().tolist()
        assert encode_rows(tokenizer, style, found, 256) == encode_rows(
            tokenizer, style, pairs, 256
        )


def texts(tokenizer, examples):
    """Prompt and response of each example."""
    return [(tokenizer.decode(e.prompt), tokenizer.decode(e.response)) for e in examples]


def test_of_a_conversation_the_last_turn_is_trained_on_behind_all_that_was_said(model_folder):
    tokenizer = load_tokenizer(model_folder)
    for loss_on in (None, "last"):
        examples, _ = encode_rows(tokenizer, "chat", rows_of(LONG, loss_on=loss_on), 256)
        assert texts(tokenizer, examples) == [(PROMPTS[1], LAST + EOS)]


def test_or_each_of_the_assistants_turns_behind_what_it_would_be_given(model_folder):
    tokenizer = load_tokenizer(model_folder)
    examples, counts = encode_rows(tokenizer, "chat", rows_of(LONG, loss_on="assistant"), 256)
    assert texts(tokenizer, examples) == [(PROMPTS[0], FIRST + EOS), (PROMPTS[1], LAST + EOS)]
    targets = collate(examples)["targets"]
    assert tokenizer.decode(targets[targets != IGNORED]) == FIRST + EOS + LAST + EOS
    assert counts["response_tokens"] == (targets != IGNORED).sum()


def test_what_follows_a_problem_follows_the_users_last_turn(model_folder):
    tokenizer = load_tokenizer(model_folder)
    examples, _ = encode_rows(tokenizer, "chat-boxed", rows_of(LONG), 256)
    ((prompt, _),) = texts(tokenizer, examples)
    boxed = "\nPlease reason step by step, and put your final answer within \\boxed{}."
    assert prompt == PROMPTS[1].replace(MORE, MORE + boxed)


def test_the_loss_on_all_turns_is_the_sum_of_each_ones_by_hand(model_folder):
    """And the last one's alone with `last`: log p of its tokens and EOS behind its prompt."""
    tokenizer, model = load_tokenizer(model_folder), load_model(model_folder, "fp32")
    by_hand = []
    for prompt, answer in zip(PROMPTS, (FIRST, LAST), strict=True):
        before, own = (
            tokenizer(text, add_special_tokens=False)["input_ids"]
            for text in (prompt, answer + EOS)
        )
        logp = model(torch.tensor([before + own])).logits[0].log_softmax(-1)
        places = range(len(before) - 1, len(before) + len(own) - 1)
        by_hand.append(-sum(logp[place, token] for place, token in zip(places, own, strict=True)))
    model = with_token_nll(model)
    for loss_on, expected in (("assistant", sum(by_hand)), ("last", by_hand[1])):
        examples, _ = encode_rows(tokenizer, "chat", rows_of(LONG, loss_on=loss_on), 256)
        torch.testing.assert_close(model(**collate(examples)).sum(), expected)


def test_no_gradient_comes_from_what_the_user_or_the_system_says(model_folder):
    """Of the loss by the last hidden states, each of which foretells the next token."""
    tokenizer, model = load_tokenizer(model_folder), load_model(model_folder, "fp32")
    seen = []

    def keep(module, arguments, output):
        output.last_hidden_state.retain_grad()
        seen.append(output.last_hidden_state)

    text_trunk(model).register_forward_hook(keep)
    examples, _ = encode_rows(tokenizer, "chat", rows_of(LONG, loss_on="assistant"), 256)
    batch = collate(examples)
    with_token_nll(model)(**batch).sum().backward()
    assert ((seen[0].grad != 0).any(-1) == (batch["targets"] != IGNORED)).all()


def test_a_text_around_one_problem_takes_no_conversation(model_folder):
    with pytest.raises(
        StepError, match=r"'deepseek-math' is a text around one problem.*chat-boxed"
    ):
        encode_rows(load_tokenizer(model_folder), "deepseek-math", rows_of(LONG), 256)


# chat templates

REASONED = chat(ASKED, "<think>1 and 1</think>2", MORE, LAST)


THOUGHT = "{% if m['role'] == 'assistant' %}<think></think>{% endif %}{{ m['content'] }}"
NO_SYSTEM = "{% if m['role'] != 'system' %}{{ m['content'] }}{% endif %}"
LAST_THOUGHT = "{{ m['content'].split('</think>')[-1] }}"
BOS_ON_ONE_SIDE = "{% if not add_generation_prompt %}{{ bos_token }}{% endif %}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (  # Qwen3's way
            template(THOUGHT),
            r"writes '<think></think>So 4.\\n' behind '.*assistant\\n', where 'So 4.' is trained "
            "on; write the rows as the template writes turns, or give the model's folder another",
        ),
        (  # QwQ's
            template(answer="<|im_start|>assistant\n<think>\n"),
            r"writes 'So 4.\\n' behind .*, where '<think>\\nSo 4.' is trained on",
        ),
        (
            template(LAST_THOUGHT),
            "leaves out of turn 3, the assistant's, at least .* '<think>1 and 1",
        ),
        (template(NO_SYSTEM), "leaves out of turn 1, the system's, at least some of 'Be brief.'"),
        (
            template(first=BOS_ON_ONE_SIDE),
            r"writes 'end.*' behind '<.im_', where 'start.*' is trained",
        ),
        (template(first="{{ bos_token }}" * 2), "prompt begins with the BOS '<.im_end.>' twice"),
    ],
)
def test_a_template_that_writes_something_else_is_refused_by_row(with_template, written, said):
    with pytest.raises(StepError, match=rf"row 1: .*{said}") as error:
        encode_rows(with_template(written), "chat", rows_of(REASONED), 256)
    assert "\n" not in str(error.value)


def test_the_row_that_the_template_changes_is_named(with_template):
    tokenizer = with_template(template(LAST_THOUGHT))
    with pytest.raises(StepError, match="row 3: "):
        encode_rows(tokenizer, "chat", rows_of(LONG, LONG, REASONED), 256)


def test_two_bos_are_refused_before_a_problem_too_and_one_is_taken(with_template):
    tokenizer = with_template(template(first="{{ bos_token }}"))
    (prompt,) = encode_prompts(tokenizer, "chat", [ASKED])
    assert prompt.count(tokenizer.bos_token_id) == 1
    tokenizer = with_template(template(first="{{ bos_token }}{{ bos_token }}"))
    with pytest.raises(StepError, match=r"row 1: .* the BOS '<.im_end.>' twice; take one out"):
        encode_prompts(tokenizer, "chat", [ASKED])


def test_a_template_may_take_blanks_off_a_turn(with_template):
    """Llama 3's does, on both sides; what is trained on keeps them, as the solution of a pair."""
    for taken_off in ("| trim", ".rstrip()", ".lstrip()"):
        tokenizer = with_template(template("{{ m['content']" + taken_off + " }}"))
        examples, _ = encode_rows(tokenizer, "chat", rows_of(chat(" 1+1? ", "\n2 ")), 256)
        assert tokenizer.decode(examples[0].response) == f"\n2 {EOS}"


def test_answers_that_are_other_tokens_in_one_piece_are_said(with_template, capsys):
    """A prompt that ends within a word, here: the model, too, has to go on from there."""
    begun = "{{ 'W' if m['role'] == 'assistant' else '' }}{{ m['content'] }}"
    tokenizer = with_template(template(begun, answer="<|im_start|>assistant\nW"))
    examples, _ = encode_rows(tokenizer, "chat", rows_of(chat(ASKED, "e get 2.")), 256)
    assert tokenizer.convert_tokens_to_ids("We") is not None
    assert tokenizer.decode(examples[0].response) == f"e get 2.{EOS}"
    said = "tokens: of 1 conversations 1 are other tokens in one piece than prompt and answer apart"
    assert capsys.readouterr().out.startswith(f"{said} (row 1)\n")
    assert manifest.NOTES["other_tokens"] == {"rows": 1, "other": 1, "first": ["1"]}


def test_turns_that_the_template_refuses_are_unfit(with_template, capsys):
    """Gemma's refuses a system turn."""
    no_system = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
    tokenizer = with_template(template(first=no_system))
    rows = rows_of(LONG, chat(ASKED, LAST, system=None))
    examples, counts = encode_rows(tokenizer, "chat", rows, 256, "drop", "a.parquet")
    assert (len(examples), counts["dropped"]) == (1, 1)
    assert "1 whose prompt the chat template refuses (row 1)" in capsys.readouterr().out
