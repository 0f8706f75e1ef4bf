"""The statistics of a training's log: the weights of tokens and sequences, by row."""

from __future__ import annotations

import math
import time
from collections import defaultdict

import torch
from accelerate import Accelerator
from torch import Tensor

from rectify.objectives.sums import sequence_mean


class Monitors:
    """Sums since the last row of the training log, from which its next row is made."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new row."""
        self.sums: defaultdict[str, float] = defaultdict(float)
        self.weights: list[Tensor] = []
        self.started = time.perf_counter()

    def add(
        self,
        nll: Tensor,
        weight: Tensor,
        mask: Tensor,
        ref_logp: Tensor | None = None,
        kl: Tensor | None = None,
    ) -> None:
        """Add a micro-batch: nll, weight, mask and ref_logp [B, T], kl [N] at response tokens."""
        own, of_sequences = weight[mask], sequence_mean(weight, mask)
        found = {
            "tokens": mask.sum(),
            "nll": nll.sum(),
            "weight": own.sum(),
            "square": own.square().sum(),
            "sequences": len(mask),
            "sequence_weight": of_sequences.sum(),
            "sequence_square": of_sequences.square().sum(),
        }
        if ref_logp is not None:
            found["deviation"] = (-nll - ref_logp)[mask].expm1().abs().sum()
        if kl is not None:
            found["kl"] = kl.sum()
        for key, value in found.items():
            self.sums[key] += float(value)
        self.weights.append(own)

    def gather(self, accelerator: Accelerator) -> None:
        """Take in what the other processes have added since the last row."""
        own = torch.tensor([list(self.sums.values())], device=accelerator.device)
        sums = accelerator.gather(own).sum(dim=0).tolist()
        self.sums.update(zip(self.sums, sums, strict=True))
        padded = accelerator.pad_across_processes(torch.cat(self.weights), pad_index=math.nan)
        weights = accelerator.gather(padded)
        self.weights = [weights[~weights.isnan()]]

    def columns(self) -> dict[str, float]:
        """One row: means over response tokens, nll and kl in nats, of what `add` was given.

        weight_p10, _p50, _p90: quantiles. weight_ess_tokens, _sequences: effective-sample-size
        ratios, of the tokens' weights and of the sequences' mean weights. ratio_deviation: mean
        |p / p_ref - 1|, where the objective has a reference.
        """
        sums, tokens = self.sums, self.sums["tokens"]
        ranked = self.weights[0].sort().values
        quantiles = {f"weight_p{n}": ranked[len(ranked) * n // 100].item() for n in (10, 50, 90)}
        sequences = (sums["sequence_weight"], sums["sequence_square"], sums["sequences"])
        optional = {"deviation": "ratio_deviation", "kl": "kl"}
        return {
            "nll": sums["nll"] / tokens,
            "weight_mean": sums["weight"] / tokens,
            "weight_max": ranked[-1].item(),
            **quantiles,
            "weight_ess_tokens": ess_of_sums(sums["weight"], sums["square"], tokens),
            "weight_ess_sequences": ess_of_sums(*sequences),
            **{name: sums[key] / tokens for key, name in optional.items() if key in sums},
            "response_tokens": tokens,
            "tokens_per_second": tokens / (time.perf_counter() - self.started),
        }


def ess_of_sums(total: float, square: float, count: float) -> float:
    """Effective sample size over sample size: (sum w)^2 / (n sum w^2), 0 if all w are 0."""
    return total**2 / (count * square) if square else 0.0
