"""Objectives against closed forms and against their papers' definitions."""

import copy
import math

import pandas as pd
import pytest
import torch
from helpers import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from rectify.batches import collate
from rectify.contract import load_objective, parameters_of, required, weigh
from rectify.loss import IGNORED, denominator, token_kl, token_nll, with_token_nll
from rectify.model import load_model
from rectify.objectives import OBJECTIVES, ess_ratio, sharpest
from rectify.reference import frozen_copy
from rectify.tokenizer import encode_rows, load_tokenizer
from rectify.trainer import WeightedTrainer
from torch.nn import functional as F
from transformers import TrainingArguments

DOUBLE = {"dtype": torch.float64}
EXAMPLE = f"{ROOT}/config/objectives/example.py:unsure"
FIXED = {
    "mode-seeking": {"gamma": 0.4, "kl_coef": 0.1},
    "reward-exponential": {"beta": 0.5},
    "reward-power": {"beta": 2.0},
    "reward-top-k": {"k": 2},
    "iw-sft": {"temperature": 0.7},
    "dft+sft": {"alpha": 0.3},
}  # parameters where no sample size decides them


def pick(logp, targets):
    """Log p of the targets: [B, T, V] log-probabilities, [B, T] -> [B, T]."""
    return logp.gather(-1, targets.clamp(min=0)[..., None])[..., 0]


def all_given(logp, mask, ref_logp=None, reward=None):
    """All that an objective may take, for a batch that is one micro-batch."""
    found = {"logp": logp, "mask": mask}
    if ref_logp is not None:
        log_ratio = ((logp - ref_logp) * mask).sum(1)
        found |= {"ref_logp": ref_logp, "batch_log_ratio": log_ratio}
    if reward is not None:
        found |= {"reward": reward, "batch_reward": reward.flatten()}
    return found


def weights(name, logp, mask, ref_logp=None, reward=None, **parameters):
    """An objective's weights, [B, T]."""
    return weigh(load_objective(name, parameters), all_given(logp, mask, ref_logp, reward))


def loss_of(name, logits, targets, mask, ref_logits=None, reward=None, **parameters):
    """(sum(stop_gradient(w) nll mask) + kl_weight KL) / N from full logits, spelled out."""
    logp = logits.log_softmax(-1)
    nll = -pick(logp, targets)
    ref = None if ref_logits is None else ref_logits.log_softmax(-1)
    ref_logp = None if ref is None else pick(ref, targets)
    weight = weights(name, -nll.detach(), mask, ref_logp, reward, **parameters)
    total = (weight * nll * mask).sum()
    if kl_weight := parameters_of(load_objective(name, parameters)).get("kl_weight"):
        kl = F.kl_div(logp, ref, log_target=True, reduction="none").sum(-1)
        total = total + kl_weight * (kl * mask).sum()
    return total / mask.sum()


@pytest.fixture
def batch():
    """Random logits of a model and its reference, targets, mask and rewards, in float64."""
    torch.manual_seed(3)
    ref = torch.randn(4, 5, 11, **DOUBLE)
    return {
        "logits": (ref + 0.5 * torch.randn(4, 5, 11, **DOUBLE)).requires_grad_(),
        "targets": torch.randint(11, (4, 5)),
        "mask": torch.arange(5) < torch.tensor([[5], [4], [2], [1]]),
        "ref_logits": ref,
        "reward": torch.tensor([[0.0], [0.25], [1.0], [0.5]], **DOUBLE),
    }


def kl_of(logits, ref_logits):
    """KL(p_ref || p) of every token, as torch.distributions has it."""
    pair = (torch.distributions.Categorical(logits=each) for each in (ref_logits, logits))
    return torch.distributions.kl_divergence(*pair)


def in_turn(values, mask, function):
    """`function` of each sequence's response tokens, summed over sequences."""
    return sum(function(row[keep]) for row, keep in zip(values, mask, strict=True))


