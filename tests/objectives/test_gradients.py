"""Every objective's gradient, from full logits and in the trainer, against autograd on functions
that have it, and against TRL.
"""

import copy
import math
import statistics
from functools import partial

import pandas as pd
import pytest
import torch
from definition import DOUBLE, FIXED, given_of, loss_of, pick
from rectify.models.encoding import encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.built_in import OBJECTIVES
from rectify.objectives.inputs import DISTRIBUTION
from rectify.objectives.loss import IGNORED, with_token_nll
from rectify.objectives.signature import load_objective, parameters_of, required
from rectify.training.batches import collate
from rectify.training.reference_model import frozen_copy
from rectify.training.trainer import WeightedTrainer
from torch.nn import functional as F
from transformers import TrainingArguments


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
        "others": {"old_logp": -2 - torch.rand(4, 5, **DOUBLE), "uniform": torch.rand(4, 5)},
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
    """-(n / gamma) log sum_b r_b^gamma, and the KL term, linear in log p."""
    ratio = ((logp - ref_logp) * mask).sum(1)
    mode = -len(ratio) / 0.4 * (0.4 * ratio).exp().sum().log()
    return mode + 0.1 * (logp - ref_logp)[mask].sum()


def mode_seeking_linear_surrogate(logp, ref_logp, mask, **_):
    """1 - gamma of the likelihood, gamma of n log sum_b r_b."""
    ratio = ((logp - ref_logp) * mask).sum(1)
    return -0.6 * logp[mask].sum() - 0.4 * len(ratio) * ratio.exp().sum().log()


def mode_seeking_growing_surrogate(logp, ref_logp, mask, **_):
    """At half the training, where gamma is 0.3."""
    ratio = ((logp - ref_logp) * mask).sum(1)
    return -len(ratio) / 0.3 * (0.3 * ratio).exp().sum().log()


def by_sequence(rule):
    """-w log p with a weight for each sequence: `rule` of its response's floats, over the mean.

    rule(logp, ref_logp, old_logp, reward) of lists of floats gives g; then `bounds` may clip.
    """

    def surrogate(logp, ref_logp, old_logp, mask, reward, bounds=(0, math.inf), **_):
        raw = []
        for row, keep in enumerate(mask):
            lists = ((each[row][keep]).tolist() for each in (logp, ref_logp, old_logp))
            raw.append(rule(*lists, reward[row].item()))
        weight = [min(max(len(raw) * g / sum(raw), bounds[0]), bounds[1]) for g in raw]
        return -(torch.tensor(weight, dtype=logp.dtype)[:, None] * logp * mask).sum()

    return surrogate


def distance_rule(logp, ref_logp, *_):
    """A ratio to the power of 1 / (1 + distance / 2)."""
    distance = -sum(ref_logp) / len(ref_logp)
    return math.exp((sum(logp) - sum(ref_logp)) / (1 + distance / 2))


def pear_surrogate(logp, ref_logp, mask, **_):
    """Each token's sum by hand: from its pair's first token on, half as much a token later."""
    total = 0
    for row, keep in enumerate(mask):
        own = logp[row][keep]
        ratios = (own.detach() - ref_logp[row][keep]).tolist()
        for t, value in enumerate(own):
            start = t - t % 2
            rest = sum(0.5 ** (s - start) * ratios[s] for s in range(start, len(ratios)))
            total = total - math.exp(min(max(rest, -2), 2)) * value
    return total


def idft_surrogate(logp, mask, entropy, **_):
    """p^g / g, half of the way from 1 to the clipped exponent: progress 0.5 from 0.4 to 0.6."""
    exponent = torch.exp(-(logp.detach() + entropy) / 2).clamp(0.1, 2)
    g = (1 + exponent) / 2
    return -((g * logp).exp() / g)[mask].sum()


def cayley_surrogate(logp, p, mask, **_):
    """P^a / a, from half the mean probability of the batch."""
    detached = p.detach()
    floor = detached[mask].mean() / 2
    a = floor + (1 - floor) * (1 - (1 - detached)) / (1 + (1 - detached))
    return -((a * logp).exp() / a)[mask].sum()


def sed_surrogate(logp, p, mask, top_k_mass, **_):
    """The paper's loss, its penalty's constant included."""
    penalty = 0.2 * (p**2 - p + 0.25) * (top_k_mass < 0.7)
    return (-logp + penalty)[mask].sum()


