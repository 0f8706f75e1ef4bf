"""Tokenizers keep what their files say; rows become the ids that the paper's code would give."""

import json
from argparse import Namespace

import pandas as pd
import pytest
from rectify.models.encoding import encode_prompts, encode_rows
from rectify.models.fetch_model import main as fetch
from rectify.models.folder import load_model, write_folder
from rectify.models.prompts import STYLES, render
from rectify.models.stops import cut_at_stop, stop_token_ids
from rectify.models.tokenizer import load_tokenizer, template_sha256
from rectify.step.errors import StepError
from rectify.step.manifest import NOTES
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

BOXED = "Please reason step by step, and put your final answer within \\boxed{}."


def edit_json(file, **changes):
    """Change keys of a JSON file."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_digits_and_operators_are_tokens_of_their_own(model_folder):
    tokenizer = load_tokenizer(model_folder)
    assert tokenizer.tokenize("12+35=47") == ["1", "2", "+", "3", "5", "=", "4", "7"]


@pytest.mark.parametrize("model_type", ["llama", "qwen2"])
@pytest.mark.parametrize("claimed", ["LlamaTokenizerFast", "PreTrainedTokenizerFast"])
def test_ids_are_those_of_the_file_whatever_the_config_claims(model_copy, model_type, claimed):
    """deepseek-math-7b-base's case: model_type llama over a byte-level tokenizer.json."""
    edit_json(model_copy / "config.json", model_type=model_type)
    edit_json(model_copy / "tokenizer_config.json", tokenizer_class=claimed)
    text = "we need to add 12.5 and  -3,\n\tso \\boxed{9}"
    raw = Tokenizer.from_file(str(model_copy / "tokenizer.json"))
    tokenizer = load_tokenizer(model_copy)
    assert tokenizer.encode(text, add_special_tokens=False) == raw.encode(text).ids
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_a_tokenizer_that_differs_from_its_file_is_refused(model_copy, monkeypatch):
    from transformers import PreTrainedTokenizerFast

    honest = PreTrainedTokenizerFast.encode
    monkeypatch.setattr(
        PreTrainedTokenizerFast, "encode", lambda *a, **k: honest(*a, **k)[:-1], raising=True
    )
    with pytest.raises(StepError, match="ids differ from the file's"):
        load_tokenizer(model_copy)


def test_missing_or_broken_tokenizer(model_copy):
    (model_copy / "tokenizer.json").write_text("{")
    with pytest.raises(StepError, match=r"tokenizer\.json: the tokenizer does not load"):
        load_tokenizer(model_copy)
    (model_copy / "tokenizer.json").unlink()
    with pytest.raises(StepError, match=r"tokenizer\.json: no such file"):
        load_tokenizer(model_copy)


def test_chat_prompts(model_folder):
    tokenizer = load_tokenizer(model_folder)
    assert render("chat", tokenizer, "1+1?") == (
        "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert render("chat-boxed", tokenizer, "1+1?") == (
        f"<|im_start|>user\n1+1?\n{BOXED}<|im_end|>\n<|im_start|>assistant\n"
    )


def test_harness_prompts_are_the_released_ones(model_folder):
    tokenizer = load_tokenizer(model_folder)
    assert render("qwen-boxed", tokenizer, "a{b}") == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        f"<|im_start|>user\na{{b}}\n{BOXED}<|im_end|>\n<|im_start|>assistant\n"
    )
    assert render("deepseek-math", tokenizer, "a") == f"User: a\n{BOXED}\n\nAssistant:"


def test_a_style_that_needs_a_chat_template_says_so(model_copy):
    (model_copy / "chat_template.jinja").unlink()
    tokenizer = load_tokenizer(model_copy)
    with pytest.raises(StepError, match="no chat template, which prompt style 'chat' needs"):
        render("chat", tokenizer, "1+1?")
    for style in set(STYLES) - {"chat", "chat-boxed"}:
        assert "1+1?" in render(style, tokenizer, "1+1?")


def tool_use(folder, named):
    """Two named chat templates, in the config or in a folder of their own."""
    template = "{{ messages[0]['content'] }} with tools"
    if named == "config":
        default = (folder / "chat_template.jinja").read_text()
        (folder / "chat_template.jinja").unlink()
        both = [
            {"name": "tool_use", "template": template},
            {"name": "default", "template": default},
        ]
        edit_json(folder / "tokenizer_config.json", chat_template=both)
    else:
        (folder / "additional_chat_templates").mkdir()
        (folder / "additional_chat_templates" / "tool_use.jinja").write_text(template)