def by_reward(rule):
    """-w log p with w from each sequence's reward: `rule` of a list of floats gives g(r)."""

    def surrogate(logp, mask, reward, **_):
        raw = rule(reward.flatten().tolist())
        weight = torch.tensor([len(raw) * g / sum(raw) for g in raw], dtype=logp.dtype)
        return -(weight[:, None] * logp * mask).sum()

    return surrogate


def iw_sft_surrogate(logp, ref_logp, mask, **_):
    """D exp(t m) = t exp(t m) dm with m a mean over n tokens; linear where clipped."""

    def one(difference):
        mean = 0.7 * difference.mean()
        clipped = mean.exp() > 16
        return -16 * difference.sum() if clipped else -len(difference) / 0.7 * mean.exp()

    return in_turn(logp - ref_logp, mask, one)


def iw_sft_token_surrogate(logp, ref_logp, mask, **_):
    """The ratio itself where it is not clipped, else the bound times log p."""
    ratio = (logp - ref_logp).exp()
    bound = ratio.detach().clamp(0.2, 1.8)
    return -torch.where(bound == ratio, ratio, bound * logp)[mask].sum()


def mode_seeking_surrogate(logp, ref_logp, mask, **_):
    """D exp(gamma L) = gamma exp(gamma L) dL; the normaliser is a constant."""
    ratio = ((logp - ref_logp) * mask).sum(1)
    powers = (0.4 * ratio).exp()
    mode = -len(ratio) / 0.4 * powers.sum() / powers.sum().detach()
    return mode + 0.1 * (logp - ref_logp)[mask].sum()


# functions of (logp, p, ref_logp, mask, reward, kl) whose plain gradient is N times the objective's
SURROGATES = {
    "sft": lambda logp, mask, **_: -logp[mask].sum(),
    "rft": lambda logp, mask, **_: -logp[mask].sum(),
    "dft": lambda p, mask, **_: -p[mask].sum(),
    "dft-sequence": lambda p, mask, **_: -in_turn(p, mask, torch.prod),
    "dft-geometric-mean": lambda p, mask, **_: (
        -in_turn(p, mask, lambda row: len(row) * row.log().mean().exp())
    ),
    "iw-sft": iw_sft_surrogate,
    "iw-sft-token": iw_sft_token_surrogate,
    "mode-seeking": mode_seeking_surrogate,
    # the integral of (1 - p)^2 / p
    "focal": lambda logp, p, mask, **_: -(logp - 2 * p + p**2 / 2)[mask].sum(),
    "reward-exponential": by_reward(lambda rewards: [math.exp(r / 0.5) for r in rewards]),
    "reward-power": by_reward(lambda rewards: [(r - min(rewards)) ** 0.5 for r in rewards]),
    "reward-top-k": by_reward(lambda rewards: [float(r >= 0.5) for r in rewards]),
    "asft": lambda p, mask, kl, **_: -p[mask].sum() + 0.05 * kl[mask].sum(),
    "sft-kl": lambda logp, mask, kl, **_: -logp[mask].sum() + 0.05 * kl[mask].sum(),
    "dft+sft": lambda logp, p, mask, **_: -(0.3 * logp + 0.7 * p)[mask].sum(),
}


def gradient_by_surrogate(name, logits, targets, mask, ref_logits, reward):
    """The gradient that an objective has to have, by autograd on its surrogate."""
    logp = pick(logits.log_softmax(-1), targets)
    ref_logp = pick(ref_logits.log_softmax(-1), targets)
    kl = kl_of(logits, ref_logits)
    value = SURROGATES[name](
        logp=logp, p=logp.exp(), ref_logp=ref_logp, mask=mask, reward=reward, kl=kl
    )
    return value / mask.sum()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_is_that_of_the_function_that_the_weight_comes_from(name, batch):
    loss = loss_of(name, **batch, **FIXED.get(name, {}))
    surrogate = gradient_by_surrogate(name, **batch)
    ours, theirs = (torch.autograd.grad(each, batch["logits"])[0] for each in (loss, surrogate))
    assert ours.abs().max() > 1e-6
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("vocabulary", [2, 10, 151_936])
def test_uniform_distribution_gives_log_v_and_dft_a_vth_of_it(vocabulary):
    uniform = torch.zeros(1, 3, vocabulary, **DOUBLE)
    given = {"logits": uniform, "targets": torch.tensor([[0, 1, 1]]), "ref_logits": uniform}
    given |= {"mask": torch.ones(1, 3, dtype=torch.bool), "reward": torch.ones(1, 1, **DOUBLE)}
    factors = dict.fromkeys(OBJECTIVES, 1.0)  # no ratio differs from 1, no reward from another
    factors |= dict.fromkeys(("dft", "asft", "dft-geometric-mean"), 1 / vocabulary)
    factors["dft-sequence"] = vocabulary**-3
    factors["focal"] = (1 - 1 / vocabulary) ** 2
    factors["dft+sft"] = 0.1 + 0.9 / vocabulary
    for name, factor in factors.items():
        expected = factor * math.log(vocabulary)
        assert loss_of(name, **given).item() == pytest.approx(expected, rel=1e-9), name


