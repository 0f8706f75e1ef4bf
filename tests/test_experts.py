"""Models of experts by every method: the loss is the method's own, without a router's part."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import SETTINGS, SHAPE, small_letters
from rectify import dpo, grpo
from rectify.initialise import build_model
from rectify.model import load_model
from rectify.rewards import Question
from rectify.tokenizer import encode_prompts, load_tokenizer
from transformers import AutoConfig, AutoModelForImageTextToText

pytestmark = pytest.mark.filterwarnings("ignore:.*(pin_memory|TRL currently supports).*")

EXPERTS = {
    "llama4": {"intermediate_size_mlp": 96, "num_local_experts": 2, "num_experts_per_tok": 1,
               "attention_chunk_size": 256, "head_dim": 32},
    "qwen2_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
                  "shared_expert_intermediate_size": 32},
}  # fmt: skip
EYE = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
       "intermediate_size": 128, "image_size": 28, "patch_size": 14, "projector_input_dim": 32,
       "projector_output_dim": 32, "vision_output_dim": 32}  # fmt: skip


@pytest.fixture(scope="module", params=EXPERTS)
def folder(request, model_folder, tmp_path_factory):
    """A random model of the family, with the tokenizer of the world."""
    tokenizer = load_tokenizer(model_folder)
    shape = {**SHAPE, **EXPERTS[request.param]}
    torch.manual_seed(0)
    if request.param == "llama4":
        special = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
        text = {**shape, **special, "vocab_size": len(tokenizer)}
        config = AutoConfig.for_model("llama4", text_config=text, vision_config=EYE)
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    else:
        model = build_model(request.param, shape, tokenizer)
    out = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(out)
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


@pytest.mark.parametrize("make", [make_dpo, make_grpo])
def test_trl_s_trainers_take_a_step_without_a_router_loss(folder, rows, tmp_path, make):
    trainer = make(folder, rows.head(8), tmp_path)
    assert not trainer.aux_loss_enabled
    trainer.train()
    assert trainer.state.global_step == 1
