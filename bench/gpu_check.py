"""What only a GPU can show, in six minutes at most: speed, precision, resume.

    bench/gpu_check.sh [--quick]

The parts, each a process of its own, so that none ends another:

- train_gpu: that bench, as many of its contenders as there is time for (its own JSON file);
- profile: what a step of SFT on a quarter of its batch goes to, by operator and by kernel;
- precision: every objective's loss and gradient in bf16 against fp32 on the CPU;
- resume: an interrupted training against one that was not, bitwise;
- smollm: 100 steps of SFT and of DFT in the shape of SmolLM2-135M.

A part that fails, or finds what should not be, is named with its error; the others go on, and the
status at the end is 1. With --quick the same code runs on tiny models, on the CPU where there is no
GPU; without a GPU and without --quick nothing is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import train_gpu
from bench.common import ROOT, environment, parser, publish, write
from bench.contenders import Worker
from bench.train_cpu import SMOLLM2

SECONDS = 350  # for all parts
PATIENCE = 20  # times as long with --quick, which may run on a busy machine
PARTS = {"train_gpu": 150, "profile": 70, "precision": 80, "resume": 90, "smollm": 90}  # at most
CONTENDERS = 95  # seconds after which train_gpu begins no other
COMMON = {"kind": "rectify", "precision": "bf16", "checkpointing": False}
TINY = {"batch": 4, "micro": 2, "max_length": 128}


def profile(quick: bool) -> Iterator[dict[str, Any]]:
    """Rows of bench.kernels.summary, of a quarter of train_gpu's batch: events are many.

    So the optimiser weighs four times what it does there.
    """
    size = TINY if quick else {"batch": 64, "micro": 16, "max_length": 2048}
    shape = train_gpu.TINY if quick else train_gpu.SHAPE
    rows = {"rows": 3 * size["batch"], "shape": shape, "objective": "sft", "profile": True}
    worker = Worker({**COMMON, **size, **rows})
    worker.step()
    worker.close()
    yield from worker.report["profile"]


def precision(quick: bool) -> Iterator[dict[str, Any]]:
    """Rows of bench.precision."""
    from rectify.objectives.built_in import OBJECTIVES

    from bench.precision import compared

    yield from compared(["dft", "asft"] if quick else list(OBJECTIVES))


def resume(quick: bool) -> Iterator[dict[str, Any]]:
    """Rows of bench.resume."""
    from bench.resume import compared

    with tempfile.TemporaryDirectory() as folder:
        yield from compared(Path(folder), quick)


def smollm(quick: bool) -> Iterator[dict[str, Any]]:
    """A row for SFT and one for DFT: 100 steps after one to warm up."""
    steps = 2 if quick else 100
    size = TINY if quick else {"batch": 64, "micro": 32, "max_length": 2048}
    shape = SMOLLM2 | (train_gpu.TINY if quick else {})
    for objective in ("sft", "dft"):
        rows = {"rows": size["batch"] * (steps + 1), "shape": shape, "objective": objective}
        worker, seconds, tokens = Worker({**COMMON, **size, **rows}), [], 0
        for _ in range(steps):
            seconds.append(worker.step())
            tokens += int(worker.report["tokens"])
        worker.close()
        yield {
            "SmolLM2-135M's shape": objective,
            "steps": steps,
            "median_s": statistics.median(seconds),
            "tokens_per_s": tokens / sum(seconds),
            "peak_gib": worker.report["peak_mib"] / 1024,
            "padding_percent": 100 * worker.report["padding"],
        }


def run_part(words: list[str], seconds: float) -> tuple[list[dict[str, Any]], str]:
    """Run `python WORDS`, at most so long: the rows that it printed as JSON, and how it ended.

    That is `ok`, or one line of what went wrong. All its output is passed on.
    """
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    late = threading.Event()

    def end() -> None:
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    rows, last = [], "nothing was said"
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith('{"row"'):
                rows.append(json.loads(line)["row"])
            last = line.strip() or last
    except KeyboardInterrupt:
        end()
        raise
    status = process.wait()
    timer.cancel()
    wrong = [str(next(iter(row.values()))) for row in rows if row.get("holds") == "no"]
    if late.is_set():
        return rows, f"cut short after {seconds:.0f} s"
    if status:
        return rows, f"status {status}: {last[:300]}"
    return rows, f"does not hold: {'; '.join(wrong)}" if wrong else "ok"


def main(arguments: argparse.Namespace) -> None:
    """Run all parts, or print the rows of one."""
    if arguments.part:
        for row in globals()[arguments.part](arguments.quick):
            print(json.dumps({"row": row}), flush=True)
        return
    import torch

    if not (torch.cuda.is_available() or arguments.quick):
        print("bench.gpu_check: no GPU here; nothing was measured")
        return
    options, patience = ["--out", str(arguments.out)], 1
    if arguments.quick:
        options, patience = [*options, "--quick"], PATIENCE
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads would wait for each other
    end, parts, found = time.monotonic() + SECONDS * patience, [], []
    for part, most in PARTS.items():
        started = time.monotonic()
        own = ["-m", "bench.gpu_check", "--part", part]
        if part == "train_gpu":
            own = ["-m", "bench.train_gpu", "--seconds", str(CONTENDERS)]
        print(f"== {part}", flush=True)
        rows, result = run_part([*own, *options], max(1, min(most * patience, end - started)))
        found += rows
        parts.append({"part": part, "seconds": time.monotonic() - started, "result": result})
        write("gpu_check", arguments, [*parts, *found])  # stays if this is cut short
    publish("gpu_check", arguments, [*parts, *found])
    if any(part["result"] != "ok" for part in parts):
        sys.exit("bench.gpu_check: not all is well; see above")


if __name__ == "__main__":
    options = parser("gpu_check", __doc__)
    options.add_argument("--part", choices=list(PARTS)[1:], help="one part's rows, printed as JSON")
    main(options.parse_args())
