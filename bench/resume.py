"""Whether an interrupted training ends with the bits of one that nothing stopped.

`rectify train` as a study runs it: twice straight, and once with a SIGTERM in mid-training and
started again. Two straight runs that differ mean that the arithmetic itself is not the same twice
(some kernels add in any order), and no resume can be; `deterministic` allows torch none of those.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rectify.data.world import make_rows
from rectify.models.initialise_model import build_model, build_tokenizer
from rectify.step.command import STOPPED
from rectify.step.tables import write_parquet
from safetensors.torch import load_file

from bench.common import ROOT, environment

SETTINGS = {
    "parameters": {}, "seed": 0, "prompt": "chat", "checkpoints": [], "epochs": 1.0,
    "batch_size": 16, "micro_batch_size": 8, "micro_batches": "sorted", "max_length": 1024,
    "unfit": None,
    "learning_rate": 1e-3, "lora": None, "schedule": "cosine", "warmup_ratio": 0.1,
    "weight_decay": 0.01, "betas": [0.9, 0.95], "max_grad_norm": 1.0, "accumulation": "token_mean",
    "sharding": "none", "gradient_checkpointing": False, "save_every": 1000, "log_every": 1,
}  # fmt: skip
SHAPE = {
    "hidden_size": 576, "num_hidden_layers": 6, "num_attention_heads": 9, "num_key_value_heads": 3,
    "intermediate_size": 1536, "max_position_embeddings": 2048, "tie_word_embeddings": True,
}  # fmt: skip
TINY = SHAPE | {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1, "num_key_value_heads": 1,
    "intermediate_size": 128,
}  # fmt: skip
START = {
    "default": ["-m", "rectify", "train"],
    "deterministic": [
        "-c",
        "import torch; torch.use_deterministic_algorithms(True); "
        "from rectify.__main__ import main; main()",
        "train",
    ],
}


@dataclass(frozen=True)
class Kind:
    """What is trained, and whether with torch's deterministic algorithms alone."""

    objective: str
    precision: str
    algorithms: str


KINDS = (
    Kind("dft", "bf16", "default"),
    Kind("iw-sft", "bf16-mixed", "default"),
    Kind("dft", "bf16", "deterministic"),
)


def prepare(folder: Path, quick: bool) -> None:
    """Write the rows and the model to train.

    A row is several of the synthetic world's problems, so that it is as long as real ones (some 300
    tokens) and attention's backward pass has several blocks to add up.
    """
    together, voice = (1, 32) if quick else (6, 160)
    made = pd.DataFrame(make_rows("resume", voice * together, "expert", (2, 5)))
    texts = made[["problem", "solution"]].groupby(made.index // together).agg("\n".join)
    write_parquet(folder / "rows.parquet", texts)
    torch.manual_seed(0)
    tokenizer = build_tokenizer((texts["problem"] + "\n" + texts["solution"]).tolist(), 2000)
    build_model("qwen2", TINY if quick else SHAPE, tokenizer).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def start(kind: Kind, folder: Path, name: str, steps: int) -> subprocess.Popen:
    """A training into the folder `name`; what it says goes to NAME.log."""
    asked = {"objective": kind.objective, "precision": kind.precision, "steps": steps}
    settings = folder / f"{name}.json"
    settings.write_text(json.dumps(SETTINGS | asked))
    words = [
        "--settings", settings, "--rows", folder / "rows.parquet",
        "--model", folder / "model", "--out", folder / name,
    ]  # fmt: skip
    with (folder / f"{name}.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, *START[kind.algorithms], *map(str, words)],
            cwd=ROOT, env=environment(CUBLAS_WORKSPACE_CONFIG=":4096:8"), stdout=log, stderr=log,
        )  # fmt: skip


def finish(process: subprocess.Popen, log: Path, status: int = 0) -> None:
    """Wait for a training; raises RuntimeError with its last line unless it ends as it should."""
    if process.wait() != status:
        last = (log.read_text().strip().splitlines() or ["nothing was said"])[-1]
        raise RuntimeError(f"{log.stem} ended with status {process.returncode}: {last}")


def steps_done(folder: Path, name: str) -> int:
    """Rows of the training's log so far."""
    file = folder / f"{name}.state" / "train.csv"
    return len(file.read_text().splitlines()) - 1 if file.is_file() else 0


def difference(one: Path, other: Path) -> str:
    """What differs between two model folders' weights."""
    pair = [load_file(folder / "model.safetensors") for folder in (one, other)]
    gaps = [(pair[0][key].double() - pair[1][key].double()).abs().max().item() for key in pair[0]]
    if pair[0].keys() == pair[1].keys() and max(gaps) == 0:
        return "same bits"
    return f"{sum(gap > 0 for gap in gaps)} of {len(gaps)} tensors, by {max(gaps):.1e} at most"


def compared(folder: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """A row for each kind, all of them trained at once; `holds` if the resumed run is the same."""
    steps, kinds = (8, KINDS[:1]) if quick else (40, KINDS)
    prepare(folder, quick)
    names = {kind: f"{kind.objective}-{kind.precision}-{kind.algorithms}" for kind in kinds}
    running = {
        (kind, way): start(kind, folder, f"{names[kind]}-{way}", steps)
        for kind in kinds
        for way in ("straight", "again", "cut")
    }
    waiting = list(kinds)
    while waiting:
        for kind in tuple(waiting):
            process = running[kind, "cut"]
            if steps_done(folder, f"{names[kind]}-cut") >= steps // 2:
                process.send_signal(signal.SIGTERM)
            elif process.poll() is None:
                continue
            waiting.remove(kind)
        time.sleep(0.005)
    broken: dict[Kind, RuntimeError] = {}
    for (kind, way), process in running.items():
        try:
            log = folder / f"{names[kind]}-{way}.log"
            finish(process, log, STOPPED if way == "cut" else 0)
        except RuntimeError as error:
            broken[kind] = error
    resumed = {
        kind: start(kind, folder, f"{names[kind]}-cut", steps)
        for kind in kinds
        if kind not in broken
    }
    for kind in kinds:
        row = {"resume": f"{kind.objective}, {kind.precision}", "algorithms": kind.algorithms}
        try:
            if kind in broken:
                raise broken[kind]
            finish(resumed[kind], folder / f"{names[kind]}-cut.log")
            yield row | {"steps": steps, **result(folder, names[kind])}
        except RuntimeError as error:
            yield row | {"error": str(error), "holds": "no"}


def result(folder: Path, name: str) -> dict[str, Any]:
    """What the finished runs of a kind say."""
    straight, again, cut = (folder / f"{name}-{way}" for way in ("straight", "again", "cut"))
    log = (folder / f"{name}-cut.log").read_text()
    nll, after = pd.read_csv(straight / "train.csv")["nll"], difference(straight, cut)
    return {
        "stopped_at": int(re.findall(r"resuming from .*checkpoint-(\d+)", log)[0]),
        "nll_first": float(nll.iloc[0]),
        "nll_last": float(nll.iloc[-1]),
        "straight_again": difference(straight, again),
        "resumed": after,
        "holds": "yes" if after == "same bits" else "no",
    }
