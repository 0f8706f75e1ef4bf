"""SmolLM2-135M-Instruct, whose weights no one here made: engines, adapters, training, stops."""

import os
import signal
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import DECODING, assert_engines_agree, assert_equal, resumed_from
from rectify.evaluation.decode import decode
from rectify.evaluation.engines import open_vllm
from rectify.models.encoding import encode_prompts
from rectify.models.folder import load_model, whole_weights, write_folder
from rectify.models.lora import add_adapters
from rectify.models.tokenizer import load_tokenizer
from rectify.step.errors import Stopped
from rectify.training.batches import collate
from rectify.training.callbacks import Recorder
from safetensors.torch import load_file
from small_training import examples_of, run
from torch import nn

pytestmark = [pytest.mark.real, pytest.mark.slow,
              pytest.mark.filterwarnings("ignore:.*pin_memory.*")]  # fmt: skip
NUMBERED = "Steps:\n\n1. Add 12  34"


def test_its_tokenizer_splits_digits_and_the_breaks_before_them_as_its_own_does(smollm):
    """By the model's own tokenizer.json: each digit alone, a break or two before one whole."""
    tokenizer = load_tokenizer(smollm)
    pieces = tokenizer.convert_ids_to_tokens(tokenizer(NUMBERED)["input_ids"])
    assert pieces == ["Steps", ":", "ĊĊ", "1", ".", "ĠAdd", "Ġ", "1", "2", "ĠĠ", "3", "4"]
    assert tokenizer.decode(tokenizer(NUMBERED)["input_ids"]) == NUMBERED


def test_it_answers(smollm):
    """Dequantised from four bits, and still a language model: the likeliest next words."""
    tokenizer, model = load_tokenizer(smollm), load_model(smollm, "fp32")
    ids = torch.tensor([tokenizer.encode("The capital of France is")])
    with torch.no_grad():
        drawn = model.generate(ids, max_new_tokens=2, do_sample=False)
    assert tokenizer.decode(drawn[0]).startswith("The capital of France is Paris")


def test_engines_agree_on_log_probabilities(smollm):
    """To 1e-4 in fp32, token by token."""
    tokenizer = load_tokenizer(smollm)
    prompts = encode_prompts(tokenizer, "chat-boxed", ["What is 12+35?", "Solve x+3=5 for x."])
    llm = open_vllm(smollm, SimpleNamespace(**DECODING), 128)
    assert_engines_agree(llm, load_model(smollm, "fp32"), prompts)


def test_a_problems_samples_are_the_same_alone_and_among_23_others(smollm):
    asked = [f"What is {n}+{n + 3}?" for n in range(24)]
    problems = pd.DataFrame({"problem": asked, "problem_id": range(24), "benchmark": "sums"})
    settings = SimpleNamespace(**{**DECODING, "samples": 16, "max_new_tokens": 12})
    every = pd.DataFrame(decode(smollm, problems, settings))
    alone = pd.DataFrame(decode(smollm, problems.iloc[[7]], settings))
    among = every[every["problem_id"] == 7].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among)
    assert alone["text"].nunique() > 4


def test_adapters_are_merged_into_tied_embeddings(smollm, rows, tmp_path):
    """One tensor for both, and the logits of the model that was not merged to 1e-4.

    The weights as they are saved, in fp32, read in float64: merging moves the logits, which reach
    43, by 2e-5. In fp32 arithmetic either model is off its own float64 logits by nearly 1e-4.
    """
    model = load_model(smollm, "fp32")
    add_adapters(model, rank=4, alpha=8, seed=0)
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.02)
    write_folder(model, whole_weights(model), smollm, tmp_path / "out")
    saved = load_file(tmp_path / "out" / "model.safetensors")
    assert saved.keys() == load_file(smollm / "model.safetensors").keys()
    assert "lm_head.weight" not in saved
    merged, base = load_model(tmp_path / "out", "fp32"), load_model(smollm, "fp32")
    ids = collate(examples_of(smollm, rows, 2))["input_ids"]
    with torch.no_grad():
        logits = model.double()(ids).logits
        torch.testing.assert_close(merged.double()(ids).logits, logits, rtol=0, atol=1e-4)
        assert (base(ids).logits - logits).abs().max() > 0.1


SMALL = {"batch_size": 4, "micro_batch_size": 4, "learning_rate": 1e-4, "warmup_ratio": 0.0,
         "schedule": "constant_with_warmup"}  # fmt: skip


@pytest.mark.parametrize("objective", ["sft", "dft"])
def test_training_lowers_its_own_loss(smollm, rows, tmp_path, objective):
    """Over 8 steps on the same four rows."""
    run(smollm, examples_of(smollm, rows, 4), tmp_path / "out", objective=objective, steps=8,
        **SMALL)  # fmt: skip
    loss = pd.read_csv(tmp_path / "out" / "train.csv")["loss"]
    assert len(loss) == 8
    assert loss.iloc[-1] < 0.8 * loss.iloc[0]


def test_a_sigterm_in_mid_step_loses_nothing(smollm, rows, tmp_path, monkeypatch, capsys):
    """The step is ended and saved; what is resumed from it is bitwise the run without a stop."""
    examples = examples_of(smollm, rows, 4)
    changes = {**SMALL, "steps": 3}
    straight = run(smollm, examples, tmp_path / "straight", **changes)
    state = tmp_path / "state"

    def ask(self, args, state, control, **_):
        if state.global_step == 1:  # within the second
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "on_step_begin", ask)
        with pytest.raises(Stopped, match="SIGTERM: stopped at step 2"):
            run(smollm, examples, tmp_path / "cut", state, **changes)
    resumed = run(smollm, examples, tmp_path / "cut", state, **changes)
    assert resumed_from(capsys) == ["checkpoint-2"]
    assert_equal(straight, resumed)
