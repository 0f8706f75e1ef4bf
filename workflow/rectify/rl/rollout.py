"""Draw answers from a model while it is trained: token ids in, token ids out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from transformers import GenerationConfig

from rectify.models.stops import cut_after_stop


@torch.no_grad()
def draw(
    model: nn.Module,
    prompts: Sequence[list[int]],
    stops: list[int],
    *,
    max_new_tokens: int,
    temperature: float,
    seed: int,
) -> list[list[int]]:
    """One answer to each prompt, its stop token included if it came to one.

    The answers depend on the model, the seed and the whole list of prompts, on nothing else.
    """
    device, longest = next(model.parameters()).device, max(map(len, prompts))
    # padding is masked on the left, and cut away after a stop on the right: any id will do
    ids = torch.full((len(prompts), longest), stops[0], device=device)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt, device=device)
        mask[row, longest - len(prompt) :] = 1
    # said in full: what is left out comes from the model's own generation_config
    rules = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=True,
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        repetition_penalty=1.0,
        eos_token_id=stops,
        pad_token_id=stops[0],
    )
    training = model.training
    model.eval()
    torch.manual_seed(seed)
    output = model.generate(input_ids=ids, attention_mask=mask, generation_config=rules)
    model.train(training)
    return [cut_after_stop(row, stops) for row in output[:, longest:].tolist()]
