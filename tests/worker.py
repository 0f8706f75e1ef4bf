"""Trains several ways on however many processes started it; run by test_distributed.py.

python tests/worker.py MODEL ROWS OUT: one folder OUT/<name>-<sharding> each, and OUT/dpo.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch
from helpers import SETTINGS
from rectify.models.encoding import Example, encode_rows
from rectify.models.folder import load_model
from rectify.models.tokenizer import load_tokenizer
from rectify.rl import dpo
from rectify.training.batches import collate
from rectify.training.distributed import processes
from rectify.training.reference_model import frozen_copy
from rectify.training.train import train
from torch.distributed.tensor import DTensor

OBJECTIVES = ("sft", "dft", "iw-sft", "mode-seeking", "reward-exponential", "asft")
CHANGES = {objective: {"objective": objective} for objective in OBJECTIVES}
OF_THE_WHOLE = ("eaft", "talr", "prift-mass", "psft", "profit-random", "reward-variational")
CHANGES |= {objective: {"objective": objective} for objective in OF_THE_WHOLE}
# rows of unequal length, so that the processes have different numbers of them
CHANGES["unequal"] = {"objective": "mode-seeking-distance", "micro_batches": "least_padding"}
CHANGES["lora"] = {"objective": "asft", "lora": {"rank": 4, "alpha": 8}}
WAYS = [(name, how) for how in ("none", "full") for name in CHANGES]
# further rules by what they take: a statistic of the batch or of all rows, the clock
ONE_WAY = (
    "deft-cayley", "idft", "mode-seeking-linear", "mode-seeking-clipped", "mode-seeking-growing",
    "reward-power", "reward-top-k", "reward-top-share", "reward-truncated", "reward-advantage",
    "reward-alpha",
)  # fmt: skip
CHANGES |= {objective: {"objective": objective} for objective in ONE_WAY}
WAYS += [(name, "none") for name in ONE_WAY]

if __name__ == "__main__":
    folder, rows, out = map(Path, sys.argv[1:])
    examples, _ = encode_rows(load_tokenizer(folder), "chat", pd.read_parquet(rows), 128)
    for name, how in WAYS:
        torch.manual_seed(0)
        changes = {**CHANGES[name], "sharding": how, "checkpoints": [2], "save_every": 3}
        settings = SimpleNamespace(**{**SETTINGS, **changes})
        target = out / f"{name}-{how}"
        (target.parent / f"{target.name}.state").mkdir(parents=True, exist_ok=True)
        model = load_model(folder, "fp32")
        train(
            model, examples, settings, folder, target,
            target.parent / f"{target.name}.state",
        )  # fmt: skip
        processes().wait_for_everyone()
        sharded = any(isinstance(parameter, DTensor) for parameter in model.parameters())
        assert sharded == (how == "full" and processes().num_processes > 1)
    settings = SimpleNamespace(**{**SETTINGS, "dpo": {"beta": 0.5}})
    (out / "dpo.state").mkdir(exist_ok=True)
    # any two answers to one question make a pair
    pairs = [
        (one, Example(one.prompt, two.response))
        for one, two in zip(examples, examples[1:] + examples[:1], strict=True)
    ]
    dpo.train(folder, pairs, settings, out / "dpo", out / "dpo.state")
    processes().wait_for_everyone()
    model, batch = load_model(folder, "fp32"), collate(examples[:2])
    hidden = []
    for split in (False, processes().num_processes > 1):
        reference = frozen_copy(model, split)
        parts = [isinstance(p, DTensor) for p in reference.base_model.layers.parameters()]
        assert all(parts) if split else not any(parts)
        with torch.no_grad():
            hidden.append(reference(batch["input_ids"], batch["targets"]))
    assert torch.equal(*hidden)