def talr_surrogate(logp, mask, **_):
    """Tau p^(1 / tau) above the floor, floor log p below; tau the lower median."""
    means = sorted(-row[keep].mean().item() for row, keep in zip(logp, mask, strict=True))
    tau = means[(len(means) - 1) // 2]
    power = (logp / tau).exp()
    return -torch.where(power > 0.05, tau * power, 0.05 * logp)[mask].sum()


# functions of (logp, p, ref_logp, mask, reward, kl, and what is given beside them) whose plain
# gradient is N times the objective's
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
    "mode-seeking-linear": mode_seeking_linear_surrogate,
    "mode-seeking-clipped": partial(
        by_sequence(lambda logp, ref, *_: math.exp(0.4 * (sum(logp) - sum(ref)))),
        bounds=(0.8, 1.27),
    ),
    "mode-seeking-distance": by_sequence(distance_rule),
    "mode-seeking-growing": mode_seeking_growing_surrogate,
    # the integral of (1 - p)^2 / p
    "focal": lambda logp, p, mask, **_: -(logp - 2 * p + p**2 / 2)[mask].sum(),
    "reward-exponential": by_reward(lambda rewards: [math.exp(r / 0.5) for r in rewards]),
    "reward-power": by_reward(lambda rewards: [(r - min(rewards)) ** 0.5 for r in rewards]),
    "reward-top-k": by_reward(lambda rewards: [float(r >= 0.5) for r in rewards]),
    "reward-top-share": by_reward(
        lambda rewards: [float(r >= sorted(rewards)[-len(rewards) // 4]) for r in rewards]
    ),
    "reward-truncated": by_reward(lambda rewards: [math.exp(min(r, 0.3) / 0.5) for r in rewards]),
    "reward-advantage": by_reward(
        lambda rewards: [
            math.exp((r - statistics.mean(rewards)) / statistics.pstdev(rewards)) for r in rewards
        ]
    ),
    "reward-alpha": by_reward(lambda rewards: [math.sqrt(1 + 2 * r / 0.5) for r in rewards]),
    "reward-variational": by_sequence(
        lambda _, ref, old, reward: math.exp(reward / 0.5 + sum(old) - sum(ref))
    ),
    "asft": lambda p, mask, kl, **_: -p[mask].sum() + 0.05 * kl[mask].sum(),
    # Schulman's estimate of KL(p || p_ref) at the target
    "asft-target": lambda logp, p, ref_logp, mask, **_: (
        -p + 0.2 * ((ref_logp - logp).exp() - 1 - (ref_logp - logp))
    )[mask].sum(),
    "sft-kl": lambda logp, mask, kl, **_: -logp[mask].sum() + 0.05 * kl[mask].sum(),
    "dft+sft": lambda logp, p, mask, **_: -(0.3 * logp + 0.7 * p)[mask].sum(),
    "dft-power": lambda p, mask, **_: ((1 - p**3) / 3)[mask].sum(),
    "dft-sqrt": lambda p, mask, **_: -2 * p.sqrt()[mask].sum(),
    "dft-floor": lambda logp, p, mask, **_: -torch.where(p > 0.1, p, 0.1 * logp)[mask].sum(),
    "profit": lambda logp, p, mask, **_: -logp[mask & (p > 0.1)].sum(),
    "profit-lower": lambda logp, p, mask, **_: -logp[mask & (p < 0.1)].sum(),
    "profit-middle": lambda logp, p, mask, **_: -logp[mask & (p > 0.1) & (p < 0.9)].sum(),
    "profit-random": lambda logp, mask, uniform, **_: -logp[mask & (uniform > 0.1)].sum(),
    "trsft": lambda p, mask, **_: -(p / p.detach().clamp(min=0.1))[mask].sum(),
    "gft": lambda logp, p, mask, **_: -torch.where(p > 0.5, logp, p)[mask].sum(),
    "chord": lambda p, mask, **_: -(p - p**2 / 2)[mask].sum(),
    "eaft": lambda logp, mask, entropy_top_k, **_: -((entropy_top_k / 3) ** 1.5 * logp)[mask].sum(),
    "idft": idft_surrogate,
    "deft": lambda logp, mask, concentration, **_: (
        -((concentration * logp).exp() / concentration)[mask].sum()
    ),
    "deft-cayley": cayley_surrogate,
    "sed-sft": sed_surrogate,
    "talr": talr_surrogate,
    "prift": lambda logp, ref_logp, mask, **_: -(ref_logp.exp() * logp)[mask].sum(),
    "prift-mass": lambda logp, mask, ref_mass, **_: -logp[mask & (ref_mass >= 0.5)].sum(),
    "psft": lambda logp, old_logp, mask, **_: -(logp - old_logp).exp().clamp(max=1.28)[mask].sum(),
    "pear": pear_surrogate,
}


def gradient_by_surrogate(name, logits, targets, mask, ref_logits, reward, others):
    """The gradient that an objective has to have, by autograd on its surrogate."""
    logp = pick(logits.log_softmax(-1), targets)
    ref_logp = pick(ref_logits.log_softmax(-1), targets)
    kl = kl_of(logits, ref_logits)
    given = given_of(name, logits, targets, ref_logits, others, **FIXED.get(name, {}))
    given |= {"logp": logp, "p": logp.exp(), "ref_logp": ref_logp, "kl": kl}
    value = SURROGATES[name](**given, mask=mask, reward=reward)
    return value / mask.sum()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_is_that_of_the_function_that_the_weight_comes_from(name, batch):
    loss = loss_of(name, **batch, **FIXED.get(name, {}))
    surrogate = gradient_by_surrogate(name, **batch)
    ours, theirs = (torch.autograd.grad(each, batch["logits"])[0] for each in (loss, surrogate))
    assert ours.abs().max() > 1e-6
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


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


@pytest.fixture
def step(model_folder, rows, tmp_path):
    """The trainer's loss and gradient on 8 rows: function of an objective, a model, a reference."""
    rewarded = rows.head(8).assign(reward=[0.0, 0.25, 1.0, 0.5, 0.0, 0.25, 0.1, 0.2])
    examples, _ = encode_rows(load_tokenizer(model_folder), "chat", rewarded, 128)
    batch = collate(examples)
    arguments = TrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, report_to="none", max_steps=16
    )
    uniform = torch.rand(batch["targets"].shape)

    def loss_and_gradient(name, model, reference, **parameters):
        objective = load_objective(name, parameters)
        model = with_token_nll(copy.deepcopy(model))
        names, k = sorted(DISTRIBUTION), parameters_of(objective).get("k", 1)
        with torch.no_grad():
            nll, found = with_token_nll(copy.deepcopy(reference))(
                batch["input_ids"], batch["targets"], scalars=names, k=k
            )
        known = {"ref_logp": -nll, "behaviour_logp": -nll, "uniform": uniform}
        known |= {f"ref_{name}": values for name, values in found.items()}
        trainer = WeightedTrainer(
            model,
            arguments,
            objective=objective,
            accumulation="token_mean",
            reference=frozen_copy(reference, shard=False)
            if parameters_of(objective).get("kl_weight")
            else None,
            fixed={"train_reward": batch["reward"].flatten()},
        )
        trainer.state.global_step = 8
        extra = {name: values for name, values in known.items() if name in required(objective)}
        batches, tokens = trainer.get_batch_samples(iter([{**batch, **extra}]), 1, "cpu")
        loss = trainer.compute_loss(model, batches[0], num_items_in_batch=tokens)
        loss.backward()
        return loss.item(), {n: p.grad for n, p in model.named_parameters()}

    loss_and_gradient.batch = batch
    loss_and_gradient.uniform = uniform
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
    own = pick(logits.detach().log_softmax(-1), targets)  # the old weights, at a batch's start
    others = {"old_logp": own, "uniform": step.uniform}
    reward = step.batch["reward"]
    gradient_by_surrogate(name, logits, targets, mask, ref_logits, reward, others).backward()
    for key, parameter in model.named_parameters():
        scale = parameter.grad.abs().max().item()
        torch.testing.assert_close(ours[key], parameter.grad, rtol=1e-3, atol=1e-4 * scale)


def assert_same(ours, theirs):
    """Equality of two fp32 gradients of one tensor, to 1e-6 of its largest entry."""
    scale = theirs.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6 * scale)


def test_asft_starts_as_dft(step, model_folder):
    """The model is its own reference: the KL and its gradient are 0."""
    model = load_model(model_folder, "fp32")
    (loss, ours), (dft, theirs) = (step(name, model, model) for name in ("asft", "dft"))
    assert loss == pytest.approx(dft, abs=1e-6)
    for name, gradient in theirs.items():
        assert_same(ours[name], gradient)


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
        assert_same(ours[key], parameter.grad)
