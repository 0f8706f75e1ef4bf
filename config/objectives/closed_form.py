"""One step of the closed form (rectify.objectives.closed_form) on a miniature's last hidden state.

    python config/objectives/closed_form.py

prints the table of config/objectives/closed_form.md. Needs no training: one pass over answers.
"""

from __future__ import annotations

import pandas as pd
import torch
from rectify.data.world import make_rows
from rectify.grading.boxed import boxed_answer
from rectify.models.encoding import Example, encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.closed_form import one_step, whitened
from torch import Tensor

BASE = "config/bases/qwen2-mini/base-seed0"
ANSWERS = 2000  # half to find theta on, half to look at what it does
BATCH = 50
BETAS = (2.0, 1.0, 0.5, 0.25)


def graded_answers() -> tuple[list[Example], Tensor]:
    """Answers in the voice of the model's pretraining text, a step in five wrong; 1 if right."""
    rows = make_rows("closed form", ANSWERS * 2, "crowd", (1, 5), wrong=0.2)
    answers = pd.DataFrame([row for row in rows if "answer" in row][:ANSWERS])
    examples, _ = encode_rows(load_tokenizer(BASE), "chat", answers, 256)
    pairs = zip(answers["solution"], answers["answer"], strict=True)
    rewards = [float(boxed_answer(solution) == gold) for solution, gold in pairs]
    return examples, torch.tensor(rewards, dtype=torch.float64)


@torch.no_grad()
def features_of(examples: list[Example]) -> Tensor:
    """The last hidden state, its mean over each answer's tokens: [ANSWERS, 128]."""
    model, found = load_model(BASE, "fp32").base_model.eval(), []
    for start in range(0, len(examples), BATCH):
        part = examples[start : start + BATCH]
        tokens = [torch.tensor(example.prompt + example.response) for example in part]
        states = model(torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)).last_hidden_state
        for example, own in zip(part, states.double(), strict=True):
            found.append(own[len(example.prompt) : len(example)].mean(dim=0))
    return torch.stack(found)


def reached(tilt: Tensor, rewards: Tensor) -> tuple[float, float]:
    """Mean reward in percent, and KL from p_0 in nats, of the policy p_0 exp(tilt): [n], [n]."""
    q = tilt.softmax(dim=0)
    return 100 * float(q @ rewards), float(q @ (q * len(q)).log())


def table() -> str:
    """What one step does on the answers that theta is of, and on those of other questions."""
    examples, rewards = graded_answers()
    features = features_of(examples)
    (here, other), (r_here, r_other) = features.chunk(2), rewards.chunk(2)
    white = whitened(here)
    whitening = torch.linalg.lstsq(here - here.mean(dim=0), white).solution
    white_other = (other - here.mean(dim=0)) @ whitening
    lines = [
        f"{len(here)} answers, {100 * float(r_here.mean()):.1f} % of them right; as many others, "
        f"{100 * float(r_other.mean()):.1f} %; {white.shape[1]} features.",
        "",
        "| beta | right, % | KL | right, %, other questions | KL | right, %, best policy | KL |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for beta in BETAS:
        theta = one_step(white, r_here, beta)
        found = [
            reached(white @ theta, r_here),
            reached(white_other @ theta, r_other),
            reached(r_here / beta, r_here),
        ]
        cells = " | ".join(f"{right:.1f} | {kl:.2f}" for right, kl in found)
        lines.append(f"| {beta:g} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