@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-9])
def test_two_tokens(p):
    logits = torch.tensor([[[math.log(p), math.log1p(-p)]]], **DOUBLE)
    targets, mask = torch.tensor([[0]]), torch.ones(1, 1, dtype=torch.bool)
    nll = -math.log(p)
    weight = {"sft": 1, "dft": p, "focal": (1 - p) ** 2, EXAMPLE: 4 * p * (1 - p)}
    for name, expected in weight.items():
        loss = loss_of(name, logits, targets, mask).item()
        assert loss == pytest.approx(expected * nll, rel=1e-6), name


def test_dft_gradient_is_that_of_minus_p():
    """D loss / d logits = -p_y (onehot - p), arXiv 2508.05629v3 eq. 13."""
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 11, requires_grad=True, **DOUBLE)
    targets = torch.randint(11, (2, 5))
    mask = torch.ones(2, 5, dtype=torch.bool)
    loss_of("dft", logits, targets, mask).backward()
    p = logits.detach().softmax(-1)
    p_y = p.gather(-1, targets[..., None])
    expected = -p_y * (F.one_hot(targets, 11) - p) / mask.sum()
    torch.testing.assert_close(logits.grad, expected, rtol=1e-12, atol=1e-14)


def test_iw_sft_is_the_clipped_geometric_mean_of_ratios():
    """exp(mean over the sequence's response tokens of log(p/p_ref)), at most 16."""
    p = torch.tensor([[0.5, 0.2, 0.9], [0.9, 0.9, 0.9]], **DOUBLE)
    ref = torch.tensor([[0.25, 0.4, 0.1], [0.001, 0.001, 0.001]], **DOUBLE)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    found = weights("iw-sft", p.log(), mask, ref.log())
    first = math.sqrt((0.5 / 0.25) * (0.2 / 0.4))  # the third token is not the response's
    torch.testing.assert_close(found[0], torch.full((3,), first, **DOUBLE))
    torch.testing.assert_close(found[1], torch.full((3,), 16.0, **DOUBLE))
    tokens = weights("iw-sft-token", p.log(), mask, ref.log())
    expected = torch.tensor([[1.8, 0.5, 1.8], [1.8, 1.8, 1.8]], **DOUBLE)
    torch.testing.assert_close(tokens, expected)


@pytest.mark.parametrize("name", ["iw-sft", "iw-sft-token", "mode-seeking"])
def test_ratios_start_as_sft(name):
    """At the reference itself every ratio is 1."""
    logp = -torch.rand(4, 7, **DOUBLE)
    mask = torch.rand(4, 7) < 0.5
    torch.testing.assert_close(weights(name, logp, mask, logp), torch.ones(4, 7, **DOUBLE))


def at_log_ratios(log_ratios, **parameters):
    """mode-seeking's weights of sequences of one token with these log-ratios: [n]."""
    logp = torch.tensor(log_ratios, **DOUBLE)[:, None]
    mask = torch.ones_like(logp, dtype=torch.bool)
    return weights("mode-seeking", logp, mask, torch.zeros_like(logp), **parameters)[:, 0]