@pytest.mark.parametrize("named", ["config", "folder"])
def test_of_several_chat_templates_the_default_is_used_and_stated(
    model_folder, model_copy, tmp_path, named
):
    alone = load_tokenizer(model_folder)
    expected, one = render("chat", alone, "1+1?"), template_sha256(alone)
    tool_use(model_copy, named)
    fetched = tmp_path / "fetched"
    settings = {"path": str(model_copy), "revision": None}
    fetch(Namespace(settings=settings, out=str(fetched)))
    written = tmp_path / "written"
    write_folder(load_model(fetched, "fp32"), None, fetched, written)
    for folder in (model_copy, fetched, written):
        NOTES.clear()
        tokenizer = load_tokenizer(folder)
        assert render("chat", tokenizer, "1+1?") == expected
        assert NOTES["chat_template"].startswith("default of ")
        assert "tool_use" in NOTES["chat_template"]
        assert template_sha256(tokenizer) == one


def test_several_chat_templates_and_no_default(model_copy):
    tool_use(model_copy, "folder")
    (model_copy / "chat_template.jinja").unlink()
    tokenizer = load_tokenizer(model_copy)
    with pytest.raises(StepError, match="chat templates tool_use, but none called default"):
        render("chat", tokenizer, "1+1?")
    assert "1+1?" in render("qwen-boxed", tokenizer, "1+1?")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ raise_exception('Conversation roles must alternate') }}", "roles must alternate"),
        ("{% for message in messages %}", "Unexpected end of template"),
        ("{{ messages[0].text.strip() }}", "'dict object' has no attribute 'text'"),
        ("{{ 1 + messages[0]['role'] }}", "unsupported operand type"),
    ],
)
def test_a_chat_template_that_fails_is_one_line_with_its_own_words(model_copy, template, said):
    (model_copy / "chat_template.jinja").write_text(template)
    tokenizer = load_tokenizer(model_copy)
    pattern = rf"{model_copy}: the chat template fails on prompt style 'chat', .*{said}"
    with pytest.raises(StepError, match=pattern) as error:
        render("chat", tokenizer, "1+1?")
    assert "\n" not in str(error.value)


def test_stops(model_folder):
    tokenizer = load_tokenizer(model_folder)
    ends = tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"])
    assert stop_token_ids(tokenizer) == sorted(ends)
    assert cut_at_stop("so 4</s> and <|im_end|>") == "so 4"
    assert cut_at_stop("so 4") == "so 4"


def test_rows_are_prompt_and_response_with_eos_cut_on_the_right(model_folder):
    tokenizer = load_tokenizer(model_folder)
    rows = pd.DataFrame({"problem": ["1+1?", "2+2?", "3?"], "solution": ["2", "=4. " * 30, "x"]})
    examples, counts = encode_rows(tokenizer, "chat", rows, 40)
    assert tokenizer.decode(examples[0].prompt) == render("chat", tokenizer, "1+1?")
    assert tokenizer.decode(examples[0].response) == "2<|endoftext|>"
    assert len(examples[1]) == 40
    assert counts["truncated"] == 1
    rows = pd.DataFrame({"problem": ["1+" * 40, "3?"], "solution": ["9", "9"]})
    examples, counts = encode_rows(tokenizer, "chat", rows, 40)
    assert (len(examples), counts["dropped"]) == (1, 1)


@pytest.mark.parametrize("how", ["none", "post-processor", "config"])
def test_a_text_prompt_begins_with_the_bos_that_the_tokenizer_adds(model_copy, how):
    """Llama 3's way (the post-processor) and DeepSeekMath's (the config); Qwen has none."""
    settings = json.loads((model_copy / "tokenizer_config.json").read_text())
    if how != "none":
        settings["bos_token"] = "<|im_start|>"
    if how == "config":
        settings["add_bos_token"] = True
    (model_copy / "tokenizer_config.json").write_text(json.dumps(settings))
    if how == "post-processor":
        file = model_copy / "tokenizer.json"
        raw = Tokenizer.from_file(str(file))
        bos = ("<|im_start|>", raw.token_to_id("<|im_start|>"))
        raw.post_processor = TemplateProcessing("<|im_start|> $A", special_tokens=[bos])
        raw.save(str(file))
    tokenizer = load_tokenizer(model_copy)
    start = [] if how == "none" else [tokenizer.bos_token_id]
    text = render("deepseek-math", tokenizer, "1+1?")
    plain = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert encode_prompts(tokenizer, "deepseek-math", ["1+1?"]) == [start + plain]
    chat = tokenizer(render("chat", tokenizer, "1+1?"), add_special_tokens=False)["input_ids"]
    assert encode_prompts(tokenizer, "chat", ["1+1?"]) == [chat]
