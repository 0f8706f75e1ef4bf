"""One contender of the training benches, in a process of its own: a step at a time, when asked.

    python -m bench.contenders SPEC

SPEC is JSON: kind and objective (see LOOPS), shape (a Qwen2 config), rows, batch, micro,
max_length, precision, checkpointing. After every step one line of JSON goes to standard output
(seconds, peak memory, padding share); the next begins when a line comes in, and the process ends
when standard input does; its parent talks to it by Worker.

The contenders `rectify` and `plain` import nothing but torch, transformers and rectify's training
path; `trl` needs TRL.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from bench.common import ROOT, environment
from bench.rows import examples

STEPS = 10_000  # of the learning-rate schedule; none is ever reached
TOO_LARGE = 3  # exit status of a contender that ran out of the GPU's memory


class OutOfMemoryError(RuntimeError):
    """A contender does not fit the GPU."""


class Worker:
    """A contender's process, seen from its parent."""

    def __init__(self, spec: dict[str, Any]) -> None:
        """Start it and wait for its first step, which warms it up."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.contenders", json.dumps(spec)],
            cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.report = self.read()

    def read(self) -> dict[str, float]:
        """The next report; raises RuntimeError if the process has ended, and why if known."""
        for line in self.process.stdout:
            if line.startswith('{"seconds"'):
                return json.loads(line)
        if (status := self.process.wait()) == TOO_LARGE:
            raise OutOfMemoryError("out of the GPU's memory")
        raise RuntimeError(f"a contender failed (status {status}); see above")

    def step(self) -> float:
        """Seconds of one more step."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.report = self.read()
        return self.report["seconds"]

    def close(self) -> None:
        """End it."""
        self.process.stdin.close()
        self.process.wait()


class Gate:
    """Between a contender's steps: reports the last, waits for leave to take the next."""

    def __init__(self, model: Any) -> None:
        """Count what goes through the model's input embedding; a step begins now."""
        import torch

        self.torch, self.cuda = torch, torch.cuda.is_available()
        self.extra: dict[str, float] = {}
        self.begin()
        model.get_input_embeddings().register_forward_hook(self.count)

    def begin(self) -> None:
        """Begin a step."""
        self.processed, self.lengths = 0, []
        self.started, self.cpu = time.perf_counter(), time.process_time()

    def count(self, _: Any, arguments: tuple, __: Any) -> None:
        """Forward hook: no row has a token 0, with which all contenders pad."""
        ids = arguments[0]
        self.processed += ids.numel()
        self.lengths.append((ids != 0).sum(dim=1))

    def peak(self) -> float:
        """Peak memory in MiB: the GPU's where there is one, else the process's."""
        if self.cuda:
            return self.torch.cuda.max_memory_allocated() / 2**20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def pass_through(self) -> None:
        """Called at the end of each step."""
        if self.cuda:
            self.torch.cuda.synchronize()
        seconds = time.perf_counter() - self.started
        lengths = self.torch.cat(self.lengths)
        report = {
            "seconds": seconds,
            "cpu_s": time.process_time() - self.cpu,
            "peak_mib": self.peak(),
            "tokens": int(lengths.sum()),
            "squares": int(lengths.square().sum()),
            "padding": padding_share(int(lengths.sum()), self.processed),
            **self.extra,
        }
        print(json.dumps(report), flush=True)
        if not sys.stdin.readline():
            os._exit(0)  # a trainer has no other way out in the middle of a run
        self.begin()


def padding_share(real: int, processed: int) -> float:
    """Share of the tokens processed that are no row's."""
    return 1 - real / processed