def test_mode_seeking_is_a_softmax_over_the_batch():
    found = at_log_ratios([0.0, math.log(4), math.log(9)], gamma=0.5)
    torch.testing.assert_close(found, torch.tensor([0.5, 1.0, 1.5], **DOUBLE))  # 3/6 of 1, 2, 3


def test_mode_seeking_weighs_by_the_whole_batch_not_by_the_rows_at_hand():
    logp = torch.tensor([0.0, 1.0, 2.0, 3.0], **DOUBLE)[:, None]
    given = all_given(logp, torch.ones_like(logp, dtype=torch.bool), torch.zeros_like(logp))
    objective = load_objective("mode-seeking")
    whole = weigh(objective, given)
    half = weigh(objective, {k: v if k == "batch_log_ratio" else v[:2] for k, v in given.items()})
    torch.testing.assert_close(half, whole[:2])


def test_adaptive_gamma_meets_its_bound_exactly_where_it_can_not_be_1():
    """Nine ratios of 1 and one of e^10: (9 + x)^2 = 3 (9 + x^2) for x = e^(10 gamma)."""
    found = at_log_ratios([0.0] * 9 + [10.0])
    x = (18 + math.sqrt(18**2 + 4 * 2 * 54)) / 4
    assert (found[-1] / found[0]).item() == pytest.approx(x, rel=1e-6)
    assert (found.sum() ** 2 / (found**2).sum()).item() == pytest.approx(3)


def test_adaptive_gamma_is_1_where_the_bound_allows_and_0_where_it_must():
    near = at_log_ratios([0.0] * 9 + [2.0])
    assert (near[-1] / near[0]).item() == pytest.approx(math.exp(2))
    for ratios, bound in (([0.0, 1.0], 1.0), ([0.0, 0.0, 0.0, 1e30], 0.3)):
        torch.testing.assert_close(
            at_log_ratios(ratios, ess_min=bound), torch.ones(len(ratios), **DOUBLE)
        )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-40, 40), min_size=1, max_size=20),
    st.floats(0.05, 0.95),
    st.sampled_from([1.0, 100.0]),
)
def test_the_sharpest_exponent_keeps_the_sample_size_and_no_larger_one_does(values, bound, limit):
    values = torch.tensor(values, **DOUBLE)

    def ess(exponent):
        weight = (exponent * (values - values.max())).exp()
        return (weight.sum() ** 2 / (weight**2).sum() / len(values)).item()

    found = sharpest(lambda exponent: exponent * values, bound, limit)
    assert ess_ratio(found * values) == pytest.approx(ess(found))
    assert ess(found) >= bound - 1e-9
    assert found == limit or ess(found + 1e-6) <= bound + 1e-3


def by_rewards(name, rewards, **parameters):
    """A reward-weighted objective's weights of rows with these rewards: [n]."""
    reward = torch.tensor(rewards, **DOUBLE)[:, None]
    mask = torch.ones_like(reward, dtype=torch.bool)
    return weights(name, torch.zeros_like(reward), mask, reward=reward, **parameters)[:, 0].tolist()


def test_reward_weights_by_hand():
    two = math.log(2)
    exponential = by_rewards("reward-exponential", [0.0, 1.0, 2.0], beta=1 / two)
    assert exponential == pytest.approx([3 / 7, 6 / 7, 12 / 7])  # 1, 2, 4 of 7
    power = by_rewards("reward-power", [-1.0, 0.0, 3.0], beta=2.0)
    assert power == pytest.approx([0, 1, 2])  # roots of 0, 1, 4
    assert by_rewards("reward-top-k", [0.0, 3.0, 2.0, 1.0], k=2) == [0, 2, 2, 0]
    assert by_rewards("reward-top-k", [0.0, 3.0, 2.0, 2.0], k=2) == pytest.approx([0, *[4 / 3] * 3])
    assert by_rewards("reward-top-k", [0.0, 3.0], k=8) == [1, 1]


@pytest.mark.parametrize("name", ["reward-exponential", "reward-power"])
def test_adaptive_beta_meets_its_bound(name):
    found = torch.tensor(by_rewards(name, [0.0, 0.1, 0.2, 0.4, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0]))
    assert (found.sum() ** 2 / (found**2).sum()).item() == pytest.approx(3, rel=1e-4)


