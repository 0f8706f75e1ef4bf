"""A training step on a CPU: rectify against TRL's SFTTrainer and a plain loop with full logits.

    python -m bench.train_cpu

In each group the same model with random weights, fp32, the same rows in the same batches; each
contender is a process of its own, and they take their steps in turn; `cpu_s`, a step's CPU seconds
over all threads, is what other work on the machine disturbs least. TRL and the plain loop pad
each micro-batch of the batch as it comes; `sorted` is the plain loop on batches sorted by length.
Peak memory is the process's, libraries included. The sizes: `10M`, 2 layers and 32k tokens; `135M`,
the shape of SmolLM2-135M; `head`, 4 layers under Qwen2.5's 151,936 tokens with rows of 2,048 tokens
each, for the memory. DATA names a folder with math_train.jsonl.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from typing import Any

from bench.common import best_and_median, interleaved, parser, publish
from bench.contenders import Worker
from bench.rows import lengths

SMALL = {
    "vocab_size": 32_000,
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 768,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
}
SMOLLM2 = {
    "model_type": "llama",
    "vocab_size": 49_152,
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "intermediate_size": 1536,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
}
HEAD = {
    "vocab_size": 151_936,
    "hidden_size": 896,
    "num_hidden_layers": 4,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
}
SIZES: dict[str, dict[str, Any]] = {
    "10M": {"shape": SMALL, "batch": 32, "micro": 2, "max_length": 2048},
    "135M": {"shape": SMOLLM2, "batch": 8, "micro": 2, "max_length": 512},
    "head": {"shape": HEAD, "batch": 2, "micro": 1, "max_length": 2048, "full": True},
}
QUICK = {"batch": 4, "micro": 2, "max_length": 128, "full": False}
CONTENDERS = {
    "rectify, sft": {"kind": "rectify", "objective": "sft"},
    "rectify, dft": {"kind": "rectify", "objective": "dft"},
    # what a scalar of the distribution costs: entropy, concentration, the 20 likeliest tokens
    "rectify, idft": {"kind": "rectify", "objective": "idft"},
    "rectify, deft": {"kind": "rectify", "objective": "deft"},
    "rectify, eaft": {"kind": "rectify", "objective": "eaft"},
    "TRL, nll": {"kind": "trl", "objective": "nll"},
    "TRL, dft": {"kind": "trl", "objective": "dft"},
    "plain loop, sft": {"kind": "plain", "objective": "sft"},
    "plain loop, dft": {"kind": "plain", "objective": "dft"},
    "plain loop, sft, sorted": {"kind": "plain", "objective": "sft", "sort": True},
    "plain loop, dft, sorted": {"kind": "plain", "objective": "dft", "sort": True},
}
# what is measured in turn; the first is what the others are compared with. Groups follow each
# other: all contenders of one hold their memory together
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("10M", ("rectify, dft", "TRL, dft", "plain loop, dft", "plain loop, dft, sorted")),
    ("10M", ("rectify, sft", "TRL, nll", "plain loop, sft", "plain loop, sft, sorted")),
    ("10M", ("rectify, dft", "rectify, idft", "rectify, deft", "rectify, eaft")),
    ("135M", ("rectify, dft", "TRL, dft", "plain loop, dft, sorted")),
    ("135M", ("rectify, sft", "TRL, nll", "plain loop, sft, sorted")),
    ("head", ("rectify, dft", "rectify, sft", "TRL, dft")),
    ("head", ("rectify, sft", "TRL, nll")),
)
MEASURES = ("best_s", "median_s", "cpu_s", "peak_mib")


def measured(size: str, names: tuple[str, ...], rounds: int, quick: bool) -> list[dict]:
    """A row for each contender of a group."""
    common = {
        "precision": "fp32",
        "checkpointing": False,
        **SIZES[size],
        **(QUICK if quick else {}),
    }
    common["rows"] = common["batch"] * (rounds + 2)  # the first step warms up
    workers = {name: Worker({**common, **CONTENDERS[name]}) for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}

    def step(name: str) -> float:
        seconds = workers[name].step()
        cpu[name].append(workers[name].report["cpu_s"])
        return seconds

    found = interleaved({name: partial(step, name) for name in names}, rounds)
    rows = []
    for name, worker in workers.items():
        rows.append(
            {
                "size": size,
                "contender": name,
                **best_and_median(found[name]),
                "cpu_s": statistics.median(cpu[name]),
                "tokens_per_s": worker.report["tokens"] / found[name][-1],
                "peak_mib": round(worker.report["peak_mib"]),
                "padding_percent": 100 * worker.report["padding"],
            }
        )
        worker.close()
    return rows


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    rows, ratios = [], {}
    rounds = 1 if arguments.quick else arguments.rounds
    groups = GROUPS[:1] if arguments.quick else GROUPS
    for size, names in groups:
        if arguments.sizes and size not in arguments.sizes:
            continue
        first, *others = measured(size, names, rounds, arguments.quick)
        rows += [first, *others]
        for other in others:
            ours, theirs = first, other
            if other["contender"].startswith("rectify"):  # what an objective costs beside the first
                ours, theirs = other, first
            ratios[f"{size}: {ours['contender']} / {theirs['contender']}"] = {
                key: round(ours[key] / theirs[key], 3) for key in MEASURES
            }
    sizes = {
        name: {key: value for key, value in size.items() if key != "shape"}
        for name, size in SIZES.items()
    }
    part, more = "-".join(arguments.sizes or ()), {"lengths": lengths(1)[1], "ratios": ratios}
    publish("train_cpu", arguments, rows, part, sizes=sizes, **more)


if __name__ == "__main__":
    options = parser("train_cpu", __doc__)
    options.add_argument("--rounds", type=int, default=3, help="steps of each contender")
    options.add_argument("--sizes", nargs="+", choices=SIZES, help="all by default")
    main(options.parse_args())
