"""Models of experts under DPO and GRPO: no router's loss, and no class that TRL cannot take."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import SETTINGS, SHAPE, small_letters
from rectify.models.check_model import check
from rectify.models.encoding import encode_prompts
from rectify.models.folder import check_reference, load_model
from rectify.models.initialise_model import build_model
from rectify.models.tokenizer import load_tokenizer
from rectify.rl import dpo, grpo
from rectify.rl.questions import Question
from rectify.step.errors import StepError
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

pytestmark = pytest.mark.filterwarnings("ignore:.*(pin_memory|TRL currently supports).*")

EXPERTS = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 32,
}
LLAMA4 = {
    "intermediate_size_mlp": 96,
    "num_local_experts": 2,
    "num_experts_per_tok": 1,
    "head_dim": 32,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
EYE = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "image_size": 28,
    "patch_size": 14,
    "projector_input_dim": 32,
    "projector_output_dim": 32,
    "vision_output_dim": 32,
}


@pytest.fixture(scope="module")
def folder(model_folder, tmp_path_factory):
    """A random Qwen2-MoE with the tokenizer of the world."""
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("experts")
    tokenizer = load_tokenizer(model_folder)
    build_model("qwen2_moe", {**SHAPE, **EXPERTS}, tokenizer).save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def make_dpo(folder, rows, tmp_path):
    """DPO's trainer on the rows' solutions against those of their neighbours."""
    settings = SimpleNamespace(**{**SETTINGS, "dpo": {"beta": 0.1}})
    solutions = rows["solution"].tolist()
    columns = {"problem": rows["problem"], "chosen": solutions, "rejected": solutions[::-1]}
    tokenizer = load_tokenizer(folder)
    pairs, _ = dpo.encode_pairs(tokenizer, "chat", pd.DataFrame(columns), 128)
    return dpo.make_trainer(load_model(folder, "fp32"), tokenizer, pairs, settings, 1, tmp_path)


def make_grpo(folder, rows, tmp_path):
    """GRPO's trainer on the rows' questions."""
    own = {"samples": 4, "clip": 0.2, "kl": 0.001, "max_new_tokens": 6, "temperature": 1.0}
    settings = SimpleNamespace(**{**SETTINGS, "batch_size": 4, "grpo": own})
    tokenizer = load_tokenizer(folder)
    prompts = encode_prompts(tokenizer, "chat", rows["problem"].tolist())
    questions = [Question(prompt, "1") for prompt in prompts]
    model = load_model(folder, "fp32")
    return grpo.make_trainer(model, tokenizer, questions, settings, 1, tmp_path, small_letters)


@pytest.mark.slow
@pytest.mark.parametrize("make", [make_dpo, make_grpo])
def test_trl_s_trainers_take_a_step_without_a_router_loss(folder, rows, tmp_path, make):
    trainer = make(folder, rows.head(8), tmp_path)
    assert not trainer.aux_loss_enabled
    trainer.train()
    assert trainer.state.global_step == 1


@pytest.mark.parametrize("sees", [True, False])
def test_llama_4_is_refused_by_check_and_by_what_needs_a_reference(
    model_folder, rows, tmp_path, sees
):
    tokenizer = load_tokenizer(model_folder)
    text = {**SHAPE, **LLAMA4, "vocab_size": len(tokenizer)}
    if sees:
        config = AutoConfig.for_model("llama4", text_config=text, vision_config=EYE)
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    else:
        config = AutoConfig.for_model("llama4_text", **text)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    problems = rows.head(4).assign(benchmark="a", problem_id=range(4), answer="1")
    settings = {"train_prompt": "chat", "eval_prompt": "chat", "max_length": 128, "batch_size": 8}
    assert check(tmp_path, settings, rows.head(16), problems)["context"] == 256
    refused = pytest.raises(StepError, match=r"TRL cannot take a Llama4For\w+ as the frozen refer")
    with refused:
        check(tmp_path, {**settings, "reference": True}, rows.head(16), problems)
    own = SimpleNamespace(**{**SETTINGS, "steps": 1})
    with refused:
        dpo.train(tmp_path, [], own, tmp_path / "out", tmp_path)
    with refused:
        grpo.train(tmp_path, [], own, tmp_path / "out", tmp_path, small_letters)


def test_what_trl_takes_passes(folder, model_folder):
    check_reference(folder)
    check_reference(model_folder)
