"""Models whose config has a text model as one part of it: checked, trained, decoded, or refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import DECODING, SETTINGS, SHAPE
from rectify.evaluation.decode import decode
from rectify.evaluation.engines import cpu_cache_bytes
from rectify.models.check_model import check, check_logits
from rectify.models.config import (
    check_vllm,
    context_of,
    reads_more_than_text,
    stated_stops,
    vllm_named,
)
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.initialise_model import build_model
from rectify.models.stops import stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.step.errors import StepError
from rectify.training.train import train
from transformers import AutoConfig, AutoModelForImageTextToText

EYE = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
       "intermediate_size": 32, "image_size": 28, "patch_size": 14}  # fmt: skip
# what each adds to SHAPE in its text_config, its vision_config, and keys of its own
FAMILIES = {
    "gemma3": ({"sliding_window": 64}, EYE, {"mm_tokens_per_image": 4}),
    "qwen3_5": (
        {
            "layer_types": ["linear_attention", "full_attention"],
            "linear_num_key_heads": 1, "linear_num_value_heads": 2,
            "linear_key_head_dim": 32, "linear_value_head_dim": 32,
        },
        {"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 32,
         "out_hidden_size": 64, "patch_size": 14},
        {},
    ),
    "mistral3": ({"model_type": "mistral"}, EYE, {}),
}  # fmt: skip


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, model_folder, tmp_path_factory):
    """A random model of the family, with the tokenizer of the world."""
    text, vision, own = FAMILIES[request.param]
    tokenizer = load_tokenizer(model_folder)
    sizes = {**SHAPE, "head_dim": 32, "vocab_size": len(tokenizer)}
    special = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
    config = AutoConfig.for_model(
        request.param, text_config={**sizes, **special, **text}, vision_config=vision, **own
    )
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp(request.param)
    AutoModelForImageTextToText.from_config(config, dtype=torch.float32).save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "preprocessor_config.json").write_text('{"size": 28}')
    return out


def test_sizes_context_and_stops_are_the_text_model_s(folder):
    assert reads_more_than_text(folder)
    assert context_of(folder) == 256
    assert cpu_cache_bytes(folder, 129) == 256 * 256 * 512  # as of SHAPE alone
    config = folder / "config.json"
    assert json.loads(config.read_text())["text_config"]["eos_token_id"] == 0


@pytest.mark.slow
def test_a_family_is_checked_trained_and_decoded(folder, rows, tmp_path):
    problems = rows.head(4).assign(benchmark="a", problem_id=range(4), answer="1")
    settings = {"train_prompt": "chat", "eval_prompt": "chat", "max_length": 128, "batch_size": 8}
    found = check(folder, settings, rows.head(16), problems)
    assert found["context"] == 256
    assert found["stop_tokens"] == {"<|endoftext|>": 0, "<|im_end|>": 2}
    examples, _ = encode_rows(load_tokenizer(folder), "chat", rows.head(16), 128)
    out, training = tmp_path / "out", SimpleNamespace(**{**SETTINGS, "steps": 2})
    (tmp_path / "state").mkdir()
    before = load_model(folder, "fp32")
    train(load_model(folder, "fp32"), examples, training, folder, out, tmp_path / "state")
    log = pd.read_csv(out / "train.csv")
    assert len(log) == 2
    assert (log["grad_norm"] > 0).all()
    after = load_model(out, "fp32")
    first, last = before.get_decoder().parameters(), after.get_decoder().parameters()
    assert all(not torch.equal(a, b) for a, b in zip(first, last, strict=True) if a.ndim > 1)
    assert (out / "preprocessor_config.json").is_file()
    decoding = {**DECODING, "engine": "transformers", "samples": 1, "max_new_tokens": 4}
    samples = list(decode(out, problems, SimpleNamespace(**decoding)))
    assert [sample["problem_id"] for sample in samples] == [0, 1, 2, 3]
    assert all(0 < sample["n_tokens"] <= 4 for sample in samples)


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="vLLM's GPU build takes them")
def test_vllm_s_cpu_build_refuses_it_in_one_line(folder):
    with pytest.raises(
        StepError, match=r"vLLM does not start with .*engine: transformers$"
    ) as said:
        check_vllm(folder)
    assert "\n" not in str(said.value)


def test_a_model_of_text_alone_is_not_asked_about(model_folder, monkeypatch):
    """VLLM's import takes seconds."""
    monkeypatch.setitem(__import__("sys").modules, "vllm.engine.arg_utils", None)
    check_vllm(model_folder)


