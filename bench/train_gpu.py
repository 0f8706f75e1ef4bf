"""A training step on a GPU, in the shape of Qwen2.5-Math-1.5B: rectify against TRL's SFTTrainer.

    python -m bench.train_gpu

Random weights, all of it bf16, batches of 256 rows of up to 2,048 tokens by accumulation, one
contender after the other, each a process of its own. `of_matrix_rate` is model FLOPs (see
model_flops) over the rate that a product of two 8192 x 8192 bf16 matrices reaches in this run.
iw-SFT is measured with the reference's log-probs computed once (`reference_s` is that pass's share
of a step, in one epoch) and with a pass at each step. TRL and Liger's kernels are left out where
they are not installed; `tuned` keeps activations, groups rows by length and takes the largest
`micro` (rows of a micro-batch) that fits: halved until it does.

Imports nothing but torch, transformers, numpy, pandas and rectify's training path; with no GPU it
says so and ends, unless it is to be --quick: a tiny model then. DATA names a folder with
math_train.jsonl.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from importlib.util import find_spec
from typing import Any

from bench.common import parser, publish, write
from bench.contenders import OutOfMemoryError, Worker
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
TINY = SHAPE | {
    "vocab_size": 512,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 1,
    "num_key_value_heads": 1,
    "intermediate_size": 128,
}
# what tells most comes first: there may be no time for all
CONTENDERS: dict[str, dict[str, Any]] = {
    "rectify, sft": {"kind": "rectify", "objective": "sft"},
    "rectify, dft": {"kind": "rectify", "objective": "dft"},
    "TRL, nll, tuned": {"kind": "trl", "objective": "nll", "tuned": True, "liger": True},
    "rectify, iw-sft, reference once": {
        "kind": "rectify", "objective": "iw-sft", "reference": "once",
    },
    "TRL, dft, tuned": {
        "kind": "trl", "objective": "dft", "tuned": True, "liger": True, "micro": 8,
    },
    "TRL, nll, tuned, no Liger": {"kind": "trl", "objective": "nll", "tuned": True, "micro": 8},
    "rectify, iw-sft, reference each step": {
        "kind": "rectify", "objective": "iw-sft", "reference": "each",
    },
    "TRL, nll, defaults": {"kind": "trl", "objective": "nll", "micro": 8, "checkpointing": True},
}  # fmt: skip
QUICK = ("rectify, dft", "rectify, iw-sft, reference once", "TRL, nll, tuned")


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


def matrix_rate(size: int, repeats: int = 20) -> float:
    """FLOP/s of a product of two bf16 matrices of normal random numbers, the best of `repeats`."""
    import torch

    device, wait = ("cuda", torch.cuda.synchronize) if torch.cuda.is_available() else ("cpu", int)
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    best = float("inf")
    for _ in range(repeats):
        wait()
        started = time.perf_counter()
        a @ b
        wait()
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
        flops = model_flops(spec["shape"], tokens, worker.report["squares"])
        used.append(flops / seconds[-1] / rate)
    worker.close()
    return {
        "micro": spec["micro"],
        "best_s": min(seconds),
        "median_s": statistics.median(seconds),
        "tokens_per_s": 1 / statistics.median(per_token),
        "peak_gib": worker.report["peak_mib"] / 1024,
        "padding_percent": 100 * worker.report["padding"],
        "of_matrix_rate": statistics.median(used),
        "reference_s": worker.report.get("reference_s"),
    }


def fitting(spec: dict[str, Any], steps: int, rate: float) -> dict[str, Any]:
    """`measure`, a tuned contender's micro-batch halved until it fits; or why there is no row."""
    try:
        return measure(spec, steps, rate)
    except OutOfMemoryError as error:
        if spec.get("tuned") and spec["micro"] > 1:
            return fitting({**spec, "micro": spec["micro"] // 2}, steps, rate)
        return {"failed": str(error)}
    except RuntimeError as error:  # the others can still be had
        return {"failed": str(error)}


def chosen(quick: bool) -> dict[str, dict[str, Any]]:
    """The contenders that can be had here; a tiny model needs few of them, and no GPU."""
    import torch

    found = {name: CONTENDERS[name] for name in QUICK} if quick else CONTENDERS
    if not find_spec("trl"):
        print("TRL is not installed: rectify alone")
        found = {name: spec for name, spec in found.items() if spec["kind"] != "trl"}
    if not (torch.cuda.is_available() and find_spec("liger_kernel")):
        found = {name: {**spec, "liger": False} for name, spec in found.items()}
        found.pop("TRL, nll, tuned, no Liger", None)  # TRL, nll, tuned is that
    return found


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    import torch

    if not (torch.cuda.is_available() or arguments.quick):
        print("bench.train_gpu: no GPU here; nothing was measured")
        return
    steps, shape, size = 4, SHAPE, {"batch": 256, "micro": 16, "max_length": 2048}
    if arguments.quick:
        steps, shape, size = 1, TINY, {"batch": 8, "micro": 2, "max_length": 128}
    size["rows"] = size["batch"] * (steps + 1)
    rate = matrix_rate(256 if arguments.quick else 8192)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    common = {"shape": shape, "precision": "bf16", "checkpointing": False, **size}
    started, rows, left_out = time.monotonic(), [], []
    for name, spec in chosen(arguments.quick).items():
        if time.monotonic() - started > arguments.seconds:
            left_out.append(name)
            continue
        rows.append({"contender": name, **fitting({**common, **spec}, steps, rate)})
        print(rows[-1], flush=True)
        more = {
            "size": size, "lengths": lengths(1)[1], "matrix_tflops": round(rate / 1e12, 1),
            "ratios": ratios(rows), "left_out": left_out,
        }  # fmt: skip
        write("train_gpu", arguments, rows, **more)  # what was found stays if this is cut short
    publish("train_gpu", arguments, rows, **more)
    if any("failed" in row for row in rows if row["contender"].startswith("rectify")):
        sys.exit("bench.train_gpu: not all of rectify's own steps could be taken")


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Step times per token: those of our objectives over SFT's, and TRL's over ours."""
    rate = {row["contender"]: row["tokens_per_s"] for row in rows if "tokens_per_s" in row}
    found = {}
    for name in rate:
        spec, nan = CONTENDERS[name], float("nan")
        if spec["kind"] == "trl":
            ours = "rectify, dft" if spec["objective"] == "dft" else "rectify, sft"
            found[f"{name} / {ours}"] = rate.get(ours, nan) / rate[name]
        elif spec["objective"] != "sft":
            found[f"{name} / rectify, sft"] = rate.get("rectify, sft", nan) / rate[name]
    return {name: round(value, 3) for name, value in found.items() if value == value}


if __name__ == "__main__":
    options = parser("train_gpu", __doc__)
    options.add_argument("--seconds", type=float, default=float("inf"),
                         help="begin no contender after so many")  # fmt: skip
    main(options.parse_args())
