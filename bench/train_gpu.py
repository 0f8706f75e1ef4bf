"""A training step on a GPU, in the shape of Qwen2.5-Math-1.5B: rectify against TRL's SFTTrainer.

    python -m bench.train_gpu

Random weights, all of it bf16, batches of 256 rows of up to 2,048 tokens by accumulation, one
contender after the other, each a process of its own. `of_matrix_rate` is model FLOPs (see
model_flops) over the rate that a product of two 8192 x 8192 bf16 matrices reaches in this run.
iw-SFT is measured with the reference's log-probs computed once (`reference_s` is that pass's share
of a step, in one epoch) and with a pass at each step. TRL is left out where it is not installed.

Imports nothing but torch, transformers, numpy, pandas and rectify's training path; with no GPU it
says so and ends. DATA names a folder with math_train.jsonl.
"""

from __future__ import annotations

import argparse
import statistics
import time
from importlib.util import find_spec
from typing import Any

from bench.common import parser, publish
from bench.contenders import Worker
from bench.rows import lengths

SHAPE = {
    "vocab_size": 151_936,
    "hidden_size": 1536,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "intermediate_size": 8960,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
}
OURS: dict[str, dict[str, Any]] = {
    "rectify, sft": {"objective": "sft"},
    "rectify, dft": {"objective": "dft"},
    "rectify, iw-sft, reference once": {"objective": "iw-sft", "reference": "once"},
    "rectify, iw-sft, reference each step": {"objective": "iw-sft", "reference": "each"},
}
THEIRS: dict[str, dict[str, Any]] = {
    "TRL, nll, defaults": {"objective": "nll", "micro": 8, "checkpointing": True},
    "TRL, nll, tuned": {"objective": "nll", "tuned": True},
    "TRL, dft, tuned": {"objective": "dft", "tuned": True},
}


def parameters(shape: dict[str, int]) -> int:
    """Weights of a Qwen2 with tied embeddings, norms and biases left out."""
    hidden, heads = shape["hidden_size"], shape["num_attention_heads"]
    keys = 2 * hidden * hidden * shape["num_key_value_heads"] // heads
    layer = 2 * hidden * hidden + keys + 3 * hidden * shape["intermediate_size"]
    return shape["num_hidden_layers"] * layer + shape["vocab_size"] * hidden


def model_flops(shape: dict[str, int], tokens: int, squares: int) -> int:
    """Floating-point operations of a training step, forward and backward, nothing counted twice.

    6 per weight and token, and 6 L d T^2 for causal attention in a row of T tokens (two products
    of 2 T^2 d forward, twice that backward, the masked half left out); `squares` sums T^2 over the
    rows. The head is counted on every token, padding on none.
    """
    attention = 6 * shape["num_hidden_layers"] * shape["hidden_size"] * squares
    return 6 * parameters(shape) * tokens + attention


def matrix_rate(size: int = 8192, repeats: int = 20) -> float:
    """FLOP/s of a product of two bf16 matrices of normal random numbers, the best of `repeats`."""
    import torch

    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(repeats):
        torch.cuda.synchronize()
        started = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def measure(spec: dict[str, Any], steps: int, rate: float) -> dict[str, Any]:
    """A contender's row: `steps` steps after one to warm up."""
    worker = Worker(spec)
    seconds, per_token, used = [], [], []
    for _ in range(steps):
        seconds.append(worker.step() + worker.report.get("reference_s", 0))
        tokens = worker.report["tokens"]
        per_token.append(seconds[-1] / tokens)
        used.append(model_flops(SHAPE, tokens, worker.report["squares"]) / seconds[-1] / rate)
    worker.close()
    return {
        "best_s": min(seconds),
        "median_s": statistics.median(seconds),
        "tokens_per_s": 1 / statistics.median(per_token),
        "peak_gib": worker.report["peak_mib"] / 1024,
        "padding_percent": 100 * worker.report["padding"],
        "of_matrix_rate": statistics.median(used),
        "reference_s": worker.report.get("reference_s"),
    }


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    import torch

    if not torch.cuda.is_available():
        print("bench.train_gpu: no GPU here; nothing was measured")
        return
    steps = 1 if arguments.quick else 4
    size = {"batch": 256, "micro": 16, "max_length": 2048, "rows": 256 * (steps + 1)}
    common = {"shape": SHAPE, "precision": "bf16", "checkpointing": False, **size}
    rate = matrix_rate()
    torch.cuda.empty_cache()
    contenders = {name: {"kind": "rectify", **spec} for name, spec in OURS.items()}
    if find_spec("trl"):
        contenders |= {name: {"kind": "trl", **spec} for name, spec in THEIRS.items()}
    else:
        print("TRL is not installed: rectify alone")
    rows = []
    for name, spec in contenders.items():
        try:
            found = measure({**common, **spec}, steps, rate)
        except RuntimeError as error:  # out of memory, most likely: the others can still be had
            found = {"failed": str(error)}
        rows.append({"contender": name, **found})
        print(rows[-1], flush=True)
    publish(
        "train_gpu", arguments, rows, size=size, lengths=lengths(1)[1],
        matrix_tflops=round(rate / 1e12, 1), ratios=ratios(rows),
    )  # fmt: skip


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Step times per token over SFT's, and TRL's over ours."""
    rate = {row["contender"]: row["tokens_per_s"] for row in rows if "tokens_per_s" in row}
    sft = rate.get("rectify, sft", float("nan"))
    found = {f"{name} / sft": sft / rate[name] for name in OURS if name in rate}
    found |= {f"sft over {name}": sft / rate[name] for name in THEIRS if name in rate}
    return {name: round(value, 3) for name, value in found.items()}


if __name__ == "__main__":
    main(parser("train_gpu", __doc__).parse_args())