def test_what_vllm_says_becomes_one_line(tmp_path):
    words = "1 validation error for ModelConfig\n  Value error, Model X failed. [type=value_error]"
    with pytest.raises(StepError, match=r"this model: Model X failed\.; set"), vllm_named(tmp_path):
        raise ValueError(words)


def test_a_model_that_caps_its_logits_is_refused(model_folder):
    """Gemma 2's and 4's way: training would read other probabilities than decoding draws from."""
    tokenizer = load_tokenizer(model_folder)
    for cap, good in ((None, True), (0.01, False)):
        torch.manual_seed(0)
        shape = {**SHAPE, "head_dim": 32, "final_logit_softcapping": cap}
        model = build_model("gemma2", shape, tokenizer).eval()
        if good:
            check_logits(model, [5, 6, 7], Path("m"))
        else:
            with pytest.raises(StepError, match=r"m: the model's logits are not what its head"):
                check_logits(model, [5, 6, 7], Path("m"))


def edit_json(file, **changes):
    """Change keys of a JSON file."""
    known = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps({**known, **changes}))


def test_a_config_without_a_context_is_named(model_copy):
    """BLOOM's, Mamba's and others."""
    edit_json(model_copy / "config.json", model_type="bloom", architectures=["BloomForCausalLM"])
    config = json.loads((model_copy / "config.json").read_text())
    config.pop("max_position_embeddings")
    (model_copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(StepError, match=r"config\.json: it names no max_position_embeddings"):
        context_of(model_copy)
    (model_copy / "config.json").write_text("{")
    with pytest.raises(StepError, match="its config does not load"):
        context_of(model_copy)


def test_stops_are_those_of_tokenizer_config_and_generation_config_together(model_copy):
    """The end of turn of Gemma, Phi and others is named in generation_config.json alone."""
    tokenizer = load_tokenizer(model_copy)
    turn, other, third = tokenizer.convert_tokens_to_ids(["=", "+", "*"])
    edit_json(model_copy / "generation_config.json", eos_token_id=[0, turn, 10**6])
    edit_json(model_copy / "config.json", eos_token_id=other, text_config={"eos_token_id": [third]})
    from rectify.step.manifest import NOTES

    assert stop_token_ids(tokenizer) == sorted({0, 2, turn, other, third})
    assert NOTES["stop_tokens"] == {"<|endoftext|>": 0, "<|im_end|>": 2, "*": third, "+": other,
                                    "=": turn}  # fmt: skip


def test_no_class_s_default_becomes_a_stop(model_copy):
    """LlamaConfig's eos_token_id is 2 where the file says nothing."""
    config = json.loads((model_copy / "config.json").read_text()) | {"model_type": "llama"}
    config.pop("eos_token_id")
    (model_copy / "config.json").write_text(json.dumps(config))
    (model_copy / "generation_config.json").write_text("{}")
    assert AutoConfig.from_pretrained(model_copy).eos_token_id == 2
    assert stated_stops(model_copy) == set()


@pytest.mark.parametrize("damaged", ["{", "[1]"])
def test_a_damaged_generation_config_is_named(model_copy, damaged):
    (model_copy / "generation_config.json").write_text(damaged)
    with pytest.raises(StepError, match=r"generation_config\.json: not (a )?JSON"):
        stop_token_ids(load_tokenizer(model_copy))


def test_the_engines_stop_where_generation_config_says(model_copy, rows):
    """200 of the 400 tokens as ends of turn: of 8 tokens hardly an answer has none."""
    problems = rows.head(3).assign(benchmark="a", problem_id=range(3))
    decoding = SimpleNamespace(**{**DECODING, "engine": "transformers", "max_new_tokens": 8})
    edit_json(model_copy / "generation_config.json", eos_token_id=[0, *range(200, 400)])
    samples = list(decode(model_copy, problems, decoding))
    assert sum(sample["finish_reason"] == "stop" for sample in samples) > len(samples) / 2
    tokenizer = load_tokenizer(model_copy)
    ends = [tokenizer.decode([token]) for token in range(380, 400)]
    long = [end for end in ends if len(end) > 3]
    assert long
    assert not any(end in sample["text"] for end in long for sample in samples)
