"""A causal LM's forward pass that returns per-token NLLs, and what their sum is divided by."""

from __future__ import annotations

from collections.abc import Collection
from types import MethodType

import torch
from torch import Tensor, nn

from rectify.objectives.chunked import token_kl, token_nll_and_scalars

IGNORED = -100  # target of a position that carries no loss, as in torch.nn.functional.cross_entropy


def text_trunk(model: nn.Module) -> nn.Module:
    """What a causal LM's head reads the last hidden state of, given text alone.

    Of a model that also sees, its text model: the whole would ask for images in training.
    """
    return model.get_decoder()


def response_hidden(model: nn.Module, input_ids: Tensor, targets: Tensor) -> Tensor:
    """A causal LM's last hidden states where targets are not IGNORED: [B, T], [B, T] -> [N, D].

    Batches are padded on the right: under the causal mask no real token sees padding, so no
    attention mask is needed and the fast causal kernels apply.
    """
    hidden = text_trunk(model)(input_ids=input_ids, use_cache=False).last_hidden_state
    return hidden[targets != IGNORED]


def nll_forward(
    model: nn.Module,
    input_ids: Tensor,
    targets: Tensor,
    ref_hidden: Tensor | None = None,
    ref_weight: Tensor | None = None,
    scalars: Collection[str] = (),
    k: int | None = None,
    entropy_every: int | None = None,
) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
    """A causal LM's per-token NLL: [B, T], [B, T] -> [B, T], 0 where targets are IGNORED.

    `targets[b, t]` is the token that follows `input_ids[b, t]`. What is asked for beside it comes
    in a dictionary: with a reference's hidden states [N, D] at the response tokens, and the weight
    [V, D] of its head, `kl`, token_kl; each of `scalars` of the distribution, without gradient
    (rectify.objectives.inputs.DISTRIBUTION): [B, T] as the NLL; the entropy of every so many
    response tokens, `sampled_entropy`: [N / entropy_every].
    """
    hidden = response_hidden(model, input_ids, targets)
    mask = targets != IGNORED
    weight = model.get_output_embeddings().weight
    nll, found = token_nll_and_scalars(hidden, weight, targets[mask], scalars, k)
    if ref_hidden is not None:
        found["kl"] = token_kl(hidden, weight, ref_hidden, ref_weight)
    nll, *others = (
        values.new_zeros(targets.shape).masked_scatter(mask, values)
        for values in (nll, *found.values())
    )
    found = dict(zip(found, others, strict=True))
    if entropy_every:
        with torch.no_grad():
            some = (hidden[::entropy_every], weight, targets[mask][::entropy_every])
            found["sampled_entropy"] = token_nll_and_scalars(*some, ("entropy",), None)[1][
                "entropy"
            ]
    return (nll, found) if found else nll


def nll_and_more(
    found: Tensor | tuple[Tensor, dict[str, Tensor]],
) -> tuple[Tensor, dict[str, Tensor]]:
    """What a model with token NLL returns, whether more than these was asked for or not."""
    return (found, {}) if isinstance(found, Tensor) else found


def with_token_nll(model: nn.Module) -> nn.Module:
    """Make `model(input_ids, targets)` return per-token NLLs.

    The method is replaced on the instance, not wrapped around it, so that distributed wrappers,
    which hook the outermost forward, see the whole computation.
    """
    model.forward = MethodType(nll_forward, model)
    return model


def denominator(accumulation: str, micro_tokens: Tensor, batch_tokens: Tensor) -> Tensor:
    """What a micro-batch's summed loss is divided by before its backward pass.

    token_mean:   the response tokens of the whole optimiser batch, so that accumulation does not
                  change the gradient (TRL, transformers).
    sum_of_means: those of the micro-batch alone; the gradients of the micro-batches add up, as in
                  the released code, whose backward comes before its division by their number.
    """
    return micro_tokens if accumulation == "sum_of_means" else batch_tokens