@pytest.mark.parametrize("name", ["reward-exponential", "reward-power"])
def test_adaptive_beta_with_verdicts_for_rewards(name):
    """Two of four correct are more than 0.3: only they count. One of four is less."""
    assert by_rewards(name, [0.0, 1.0, 0.0, 1.0]) == pytest.approx([0, 2, 0, 2])
    found = by_rewards(name, [0.0, 0.0, 0.0, 1.0])
    if name == "reward-power":  # any exponent but 0 leaves one row
        assert found == [1, 1, 1, 1]
    else:
        assert sum(found) ** 2 / sum(w * w for w in found) == pytest.approx(1.2)
    assert by_rewards(name, [0.5, 0.5, 0.5]) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_padding_has_no_weight_in_loss_or_gradient(name, batch):
    loss = loss_of(name, **batch)
    loss.backward()
    padding = ~batch["mask"]
    assert torch.equal(batch["logits"].grad[padding], torch.zeros(int(padding.sum()), 11, **DOUBLE))
    changed = batch["logits"].detach().clone()
    changed[padding] += torch.arange(11.0)
    same = loss_of(name, **{**batch, "logits": changed})
    assert same.item() == pytest.approx(loss.item(), rel=1e-12)


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_chunked_nll_is_cross_entropy_with_its_gradient(chunk, monkeypatch):
    torch.manual_seed(2)
    hidden = torch.randn(64, 8, requires_grad=True)
    weight = torch.randn(50, 8, requires_grad=True)
    targets = torch.randint(50, (64,))
    monkeypatch.setattr("rectify.loss.CHUNK_LOGITS", chunk * 50)
    ours = token_nll(hidden, weight, targets)
    full = F.cross_entropy(hidden @ weight.T, targets, reduction="none")
    torch.testing.assert_close(ours, full)
    for mine, reference in zip(
        torch.autograd.grad(ours.sum(), (hidden, weight)),
        torch.autograd.grad(full.sum(), (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference)


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_chunked_kl_is_that_of_full_logits_with_its_gradient(chunk, monkeypatch):
    torch.manual_seed(2)
    hidden = torch.randn(64, 8, requires_grad=True)
    weight = torch.randn(50, 8, requires_grad=True)
    ref_hidden, ref_weight = torch.randn(64, 8), torch.randn(50, 8)
    monkeypatch.setattr("rectify.loss.CHUNK_LOGITS", 2 * chunk * 50)
    ours = token_kl(hidden, weight, ref_hidden, ref_weight)
    logp, ref = (hidden @ weight.T).log_softmax(-1), (ref_hidden @ ref_weight.T).softmax(-1)
    full = F.kl_div(logp, ref, reduction="none").sum(-1)  # as the released ASFT code calls it
    torch.testing.assert_close(ours, full)
    for mine, reference in zip(
        torch.autograd.grad(ours.sum(), (hidden, weight)),
        torch.autograd.grad(full.sum(), (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference)
    assert token_kl(hidden, weight, hidden, weight).abs().max() < 1e-6


def test_bf16_nll_is_computed_in_fp32():
    hidden, weight = torch.randn(16, 8).bfloat16(), torch.randn(50, 8).bfloat16()
    targets = torch.randint(50, (16,))
    exact = F.cross_entropy(F.linear(hidden, weight).float(), targets, reduction="none")
    assert token_nll(hidden, weight, targets).dtype == torch.float32
    torch.testing.assert_close(token_nll(hidden, weight, targets), exact, rtol=0, atol=0)


def test_denominator_of_each_accumulation_rule():
    micro, batch = torch.tensor(10), torch.tensor(80)
    assert denominator("token_mean", micro, batch) == 80
    assert denominator("sum_of_means", micro, batch) == 10


def test_ignored_is_torchs_own_convention():
    assert torch.nn.CrossEntropyLoss().ignore_index == IGNORED


@pytest.fixture
def step(model_folder, rows, tmp_path):
    """The trainer's loss and gradient on 8 rows: function of an objective, a model, a reference."""
    rewarded = rows.head(8).assign(reward=[0.0, 0.25, 1.0, 0.5, 0.0, 0.25, 0.1, 0.2])
    examples, _ = encode_rows(load_tokenizer(model_folder), "chat", rewarded, 128)
    batch = collate(examples)
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to="none")

    def loss_and_gradient(name, model, reference, **parameters):
        objective = load_objective(name, parameters)
        model = with_token_nll(copy.deepcopy(model))
        with torch.no_grad():
            ref_logp = -with_token_nll(copy.deepcopy(reference))(
                batch["input_ids"], batch["targets"]
            )
        trainer = WeightedTrainer(
            model,
            arguments,
            objective=objective,
            accumulation="token_mean",
            reference=frozen_copy(reference, shard=False)
            if parameters_of(objective).get("kl_weight")
            else None,
        )
        extra = {"ref_logp": ref_logp} if "ref_logp" in required(objective) else {}
        batches, tokens = trainer.get_batch_samples(iter([{**batch, **extra}]), 1, "cpu")
        loss = trainer.compute_loss(model, batches[0], num_items_in_batch=tokens)
        loss.backward()
        return loss.item(), {n: p.grad for n, p in model.named_parameters()}

    loss_and_gradient.batch = batch
    return loss_and_gradient


def near(model):
    """A copy of a model that has moved a little."""
    moved = copy.deepcopy(model)
    torch.manual_seed(7)
    with torch.no_grad():
        for parameter in moved.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return moved


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_trainers_gradient_is_the_objectives(name, step, model_folder):
    """From the rows to every weight's gradient, against autograd on full logits."""
    reference = load_model(model_folder, "fp32")
    model = near(reference)
    _, ours = step(name, model, reference, **FIXED.get(name, {}))
    tokens, targets = step.batch["input_ids"], step.batch["targets"]
    with torch.no_grad():
        ref_logits = reference(tokens).logits
    mask = targets != IGNORED
    logits = model(tokens).logits
    gradient_by_surrogate(name, logits, targets, mask, ref_logits, step.batch["reward"]).backward()
    for key, parameter in model.named_parameters():
        scale = parameter.grad.abs().max().item()
        torch.testing.assert_close(ours[key], parameter.grad, rtol=1e-3, atol=1e-4 * scale)


def test_asft_starts_as_dft(step, model_folder):
    """The model is its own reference: the KL and its gradient are 0."""
    model = load_model(model_folder, "fp32")
    (loss, ours), (dft, theirs) = (step(name, model, model) for name in ("asft", "dft"))
    assert loss == pytest.approx(dft, abs=1e-6)
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "loss_type"), [("dft", "dft"), ("sft", "nll")])
def test_trl_has_the_same_loss_and_gradient(name, loss_type, step, model_folder, rows, tmp_path):
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    reference = load_model(model_folder, "fp32")
    model = near(reference)
    loss, ours = step(name, model, reference)
    examples, _ = encode_rows(load_tokenizer(model_folder), "chat", rows.head(8), 128)
    data = [
        {
            "input_ids": example.prompt + example.response,
            "completion_mask": [0] * len(example.prompt) + [1] * len(example.response),
        }
        for example in examples
    ]
    trainer = SFTTrainer(
        model,
        SFTConfig(
            output_dir=str(tmp_path), loss_type=loss_type, use_cpu=True, report_to="none",
            bf16=False, gradient_checkpointing=False, per_device_train_batch_size=8,
            max_length=None, completion_only_loss=True,
        ),
        train_dataset=Dataset.from_pandas(pd.DataFrame(data)),
        processing_class=load_tokenizer(model_folder),
    )  # fmt: skip
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(8)])
    assert torch.equal(batch["labels"][:, 1:], step.batch["targets"])
    theirs = trainer.compute_loss(trainer.model, batch)
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=1e-6)
    for key, parameter in model.named_parameters():
        torch.testing.assert_close(ours[key], parameter.grad, rtol=0, atol=1e-6)
