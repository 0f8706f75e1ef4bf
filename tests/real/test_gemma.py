"""Gemma 3 270M: another architecture, another kind of tokenizer, a BOS that its file asks for."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from helpers import DECODING, SETTINGS
from rectify.evaluation.decode import decode
from rectify.models.check_model import check
from rectify.models.encoding import encode_prompts, encode_rows, opening
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.training.checkpoints import prepare_state
from rectify.training.train import train

pytestmark = [pytest.mark.real, pytest.mark.slow,
              pytest.mark.filterwarnings("ignore:.*pin_memory.*")]  # fmt: skip
STYLE = "deepseek-math"  # its file has no chat template


def test_a_text_begins_with_the_bos_that_its_file_asks_for(gemma):
    tokenizer = load_tokenizer(gemma)
    assert opening(tokenizer) == [tokenizer.bos_token_id] == [2]
    (prompt,) = encode_prompts(tokenizer, STYLE, ["1+1?"])
    assert prompt[0] == 2
    assert 2 not in prompt[1:]
    assert tokenizer.decode(prompt[1:]).startswith("User: 1+1?")


def test_it_has_read_english(gemma):
    """Weights read wrongly give some 12 nats a token, as all of its 262,144 tokens alike do."""
    tokenizer, model = load_tokenizer(gemma), load_model(gemma, "fp32")
    text = "It was the best of times, it was the worst of times, it was the age of wisdom, it was"
    ids = torch.tensor([tokenizer.encode(text)])
    with torch.no_grad():
        logp = model(ids).logits.log_softmax(-1)
        likely = model(torch.tensor([tokenizer.encode("The capital of France is")])).logits[0, -1]
    assert -logp[0, :-1].gather(1, ids[0, 1:, None]).mean() < 2.5
    assert " Paris" in [tokenizer.decode(token) for token in likely.topk(5).indices]


def test_it_goes_through_check_two_steps_and_four_decodings(gemma, rows, tmp_path):
    problems = pd.DataFrame({"problem": ["1+1?", "2+3?"], "problem_id": [0, 1], "answer": "2"})
    problems = problems.assign(benchmark="sums")
    settings = {"train_prompt": STYLE, "eval_prompt": STYLE, "max_length": 128, "batch_size": 2,
                "engine": "vllm", "reference": False}  # fmt: skip
    found = check(gemma, settings, rows.head(4), problems)
    assert found["parameters"] == pytest.approx(268e6, rel=0.01)
    examples, _ = encode_rows(load_tokenizer(gemma), STYLE, rows.head(4), 128)
    own = SimpleNamespace(**{**SETTINGS, "steps": 2, "batch_size": 2, "micro_batch_size": 2,
                             "learning_rate": 1e-5})  # fmt: skip
    prepare_state(tmp_path / "state", "test")
    model = load_model(gemma, "fp32")
    train(model, examples, own, gemma, tmp_path / "out", tmp_path / "state")
    log = pd.read_csv(tmp_path / "out" / "train.csv")
    assert len(log) == 2
    assert log["loss"].between(0, 10).all()
    drawing = SimpleNamespace(**{**DECODING, "prompt": STYLE, "samples": 2, "max_new_tokens": 8})
    samples = list(decode(tmp_path / "out", problems, drawing))
    assert len(samples) == 4
    assert all(sample["n_tokens"] <= 8 for sample in samples)
