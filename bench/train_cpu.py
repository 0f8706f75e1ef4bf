"""A training step on a CPU: rectify against TRL's SFTTrainer and a plain loop with full logits.

    python -m bench.train_cpu

The same model of 10M parameters with 32k tokens, the same rows in the same batches, fp32; each
contender is a process of its own, and they take their steps in turn; `cpu_s`, a step's CPU seconds
over all threads, is what other work on the machine disturbs least. TRL and the plain loop pad
each micro-batch of the batch as it comes; `sorted` is the plain loop on batches sorted by length.
Peak memory is the process's, libraries included. DATA names a folder with math_train.jsonl.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial

from bench.common import best_and_median, interleaved, parser, publish
from bench.contenders import Worker
from bench.rows import lengths

SHAPE = {
    "vocab_size": 32_000,
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 768,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
}
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
    "plain loop, dft, sorted": {"kind": "plain", "objective": "dft", "sort": True},
}

QUICK = ("rectify, dft", "TRL, dft", "plain loop, dft")


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    size = {"batch": 32, "micro": 2, "max_length": 2048, "rows": 32 * 12}
    contenders = CONTENDERS
    if arguments.quick:
        size = {"batch": 4, "micro": 2, "max_length": 128, "rows": 4 * 4}
        contenders = {name: CONTENDERS[name] for name in QUICK}
    common = {"shape": SHAPE, "precision": "fp32", "checkpointing": False, **size}
    workers = {name: Worker({**common, **spec}) for name, spec in contenders.items()}
    rounds = 1 if arguments.quick else arguments.rounds
    cpu: dict[str, list[float]] = {name: [] for name in workers}

    def step(name: str) -> float:
        seconds = workers[name].step()
        cpu[name].append(workers[name].report["cpu_s"])
        return seconds

    found = interleaved({name: partial(step, name) for name in workers}, rounds)
    rows = []
    for name, worker in workers.items():
        report = worker.report
        rows.append(
            {
                "contender": name,
                **best_and_median(found[name]),
                "cpu_s": statistics.median(cpu[name]),
                "tokens_per_s": report["tokens"] / found[name][-1],
                "peak_mib": round(report["peak_mib"]),
                "padding_percent": 100 * report["padding"],
            }
        )
        worker.close()
    ratios = {}
    for name, spec in contenders.items():
        ours = "rectify, sft" if spec["objective"] in ("sft", "nll") else "rectify, dft"
        if spec["kind"] != "rectify":
            ratios[f"{ours} / {name}"] = ratio(rows, ours, name)
        elif spec["objective"] not in ("sft", "dft"):
            ratios[f"{name} / {ours}"] = ratio(rows, name, ours)
    publish("train_cpu", arguments, rows, size=size, lengths=lengths(1)[1], ratios=ratios)


def ratio(rows: list[dict], ours: str, theirs: str) -> dict[str, float]:
    """Ours over theirs: best and median step time, CPU time, peak memory."""
    by_name = {row["contender"]: row for row in rows}
    return {
        key: round(by_name[ours][key] / by_name[theirs][key], 3)
        for key in ("best_s", "median_s", "cpu_s", "peak_mib")
    }


if __name__ == "__main__":
    options = parser("train_cpu", __doc__)
    options.add_argument("--rounds", type=int, default=3, help="steps of each contender")
    main(options.parse_args())
