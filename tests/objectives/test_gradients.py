"""Every objective's gradient, from full logits and in the trainer, against autograd on functions
that have it, and against TRL.
"""

import copy

import pandas as pd
import pytest
import torch
from definition import DOUBLE, FIXED, loss_of, pick
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
from surrogates import gradient_by_surrogate
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
