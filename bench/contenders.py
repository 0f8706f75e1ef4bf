"""One contender of the training benches, in a process of its own: a step at a time, when asked.

    python -m bench.contenders SPEC

SPEC is JSON: kind and objective (see LOOPS), shape (a Qwen2 config), rows, batch, micro,
max_length, precision, checkpointing. After every step one line of JSON goes to standard output
(seconds, peak memory, padding share); the next begins when a line comes in, and the process ends
when standard input does. rectify.bench's parents read it with Worker.

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
        """The next report; raises RuntimeError if the process has ended."""
        for line in self.process.stdout:
            if line.startswith('{"seconds"'):
                return json.loads(line)
        raise RuntimeError(f"a contender failed (status {self.process.wait()}); see above")

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

    def __init__(self, model: Any, lengths: list[int], batch: int) -> None:
        import torch

        self.cuda = torch.cuda.is_available()
        self.torch, self.lengths, self.batch = torch, lengths, batch
        self.steps = self.processed = 0
        model.get_input_embeddings().register_forward_hook(self.count)
        self.started = time.perf_counter()

    def count(self, _: Any, arguments: tuple, __: Any) -> None:
        """Forward hook of the input embedding: every token that is processed goes through it."""
        self.processed += arguments[0].numel()

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
        rows = self.lengths[self.steps * self.batch : (self.steps + 1) * self.batch]
        report = {"seconds": seconds, "peak_mib": self.peak(), "tokens": sum(rows)}
        report["padding"] = padding_share(sum(rows), self.processed)
        print(json.dumps(report), flush=True)
        if not sys.stdin.readline():
            sys.stdout.flush()
            os._exit(0)  # a trainer has no other way out in the middle of a run
        self.steps, self.processed = self.steps + 1, 0
        self.started = time.perf_counter()


def padding_share(real: int, processed: int) -> float:
    """Share of the tokens processed that are no row's."""
    return 1 - real / processed


def build(spec: SimpleNamespace) -> Any:
    """A Qwen2 of the spec's shape with random weights, on the GPU where there is one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model("qwen2", bos_token_id=None, eos_token_id=0, **spec.shape)
    dtype = torch.bfloat16 if spec.precision == "bf16" else torch.float32
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        return AutoModelForCausalLM.from_config(config, dtype=dtype)


def ordered(spec: SimpleNamespace) -> list:
    """The rows in the order in which the training path takes them, each batch in any order."""
    from rectify.batches import order_examples

    rows = examples(spec.rows, spec.shape["vocab_size"], spec.max_length)
    return order_examples(rows, spec.rows // spec.batch, spec.batch, seed=0)


def rectify(spec: SimpleNamespace) -> None:
    """This project's training path, as rectify.train calls it."""
    from rectify.contract import load_objective
    from rectify.loss import with_token_nll
    from rectify.trainer import fit
    from transformers import TrainerCallback

    class Pass(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            gate.pass_through()

    model, rows = build(spec), ordered(spec)
    gate = Gate(model, [len(row) - 1 for row in rows], spec.batch)  # the last token is no input
    settings = SimpleNamespace(
        batch_size=spec.batch, micro_batch_size=spec.micro, learning_rate=1e-5,
        schedule="cosine", warmup_ratio=0.1, weight_decay=0.01, betas=(0.9, 0.95),
        max_grad_norm=1.0, accumulation="token_mean", precision=spec.precision, sharding="none",
        gradient_checkpointing=spec.checkpointing, save_every=STEPS, log_every=1,
    )  # fmt: skip
    # fit permutes the rows with this seed
    rows = examples(spec.rows, spec.shape["vocab_size"], spec.max_length)
    with tempfile.TemporaryDirectory() as folder:
        fit(
            with_token_nll(model), rows, load_objective(spec.objective), settings,
            steps=spec.rows // spec.batch, seed=0, state=Path(folder), callbacks=[Pass()],
        )  # fmt: skip


def trl(spec: SimpleNamespace) -> None:
    """TRL's SFTTrainer on the same rows; `tuned` groups rows by length and keeps activations."""
    import torch
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Pass(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            gate.pass_through()

    model, rows = build(spec), ordered(spec)
    gate = Gate(model, [len(row) for row in rows], spec.batch)
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
            use_liger_kernel=spec.tuned and liger(), learning_rate=1e-5, weight_decay=0.01,
            lr_scheduler_type="cosine", logging_steps=1, save_strategy="no", report_to="none",
            use_cpu=not torch.cuda.is_available(), disable_tqdm=True, seed=0,
            dataloader_pin_memory=torch.cuda.is_available(),
        )  # fmt: skip
        trainer = SFTTrainer(
            model, config, train_dataset=Dataset.from_dict(columns),
            processing_class=tokenizer, callbacks=[Pass()],
        )  # fmt: skip
        trainer.train()


def liger() -> bool:
    """Whether Liger's kernels are installed."""
    from importlib.util import find_spec

    return find_spec("liger_kernel") is not None


def plain(spec: SimpleNamespace) -> None:
    """A loop as one writes it: full logits, cross-entropy on the response, AdamW."""
    import torch
    from rectify.batches import collate
    from torch.nn import functional as F

    model, rows = build(spec), ordered(spec)
    gate = Gate(model, [len(row) - 1 for row in rows], spec.batch)
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


LOOPS = {"rectify": rectify, "trl": trl, "plain": plain}


def main() -> NoReturn:
    """Run the contender that the command line describes until its parent has seen enough."""
    spec = SimpleNamespace(**{"tuned": False, "sort": False, **json.loads(sys.argv[1])})
    LOOPS[spec.kind](spec)
    sys.exit("bench.contenders: the rows have run out")


if __name__ == "__main__":
    main()
