"""What the tests share: settings, drawn scores, and ways to start, cut off and compare runs."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from rectify.step import warm

os.environ.update(dict.fromkeys(warm.THREADS, "1"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Snakemake asks a configured SLURM about itself at every start; one that is down costs it 9 s
os.environ["SLURM_CONF"] = os.devnull

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("RECTIFY_DATA") or ROOT.parent / "shared" / "data")
SMOKE = ("--configfile", "config/smoke.yaml")
SHAPE = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 96,
    "max_position_embeddings": 256,
}
SETTINGS = {
    "objective": "dft",
    "parameters": {},
    "seed": 0,
    "prompt": "chat",
    "checkpoints": [],
    "epochs": 1.0,
    "steps": None,
    "batch_size": 8,
    "micro_batch_size": 4,
    "micro_batches": "sorted",
    "max_length": 128,
    "unfit": None,
    "learning_rate": 1e-3,
    "lora": None,
    "schedule": "cosine",
    "warmup_ratio": 0.1,
    "weight_decay": 0.01,
    "betas": [0.9, 0.95],
    "max_grad_norm": 1.0,
    "accumulation": "token_mean",
    "precision": "fp32",
    "sharding": "none",
    "gradient_checkpointing": False,
    "save_every": 1000,
    "log_every": 1,
}
PPO = {
    **SETTINGS,
    "schedule": "constant_with_warmup",
    "steps": 4,
    "ppo": {
        "clip": 0.2,
        "value_clip": 0.5,
        "kl": 0.001,
        "gamma": 1.0,
        "lam": 0.95,
        "epochs": 2,
        "mini_batches": 2,
        "value_learning_rate": 3e-3,
        "max_new_tokens": 6,
        "temperature": 1.0,
    },
}
DECODING = {
    "seed": 0,
    "prompt": "chat",
    "engine": "vllm",
    "problems": None,
    "samples": 4,
    "temperature": 1.0,
    "top_p": 1.0,
    "max_new_tokens": 24,
    "dtype": "float32",
    "tensor_parallel": 1,
}


GIVEN = tempfile.TemporaryDirectory(prefix="settings-")


class InterruptedRunError(Exception):
    """Stands for a killed process."""


@contextlib.contextmanager
def interrupt(monkeypatch, before_step):
    """Have a run of transformers.Trainer die as that step begins, and see that it did."""
    from rectify.training.callbacks import Recorder

    def die(self, args, state, control, **_):
        if state.global_step == before_step - 1:
            raise InterruptedRunError

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "on_step_begin", die)
        try:
            yield
        except InterruptedRunError:
            return
    raise AssertionError(f"the run ended without reaching step {before_step}")


def resumed_from(capsys):
    """The checkpoints, by name, that this process's runs have said they resume from."""
    return re.findall(r"^resuming from .*/(.+)$", capsys.readouterr().out, re.MULTILINE)


def small_letters(golds, texts):
    """A toy reward: the share of an answer's characters that are small letters."""
    return [sum(c.islower() for c in text) / max(len(text), 1) for text in texts]


def scores_of(correct, benchmark="a"):
    """Scores from outcomes [problems, seeds, samples] or [problems, seeds, repeats, samples]."""
    correct = np.asarray(correct)
    correct = correct if correct.ndim == 4 else correct[:, :, None]
    index = pd.MultiIndex.from_product(
        map(range, correct.shape), names=["problem_id", "seed", "repeat", "sample"]
    )
    frame = pd.DataFrame({"correct": correct.astype(bool).ravel()}, index=index).reset_index()
    return frame.assign(benchmark=benchmark)


def drawn(rng, accuracies, seeds=1, samples=16):
    """Outcomes [problems, seeds, samples] of problems with these accuracies."""
    return rng.random((len(accuracies), seeds, samples)) < np.reshape(accuracies, (-1, 1, 1))


def assert_equal(first, second):
    """Bitwise equality of two sets of weights."""
    import torch

    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def changed(study, path, value):
    """A copy of a study with one key set, `a.b.c`."""
    from rectify.study.load import merge

    *parents, last = path.split(".")
    override = {last: value}
    for key in reversed(parents):
        override = {key: override}
    return merge(study, override)


def settings_file(settings):
    """The name of a file with a step's settings, which is there as long as the tests run."""
    file = Path(GIVEN.name, f"{uuid4().hex}.json")
    file.write_text(json.dumps(settings))
    return str(file)


def step(name, *arguments, cwd=ROOT):
    """Run `python -m rectify NAME` as a user does; returns the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "rectify", name, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
    )


def snakemake(*arguments, cwd=ROOT):
    """Run snakemake on two cores; returns the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def one_line(process, *parts):
    """Assert that a step stopped with one line on standard error that holds every part."""
    assert process.returncode == 2, process.stderr
    lines = [line for line in process.stderr.splitlines() if line.startswith("rectify")]
    assert len(lines) == 1, process.stderr
    assert "Traceback" not in process.stderr
    for part in parts:
        assert part in lines[0], lines[0]


def assert_engines_agree(llm, model, prompts):
    """VLLM's log-probabilities of prompts' tokens are those of a transformers model, to 1e-4."""
    import torch
    from vllm import SamplingParams

    outputs = llm.generate(
        [{"prompt_token_ids": prompt} for prompt in prompts],
        SamplingParams(max_tokens=1, prompt_logprobs=0, detokenize=False),
        use_tqdm=False,
    )
    compared = 0
    for prompt, output in zip(prompts, outputs, strict=True):
        with torch.no_grad():
            logits = model(torch.tensor([prompt])).logits[0].log_softmax(-1)
        for position in range(1, len(prompt)):
            token = prompt[position]
            theirs = output.prompt_logprobs[position][token].logprob
            assert theirs == pytest.approx(logits[position - 1, token].item(), abs=1e-4)
            compared += 1
    assert compared > 100