def build(spec: SimpleNamespace) -> Any:
    """A Qwen2, or the shape's model_type, with random weights, on the GPU where there is one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    shape = {"model_type": "qwen2", **spec.shape}
    config = AutoConfig.for_model(bos_token_id=None, eos_token_id=0, **shape)
    dtype = torch.bfloat16 if spec.precision == "bf16" else torch.float32
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        return AutoModelForCausalLM.from_config(config, dtype=dtype)


def ordered(spec: SimpleNamespace) -> list:
    """The rows in the order in which the training path takes them, each batch in any order."""
    from rectify.training.batches import order_examples

    rows = examples(spec.rows, spec.shape["vocab_size"], spec.max_length, spec.full)
    return order_examples(rows, spec.rows // spec.batch, spec.batch, seed=0)


def rectify(spec: SimpleNamespace) -> None:
    """This project's training path, as rectify train calls it."""
    from rectify.objectives.loss import with_token_nll
    from rectify.objectives.signature import load_objective
    from rectify.training.trainer import fit
    from transformers import TrainerCallback

    from bench.kernels import Profile

    class Pass(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            gate.pass_through()

    model = build(spec)
    gate = Gate(model)
    callbacks = [Profile(gate.extra), Pass()] if spec.profile else [Pass()]
    if spec.reference:
        time_reference(spec, gate)
    settings = SimpleNamespace(
        **DEFAULT_TRAINING, batch_size=spec.batch, micro_batch_size=spec.micro, learning_rate=1e-5,
        precision=spec.precision, gradient_checkpointing=spec.checkpointing, save_every=STEPS,
    )  # fmt: skip
    rows = examples(spec.rows, spec.shape["vocab_size"], spec.max_length, spec.full)
    with tempfile.TemporaryDirectory() as folder:
        fit(
            with_token_nll(model), rows, load_objective(spec.objective), settings,
            steps=spec.rows // spec.batch, seed=0, state=Path(folder), callbacks=callbacks,
        )  # fmt: skip


def time_reference(spec: SimpleNamespace, gate: Gate) -> None:
    """Have the training path compute reference log-probs `once`, timed, or at `each` step."""
    import torch
    from rectify.objectives.loss import with_token_nll
    from rectify.training import trainer

    class AtEachStep(trainer.WeightedTrainer):
        frozen = None

        def compute_loss(self, model: Any, inputs: dict, *others: Any, **named: Any) -> Any:
            self.frozen = self.frozen or with_token_nll(build(spec)).requires_grad_(False)
            with torch.no_grad():
                inputs["ref_logp"] = -self.frozen(inputs["input_ids"], inputs["targets"])
            return super().compute_loss(model, inputs, *others, **named)

    once = trainer.with_reference

    def timed(*arguments: Any) -> list:
        started = time.perf_counter()
        found = once(*arguments)  # ends with all values on the CPU
        gate.extra["reference_s"] = (time.perf_counter() - started) * spec.batch / spec.rows
        gate.begin()
        return found

    if spec.reference == "once":
        trainer.with_reference = timed
    else:
        trainer.with_reference = lambda model, batches, *_: batches
        trainer.WeightedTrainer = AtEachStep


def trl(spec: SimpleNamespace) -> None:
    """TRL's SFTTrainer on the same rows; `tuned` groups by length, `liger` takes its kernels."""
    import torch
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Pass(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            gate.pass_through()

    model, rows = build(spec), ordered(spec)
    gate = Gate(model)
    words = Tokenizer(models.WordLevel({"<eos>": 0, "<unk>": 1}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<eos>", pad_token="<eos>"
    )
    columns = {
        "input_ids": [row.prompt + row.response for row in rows],
        "completion_mask": [[0] * len(r.prompt) + [1] * len(r.response) for r in rows],
    }
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder, loss_type=spec.objective, max_length=spec.max_length,
            per_device_train_batch_size=spec.micro,
            gradient_accumulation_steps=spec.batch // spec.micro,
            gradient_checkpointing=spec.checkpointing, bf16=spec.precision != "fp32",
            train_sampling_strategy="group_by_length" if spec.tuned else "sequential",
            use_liger_kernel=spec.liger, learning_rate=1e-5, weight_decay=0.01,
            lr_scheduler_type="cosine", logging_steps=1, save_strategy="no", report_to="none",
            use_cpu=not torch.cuda.is_available(), disable_tqdm=True, seed=0,
            dataloader_pin_memory=torch.cuda.is_available(),
        )  # fmt: skip
        trainer = SFTTrainer(
            model, config, train_dataset=Dataset.from_dict(columns),
            processing_class=tokenizer, callbacks=[Pass()],
        )  # fmt: skip
        trainer.train()


def plain(spec: SimpleNamespace) -> None:
    """A loop as one writes it: full logits, cross-entropy on the response, AdamW."""
    import torch
    from rectify.training.batches import collate
    from torch.nn import functional as F

    model, rows = build(spec), ordered(spec)
    gate = Gate(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.01)
    for start in range(0, len(rows), spec.batch):
        batch = rows[start : start + spec.batch]
        if spec.sort:
            batch = sorted(batch, key=len, reverse=True)
        tokens = sum(len(row.response) for row in batch)
        for first in range(0, len(batch), spec.micro):
            inputs = collate(batch[first : first + spec.micro])
            inputs = {key: value.to(model.device) for key, value in inputs.items()}
            logits = model(inputs["input_ids"], use_cache=False).logits
            targets = inputs["targets"].flatten()
            nll = F.cross_entropy(logits.flatten(0, 1).float(), targets, reduction="none")
            weight = nll.detach().neg().exp() if spec.objective == "dft" else 1
            ((weight * nll).sum() / tokens).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        gate.pass_through()


DEFAULT_TRAINING = {  # a study's
    "schedule": "cosine", "warmup_ratio": 0.1, "weight_decay": 0.01, "betas": (0.9, 0.95),
    "max_grad_norm": 1.0, "accumulation": "token_mean", "micro_batches": "least_padding",
    "sharding": "none", "log_every": 1,
}  # fmt: skip
DEFAULTS = {"tuned": False, "liger": False, "sort": False, "full": False, "reference": None,
            "profile": False}  # fmt: skip
LOOPS = {"rectify": rectify, "trl": trl, "plain": plain}


def main() -> NoReturn:
    """Run the contender that the command line describes until its parent has seen enough."""
    import torch

    spec = SimpleNamespace(**DEFAULTS | json.loads(sys.argv[1]))
    try:
        LOOPS[spec.kind](spec)
    except torch.OutOfMemoryError as error:
        print(error, file=sys.stderr)
        sys.exit(TOO_LARGE)
    sys.exit("bench.contenders: the rows have run out")


if __name__ == "__main__":
    main()
