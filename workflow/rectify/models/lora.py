"""Low-rank adaptation: every linear layer learns W + (alpha / r) B A, the rest is frozen.

arXiv 2106.09685, by peft. B starts at 0, so a model with new adapters is the model without. The
layers are replaced inside the model, which stays what transformers made it: its forward, its
checkpoints and its sharding are those of any other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

A, B, BASE = ".lora_A.default.weight", ".lora_B.default.weight", ".base_layer."


def add_adapters(model: nn.Module, rank: int, alpha: float, seed: int) -> None:
    """Freeze a causal LM and give its linear layers, all but the head, adapters to train."""
    from peft import LoraConfig, inject_adapter_in_model  # seconds, and only here is it needed

    torch.manual_seed(seed)  # A is drawn
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear")
    inject_adapter_in_model(config, model)


def merge(model: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a model with adapters, as those of the model without: names and dtypes too.

    `weights` are the whole model's. Sums are in fp32; weights without an adapter are the same
    tensors.
    """
    config = model.peft_config["default"]
    merged = {}
    for name, weight in weights.items():
        layer = name.removesuffix(f"{BASE}weight")
        if layer != name:
            update = weights[layer + B].float() @ weights[layer + A].float()
            scaled = config.lora_alpha / config.r * update
            merged[f"{layer}.weight"] = (weight.float() + scaled).to(weight.dtype)
        elif not name.endswith((A, B)):
            merged[name.replace(BASE, ".")] = weight
    return merged
