"""Proximal policy optimisation (arXiv 1707.06347) with the grader as reward.

    rectify ppo --settings SETTINGS --rows questions.parquet --model FOLDER --out FOLDER

SETTINGS is a file of JSON: the keys of a study's `training` block, `seed`, `prompt` (a
prompt style) and `ppo` (rectify.study.rl). A step draws an answer to each of batch_size
questions (columns problem_id, problem, answer), has them graded, and then updates policy and critic
`mini_batches` times in each of `epochs` passes over the answers. micro_batch_size counts answers.
The frozen reference is the model in --model. Output, resume and stop are those of rectify train.
One process: answers, policy, critic and reference share one device.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch
from torch import nn
from transformers import PreTrainedTokenizerFast

from rectify.models.encoding import Example
from rectify.models.folder import load_model
from rectify.models.stops import stop_token_ids
from rectify.models.tokenizer import load_tokenizer
from rectify.objectives.loss import IGNORED
from rectify.rl.actor_critic import Batch, Run, take, token_logp
from rectify.rl.ppo_loss import (
    advantages_and_returns,
    policy_loss,
    token_rewards,
    value_loss,
    whiten,
)
from rectify.rl.questions import QUESTIONS, Question, train_on_answers
from rectify.rl.rewards import Reward, score
from rectify.rl.rollout import draw
from rectify.step.command import Settings
from rectify.step.errors import StepError, Stopped
from rectify.step.files import remove, replacing, write_text
from rectify.training.batches import collate, order_examples
from rectify.training.callbacks import COMPLETE, Stopper, all_finite, not_finite
from rectify.training.checkpoints import finish_run, last_checkpoint
from rectify.training.distributed import processes
from rectify.training.run import count_steps, training_parser


@torch.no_grad()
def roll_out(
    run: Run,
    tokenizer: PreTrainedTokenizerFast,
    questions: Sequence[Question],
    reward: Reward,
    seed: int,
) -> tuple[Batch, dict[str, float]]:
    """Answers of the policy as it is, with their advantages and returns; and columns of the log."""
    with run.autocast():
        answers = draw(
            run.policy,
            [question.prompt for question in questions],
            stop_token_ids(tokenizer),
            max_new_tokens=run.ppo.max_new_tokens,
            temperature=run.ppo.temperature,
            seed=seed,
        )
    scores = score(tokenizer, [question.gold for question in questions], answers, reward)
    pairs = zip(questions, answers, strict=True)
    batch = collate([Example(question.prompt, answer) for question, answer in pairs])
    batch = {name: value.to(run.device) for name, value in batch.items()}
    batch["mask"] = mask = batch["targets"] != IGNORED
    kinds = {
        "logp": lambda part: token_logp(run.policy, part, run.ppo.temperature),
        "ref_logp": lambda part: token_logp(run.reference, part, run.ppo.temperature),
        "values": lambda part: run.critic(part["input_ids"]) * part["mask"],
    }
    found = {name: torch.zeros(mask.shape, device=run.device) for name in kinds}
    with run.autocast():
        for rows in run.micro_batches(torch.arange(len(answers), device=run.device)):
            part = take(batch, rows)
            for name, compute in kinds.items():
                found[name][rows, : part["mask"].shape[1]] = compute(part)
    batch |= found
    scores = torch.tensor(scores, device=run.device)
    rewards = token_rewards(scores, batch["logp"], batch["ref_logp"], mask, run.ppo.kl)
    advantages, batch["returns"] = advantages_and_returns(
        rewards, batch["values"], mask, run.ppo.gamma, run.ppo.lam
    )
    batch["advantages"] = whiten(advantages, mask)
    spread = batch["returns"][mask].var()
    return batch, {
        "reward": scores.mean().item(),
        "kl": (batch["logp"] - batch["ref_logp"])[mask].mean().item(),
        "value_explained": (1 - advantages[mask].var() / spread).item() if spread > 0 else 0.0,
        "tokens_per_answer": mask.sum().item() / len(answers),
    }


def update(run: Run, batch: Batch, seed: int, step: int, state: Path) -> dict[str, float]:
    """All updates of one step; columns of the log. Raises StepError on a gradient not finite."""
    generator = torch.Generator().manual_seed(seed)
    sums = {"loss": 0.0, "value_loss": 0.0, "clipped": 0.0, "grad_norm": 0.0}
    size = run.settings.batch_size // run.ppo.mini_batches
    for _ in range(run.ppo.epochs):
        order = torch.randperm(len(batch["mask"]), generator=generator).to(run.device)
        for mini in order.split(size):
            tokens = batch["mask"][mini].sum()
            for rows in run.micro_batches(mini):
                part = take(batch, rows)
                mask, old = part["mask"], part["logp"]
                with run.autocast():
                    logp = token_logp(run.policy, part, run.ppo.temperature)
                    values = run.critic(part["input_ids"])
                policy = policy_loss(logp, old, part["advantages"], run.ppo.clip)
                value = value_loss(values, part["values"], part["returns"], run.ppo.value_clip)
                losses = [loss[mask].sum() / tokens for loss in (policy, value)]
                sum(losses).backward()
                sums["loss"] += losses[0].item()
                sums["value_loss"] += losses[1].item()
                outside = ((logp - old).exp() - 1).abs() > run.ppo.clip
                sums["clipped"] += (outside[mask].sum() / tokens).item()
            norms = [
                nn.utils.clip_grad_norm_(network.parameters(), run.settings.max_grad_norm)
                for network in (run.policy, run.critic)
            ]
            if not all_finite(norms):
                raise not_finite("gradient", step, str(state))
            sums["grad_norm"] += norms[0].item()
            run.optimiser.step()
            run.optimiser.zero_grad()
    updates = run.ppo.epochs * run.ppo.mini_batches
    rate = run.scheduler.get_last_lr()[0]
    run.scheduler.step()
    return {name: total / updates for name, total in sums.items()} | {"learning_rate": rate}


def save(run: Run, state: Path, step: int, log: list[dict]) -> None:
    """Write a checkpoint; the last two are kept. Raises StepError if the policy is not finite."""
    if not all_finite(run.policy.parameters()):
        raise not_finite("model", step, str(state))
    with replacing(state / f"checkpoint-{step}") as folder:
        folder.mkdir()
        held = {name: part.state_dict() for name, part in run.parts().items()}
        torch.save({**held, "step": step, "log": log}, folder / "run.pt")
        (folder / COMPLETE).touch()
    old = sorted(state.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))[:-2]
    for folder in old:
        remove(folder)


def resume(run: Run, state: Path) -> tuple[int, list[dict]]:
    """Take up the last complete checkpoint, if any: steps done, and the rows of the log."""
    folder = last_checkpoint(state)
    if folder is None:
        return 0, []
    print(f"resuming from {folder}", flush=True)
    held = torch.load(folder / "run.pt", map_location=run.device, weights_only=True)
    for name, part in run.parts().items():
        part.load_state_dict(held[name])
    return held["step"], held["log"]


def train(
    folder: Path,
    questions: Sequence[Question],
    settings: SimpleNamespace,
    out: Path,
    state: Path,
    reward: Reward,
    tensorboard: Path | None = None,
) -> None:
    """Train the model in `folder` on the questions and write the model folder `out`.

    `settings` as `main` reads them. Raises StepError, naming the step, if a gradient is not finite,
    and Stopped after a SIGTERM.
    """
    if processes().num_processes > 1:
        raise StepError("rectify ppo runs in one process; start it with one, on one GPU")
    steps = count_steps(settings, len(questions))
    parts = Settings(**settings.ppo).mini_batches
    if settings.batch_size % parts:
        raise StepError(
            f"ppo.mini_batches {parts} does not divide training.batch_size {settings.batch_size}"
        )
    tokenizer = load_tokenizer(folder)
    run = Run(load_model(folder, settings.precision), settings, steps)
    size = settings.batch_size
    ordered = order_examples(questions, steps, size, settings.seed)
    done, log = resume(run, state)
    stopper = Stopper()
    for step in range(done + 1, steps + 1):
        start, seed = time.perf_counter(), settings.seed * 1_000_003 + step
        asked = ordered[(step - 1) * size : step * size]
        batch, row = roll_out(run, tokenizer, asked, reward, seed)
        row = {"step": step, **row, **update(run, batch, seed, step, state)}
        if step % settings.log_every == 0 or step == steps:
            log.append({**row, "seconds": time.perf_counter() - start})
            write_log(log, state, tensorboard)
        if step % settings.save_every == 0 or stopper.asked or step == steps:
            save(run, state, step, log)
        if stopper.asked and step < steps:
            raise Stopped(f"SIGTERM: stopped at step {step}; run again to resume")
    finish_run(run.policy, folder, out, state)


def write_log(log: list[dict], state: Path, tensorboard: Path | None) -> None:
    """The whole log as CSV, and its last row as TensorBoard events."""
    write_text(state / "train.csv", pd.DataFrame(log).to_csv(index=False))
    if tensorboard:
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(tensorboard)) as writer:
            for name, value in itertools.islice(log[-1].items(), 1, None):
                writer.add_scalar(f"train/{name}", value, log[-1]["step"])


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    train_on_answers("ppo", train, arguments)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    return training_parser("ppo", __doc__, QUESTIONS)
