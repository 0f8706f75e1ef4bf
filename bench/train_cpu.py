"""A training step on a CPU: rectify against TRL's SFTTrainer and a plain loop with full logits.

    python -m bench.train_cpu

The same model of 10M parameters with 32k tokens, the same rows in the same batches, fp32; each
contender is a process of its own, and they take their steps in turn. TRL and the plain loop pad
each micro-batch of the batch as it comes; `sorted` is the plain loop on batches sorted by length.
Peak memory is the process's, libraries included. DATA names a folder with math_train.jsonl.
"""

from __future__ import annotations

import argparse

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
    "TRL, nll": {"kind": "trl", "objective": "nll"},
    "TRL, dft": {"kind": "trl", "objective": "dft"},
    "plain loop, sft": {"kind": "plain", "objective": "sft"},
    "plain loop, dft": {"kind": "plain", "objective": "dft"},
    "plain loop, dft, sorted": {"kind": "plain", "objective": "dft", "sort": True},
}


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    size = {"batch": 64, "micro": 4, "max_length": 2048, "rows": 64 * 12}
    if arguments.quick:
        size = {"batch": 8, "micro": 4, "max_length": 512, "rows": 8 * 4}
    common = {"shape": SHAPE, "precision": "fp32", "checkpointing": False, **size}
    workers = {name: Worker({**common, **spec}) for name, spec in CONTENDERS.items()}
    rounds = 1 if arguments.quick else arguments.rounds
    found = interleaved({name: worker.step for name, worker in workers.items()}, rounds)
    rows = []
    for name, worker in workers.items():
        step = best_and_median(found[name])
        report = worker.report
        rows.append(
            {
                "contender": name,
                **step,
                "tokens_per_s": report["tokens"] / found[name][-1],
                "peak_mib": round(report["peak_mib"]),
                "padding_percent": 100 * report["padding"],
            }
        )
        worker.close()
    ratios = {}
    for ours, theirs in (("sft", "TRL, nll"), ("dft", "TRL, dft")):
        ratios[f"{ours} / {theirs}"] = ratio(rows, f"rectify, {ours}", theirs)
    for other in ("plain loop, sft", "plain loop, dft", "plain loop, dft, sorted"):
        objective = other.split(", ")[1]
        ratios[f"{objective} / {other}"] = ratio(rows, f"rectify, {objective}", other)
    publish("train_cpu", arguments, rows, size=size, lengths=lengths(1)[1], ratios=ratios)


def ratio(rows: list[dict], ours: str, theirs: str) -> dict[str, float]:
    """Ours over theirs: best and median step time, peak memory."""
    by_name = {row["contender"]: row for row in rows}
    return {
        key: round(by_name[ours][key] / by_name[theirs][key], 3)
        for key in ("best_s", "median_s", "peak_mib")
    }


if __name__ == "__main__":
    options = parser("train_cpu", __doc__)
    options.add_argument("--rounds", type=int, default=5, help="steps of each contender")
    main(options.parse_args())
