"""The paper's model families in small: their shapes, special tokens and templates, random weights.

Prompts are compared byte for byte with what the released code sends; then each family is trained
and decoded.
"""

import json
from types import SimpleNamespace

import pytest
import torch
from helpers import DECODING, SETTINGS, SHAPE
from rectify.evaluation.decode import decode
from rectify.models.encoding import encode_prompts, encode_rows, opening
from rectify.models.folder import load_model
from rectify.models.initialise_model import build_model, build_tokenizer
from rectify.models.stops import STOP_WORDS
from rectify.models.tokenizer import load_tokenizer
from rectify.training.train import train
from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

BOXED = "\nPlease reason step by step, and put your final answer within \\boxed{}."
CHATML = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
DEEPSEEK = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ 'User: ' + message['content'] + '\\n\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
FAMILIES = {
    "qwen2.5-math": {
        "architecture": "qwen2",
        "shape": {"num_key_value_heads": 1, "tie_word_embeddings": True},
        "special": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        "config": {"eos_token": "<|endoftext|>", "tokenizer_class": "Qwen2Tokenizer"},
        "template": CHATML,
        "styles": ("chat", "qwen-boxed"),
        "prompts": (
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
            "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n",
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
            f"<|im_start|>user\n1+1?{BOXED}<|im_end|>\n<|im_start|>assistant\n",
        ),
    },
    "llama-3": {
        "architecture": "llama",
        "shape": {"num_key_value_heads": 1, "tie_word_embeddings": True},
        "special": [
            "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
            "<|eot_id|>",
        ],
        "config": {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"},
        "template": None,
        "styles": ("llama-base-boxed", "llama-base-boxed"),
        "prompts": (
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
            "You are a helpful assistant.<|end_of_text|>"
            f"<|start_header_id|>user<|end_header_id|>\n\n1+1?{BOXED}<|end_of_text|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
        ) * 2,
    },
    "deepseek-math": {
        "architecture": "llama",
        "shape": {"num_key_value_heads": 2},
        "special": ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"],
        "config": {
            "bos_token": "<｜begin▁of▁sentence｜>",
            "eos_token": "<｜end▁of▁sentence｜>",
            "add_bos_token": True,
            "tokenizer_class": "LlamaTokenizerFast",  # which AutoTokenizer turns into garbage
        },
        "template": DEEPSEEK,
        "styles": ("chat", "deepseek-math"),
        "prompts": (
            "<｜begin▁of▁sentence｜>User: 1+1?\n\nAssistant:",
            f"<｜begin▁of▁sentence｜>User: 1+1?{BOXED}\n\nAssistant:",
        ),
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, rows, tmp_path_factory):
    """(what the family is, a model folder of it)."""
    what = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    raw = build_tokenizer((rows["problem"] + "\n" + rows["solution"]).tolist(), 400)
    text = json.loads(raw.backend_tokenizer.to_str())
    text["added_tokens"] = []  # the miniature's own special tokens are those of no family
    tokenizer = Tokenizer.from_str(json.dumps(text))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in what["special"]])
    if request.param == "llama-3":
        bos = what["config"]["bos_token"]
        tokenizer.post_processor = TemplateProcessing(
            f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=what["template"], pad_token=what["special"][0],
        **{key: what["config"][key] for key in ("bos_token", "eos_token") if key in what["config"]},
    )  # fmt: skip
    torch.manual_seed(0)
    build_model(what["architecture"], {**SHAPE, **what["shape"]}, fast).save_pretrained(folder)
    fast.save_pretrained(folder)
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **what["config"]}))
    return what, folder


def test_prompts_are_the_released_ones_byte_for_byte(family):
    what, folder = family
    tokenizer = load_tokenizer(folder)
    for style, expected in zip(what["styles"], what["prompts"], strict=True):
        (ids,) = encode_prompts(tokenizer, style, ["1+1?"])
        assert tokenizer.decode(ids) == expected
        raw = Tokenizer.from_file(str(folder / "tokenizer.json"))
        assert ids == raw.encode(expected, add_special_tokens=False).ids
    assert len(opening(tokenizer)) == ("bos_token" in what["config"])


@pytest.mark.slow
def test_a_family_trains_and_decodes(family, rows, tmp_path):
    what, folder = family
    train_style, eval_style = what["styles"]
    tokenizer = load_tokenizer(folder)
    examples, counts = encode_rows(tokenizer, train_style, rows.head(16), 256)
    assert counts["dropped"] == counts["truncated"] == 0
    eos = tokenizer.eos_token_id
    assert all(example.response[-1] == eos for example in examples)
    settings = SimpleNamespace(**{**SETTINGS, "max_length": 256})
    out = tmp_path / "trained"
    train(load_model(folder, "fp32"), examples, settings, folder, out, tmp_path / "state")
    assert load_tokenizer(out).get_vocab() == tokenizer.get_vocab()
    problems = rows.head(2).assign(benchmark="a", problem_id=range(2))
    decoding = SimpleNamespace(**{**DECODING, "prompt": eval_style, "max_new_tokens": 8})
    samples = list(decode(out, problems, decoding))
    assert len(samples) == 2 * DECODING["samples"]
    assert all(sample["n_tokens"] <= 8 for sample in samples)
    assert not any(word in sample["text"] for sample in samples for word in STOP_WORDS)
