"""Each objective's loss and gradient in bf16, where this runs, against fp32 on the CPU.

    python -m bench.precision FILE OBJECTIVE ...    # the fp32 values, which gpu_check asks for

A small model whose weights bf16 holds exactly, a reference a little off it, 8 rows; through the
trainer's own loss. The errors are |loss - loss32| / |loss32| and the norm of the gradients'
difference over the norm, all weights together; `bf16` and `bf16-mixed` are what a study's
`precision` can be. The head's logits are cut into several chunks, in fp32 they are one.
"""

from __future__ import annotations

import copy
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from rectify.models.encoding import Example
from rectify.objectives import chunked, loss
from rectify.objectives.signature import load_objective, parameters_of, required
from rectify.training.batches import collate
from rectify.training.distributed import processes
from rectify.training.reference_model import frozen_copy
from rectify.training.trainer import WeightedTrainer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, TrainingArguments

from bench.common import ROOT, environment

ALLOWED = 1e-2
SHAPE = {
    "vocab_size": 2048,
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "tie_word_embeddings": True,
}
MOVED = 0.005  # standard deviation of what the weights are off the reference's
CHUNK = 2**16  # logits: 32 tokens
REWARDS = (0.0, 0.25, 1.0, 0.5, 0.0, 0.25, 0.1, 0.2)
FIXED = {
    "mode-seeking": {"gamma": 0.4, "kl_coef": 0.1},
    "reward-exponential": {"beta": 0.5},
    "reward-power": {"beta": 2.0},
    "reward-top-k": {"k": 2},
    "profit": {"threshold": 0.0},
    "profit-lower": {"threshold": 1.0},
    "profit-middle": {"low": 0.0},
    "prift-mass": {"threshold": 0.0},
    "dft-power": {"q": 2.0},
}  # parameters where neither a sample size nor a threshold decides: rounding must not


def models() -> tuple[nn.Module, nn.Module]:
    """The model and its reference, on the CPU in fp32."""
    torch.manual_seed(0)
    config = AutoConfig.for_model("qwen2", bos_token_id=None, eos_token_id=0, **SHAPE)
    reference = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model = copy.deepcopy(reference)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(MOVED * torch.randn_like(parameter))
    return tuple(each.to(torch.bfloat16).to(torch.float32) for each in (model, reference))


def rows() -> dict[str, Tensor]:
    """The batch: input_ids, targets [8, T], reward [8, 1]."""
    source = random.Random(0)

    def ids(most: int) -> list[int]:
        return [source.randrange(3, SHAPE["vocab_size"]) for _ in range(source.randint(4, most))]

    return collate([Example(ids(64), ids(16), reward=reward) for reward in REWARDS])


def loss_and_gradient(
    name: str, precision: str, known: dict[str, Tensor], folder: str
) -> tuple[float, Tensor]:
    """An objective's loss and its gradient, all weights in a row, on the CPU in fp32.

    known: ref_logp and what else is known of the tokens before training, [8, T], by name.
    """
    objective = load_objective(name, FIXED.get(name, {}))
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model, reference = (each.to(dtype) for each in models())
    arguments = TrainingArguments(
        output_dir=folder, use_cpu=not torch.cuda.is_available(), report_to="none",
        bf16=precision == "bf16-mixed",
    )  # fmt: skip
    anchored = parameters_of(objective).get("kl_weight")
    trainer = WeightedTrainer(
        loss.with_token_nll(model), arguments, objective=objective, accumulation="token_mean",
        reference=frozen_copy(reference, shard=False) if anchored else None,
        fixed={"train_reward": torch.tensor(REWARDS)},
    )  # fmt: skip
    trainer.model_wrapped = trainer.accelerator.prepare(model)
    needs = required(objective)
    batch = rows() | {key: values for key, values in known.items() if key in needs}
    device = processes().device
    (batch,), tokens = trainer.get_batch_samples(iter([batch]), 1, device)
    batch = {key: value.to(device) for key, value in batch.items()}
    found = trainer.compute_loss(trainer.model_wrapped, batch, num_items_in_batch=tokens)
    found.backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    return found.item(), gradient.float().cpu()


def errors(found: tuple[float, Tensor], expected: tuple[float, Tensor]) -> tuple[float, float]:
    """Relative errors of a loss and of a gradient; what is not finite is infinitely wrong."""
    of_loss = abs(found[0] - expected[0]) / abs(expected[0])
    of_gradient = ((found[1] - expected[1]).norm() / expected[1].norm()).item()
    return tuple(each if each < float("inf") else float("inf") for each in (of_loss, of_gradient))


def compared(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A row for each objective; `holds` if all four errors are at most ALLOWED."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fp32.pt"
        command = [sys.executable, "-m", "bench.precision", str(file), *names]
        subprocess.run(command, cwd=ROOT, env=environment(CUDA_VISIBLE_DEVICES=""), check=True)
        expected = torch.load(file)
        chunked.CHUNK_LOGITS = dict.fromkeys(chunked.CHUNK_LOGITS, CHUNK)
        for name in names:
            row = {"objective": name, "fp32_loss": expected[name][0]}
            for precision in ("bf16", "bf16-mixed"):
                found = loss_and_gradient(name, precision, expected["known"], folder)
                of_loss, of_gradient = errors(found, expected[name])
                row |= {f"{precision} loss": of_loss, f"{precision} gradient": of_gradient}
            wrong = [row[key] for key in row if key.startswith("bf16")]
            yield row | {"holds": "yes" if max(wrong) <= ALLOWED else "no"}


def main(file: str, *names: str) -> None:
    """Write the objectives' fp32 values, and what is known of the tokens, to a file."""
    batch, reference = rows(), loss.with_token_nll(models()[1])
    with torch.no_grad():
        nll, scalars = reference(batch["input_ids"], batch["targets"], scalars=["mass"])
    known = {"ref_logp": -nll, "ref_mass": scalars["mass"], "behaviour_logp": -nll}
    known["uniform"] = torch.linspace(0, 1, nll.numel()).reshape(nll.shape)
    with tempfile.TemporaryDirectory() as folder:
        found = {name: loss_and_gradient(name, "fp32", known, folder) for name in names}
    torch.save({"known": known, **found}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
