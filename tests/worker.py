"""Trains several ways on however many processes started it; run by test_distributed.py.

python tests/worker.py MODEL ROWS OUT: one folder OUT/<objective>-<sharding> each.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch
from helpers import SETTINGS
from rectify.model import load_model
from rectify.processes import processes
from rectify.tokenizer import encode_rows, load_tokenizer
from rectify.train import train
from torch.distributed.tensor import DTensor

OBJECTIVES = ("sft", "dft", "iw-sft", "mode-seeking", "reward-exponential", "asft")
WAYS = [(objective, how) for how in ("none", "full") for objective in OBJECTIVES]

if __name__ == "__main__":
    folder, rows, out = map(Path, sys.argv[1:])
    examples, _ = encode_rows(load_tokenizer(folder), "chat", pd.read_parquet(rows), 128)
    for objective, how in WAYS:
        torch.manual_seed(0)
        changes = {"objective": objective, "sharding": how, "checkpoints": [2], "save_every": 3}
        settings = SimpleNamespace(**{**SETTINGS, **changes})
        target = out / f"{objective}-{how}"
        (target.parent / f"{target.name}.state").mkdir(parents=True, exist_ok=True)
        model = load_model(folder, "fp32")
        train(
            model, examples, settings, folder, target,
            target.parent / f"{target.name}.state",
        )  # fmt: skip
        processes().wait_for_everyone()
        sharded = any(isinstance(parameter, DTensor) for parameter in model.parameters())
        assert sharded == (how == "full" and processes().num_processes > 1)
