"""The statistics of a training's log: the weights of tokens and sequences, by row."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping

import torch
from accelerate import Accelerator
from torch import Tensor

from rectify.objectives.rules.sums import sequence_mean

VANISHING = 1e-3  # a token whose weight is nearer to 0 hardly counts
ENTROPIES = ("entropy", "ref_entropy")
EVERY = 16  # the model's entropy is that of every so many response tokens: it costs a pass each
# when a run's log says that something is odd
FAR = 0.5  # mean |p / p_ref - 1| over which the first-order approximation is not to be trusted
FEW = 0.1  # ESS ratio of the tokens' weights below which few of them are learned from
COLLAPSED = 0.1  # entropy, as a share of that in the log's first row


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
        ended: Tensor | None = None,
        entropies: Mapping[str, Tensor] = {},
    ) -> None:
        """Add a micro-batch: nll, weight, mask, ref_logp and kl [B, T], the last two 0 off mask.

        ended: [B] whether a row's last token is EOS, all if not given; entropies: by column, of
        some or all of the micro-batch's tokens, nats.
        """
        last = mask.shape[1] - 1 - mask.flip(1).to(torch.uint8).argmax(dim=1, keepdim=True)
        p_last = nll.gather(1, last)[:, 0].neg().exp()
        ended = torch.ones_like(p_last) if ended is None else ended.to(p_last)
        own, of_sequences = weight[mask], sequence_mean(weight, mask)
        found = {
            "tokens": mask.sum(),
            "nll": nll.sum(),
            "weight": own.sum(),
            "size": own.abs().sum(),
            "square": own.square().sum(),
            "vanishing": (own.abs() < VANISHING).sum(),
            "ended": ended.sum(),
            "p_eos": (p_last * ended).sum(),
            "sequences": len(mask),
            "sequence_size": of_sequences.abs().sum(),
            "sequence_square": of_sequences.square().sum(),
        }
        if ref_logp is not None:
            found["deviation"] = (-nll - ref_logp)[mask].expm1().abs().sum()
        if kl is not None:
            found["kl"] = kl.sum()
        for name, values in entropies.items():
            found |= {name: values.sum(), f"{name} tokens": values.numel()}
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
        ratios, of the sizes of the tokens' weights and of the sequences' mean weights.
        weight_vanishing: share of tokens whose weight is nearer to 0 than VANISHING.
        ratio_deviation: mean |p / p_ref - 1|, where the objective has a reference. p_eos: mean
        probability of EOS at the end of the responses that have one. entropy, ref_entropy: mean
        entropies of the model and its reference over every EVERYth response token, nats.
        """
        sums, tokens = self.sums, self.sums["tokens"]
        ranked = self.weights[0].sort().values
        quantiles = {f"weight_p{n}": ranked[len(ranked) * n // 100].item() for n in (10, 50, 90)}
        sequences = (sums["sequence_size"], sums["sequence_square"], sums["sequences"])
        optional = {"deviation": "ratio_deviation", "kl": "kl"}
        return {
            "nll": sums["nll"] / tokens,
            **{name: sums[name] / sums[f"{name} tokens"] for name in ENTROPIES if name in sums},
            "p_eos": sums["p_eos"] / sums["ended"] if sums["ended"] else math.nan,
            "weight_mean": sums["weight"] / tokens,
            "weight_vanishing": sums["vanishing"] / tokens,
            "weight_max": ranked[-1].item(),
            **quantiles,
            "weight_ess_tokens": ess_of_sums(sums["size"], sums["square"], tokens),
            "weight_ess_sequences": ess_of_sums(*sequences),
            **{name: sums[key] / tokens for key, name in optional.items() if key in sums},
            "response_tokens": tokens,
            "tokens_per_second": tokens / (time.perf_counter() - self.started),
        }


def ess_of_sums(total: float, square: float, count: float) -> float:
    """Effective sample size over sample size: (sum w)^2 / (n sum w^2), 0 if all w are 0."""
    return total**2 / (count * square) if square else 0.0


def alarms(row: Mapping[str, float], first: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """What is odd about a row of a log, given its first: (kind, a sentence) each."""
    if (deviation := row.get("ratio_deviation", 0)) > FAR:
        yield (
            "deviation",
            f"mean |p / p_ref - 1| is {deviation:.2f}, over {FAR}: the first-order approximation "
            "behind importance weights is not to be trusted from here",
        )
    if (ess := row["weight_ess_tokens"]) < FEW:
        yield (
            "ess",
            f"the ESS ratio of the tokens' weights is {ess:.3f}, below {FEW}: few tokens are "
            "learned from",
        )
    if row.get("entropy", math.inf) < COLLAPSED * first.get("entropy", 0):
        yield (
            "entropy",
            f"entropy is {row['entropy']:.3g} nats, below a tenth of the {first['entropy']:.3g} "
            "in the log's first row: the model has become certain of nearly every token",
        )
