"""Write what the benches found as Markdown, to standard output.

    python -m bench.results results/bench > bench/RESULTS.md

The argument is a folder of the benches' JSON files; those that RESULTS.md shows are kept in
bench/measured.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.common import table

HEAD = """# Speed, measured side by side

Made by `python -m bench.results bench/measured > bench/RESULTS.md` from the JSON files of
`make bench`, which say all that each was run on. Seconds are the best and the median of interleaved
rounds; ratios are ours over theirs.
"""
# title, and what is to be reached
BENCHES = {
    "train_cpu": (
        "A training step on a CPU",
        "of TRL's step time at most 0.17 (SFT) and 0.18 (DFT) at 10M, 0.50 at 135M; of its peak "
        "memory at most 0.50, under the head 0.4, where DFT is within 5 % of SFT; at 135M at most "
        "0.85 of the plain loop's time on sorted batches; padding at most 3 % of tokens; entropy "
        "and concentration at most 1.10 of DFT's time, the likeliest tokens 1.25",
    ),
    "train_gpu": (
        "A training step on a GPU",
        "at least 1.3 times TRL tuned, half of the matrix rate, DFT within 2 % of SFT, iw-SFT at "
        "most 1.4 of SFT",
    ),
    "gpu_check": (
        "What only a GPU can show",
        "every objective's loss and gradient in bf16 within 0.01 of fp32 on the CPU (relative; the "
        "gradient's norm); an interrupted training resumed bitwise",
    ),
    "decode": (
        "Decoding on a CPU",
        "vLLM at least twice transformers' generate at equal batch, answers ending where they end "
        "(`own`; `equal` has all go to one length), a run's start-up at most 10 s",
    ),
    "score": ("Scoring", None),
    "dag": (
        "The DAG",
        "a dry run of the paper's study in at most 3 s, growth no worse than linear, a rerun with "
        "nothing to do in at most 5 s",
    ),
    "rules": (
        "A finished study, rule by rule",
        "the miniature in at most 30 minutes on 2 cores, its Tables 1 and 2 in at most 12",
    ),
    "growth": ("Growth with the samples", "10^7 sample rows in at most 4 GB"),
    "precheck": (
        "The precheck's rule",
        "DFT on mini and SFT on limits by each base model; on other worlds what training shows",
    ),
}


def section(name: str, measured: list[dict[str, Any]]) -> str:
    """A bench's section; `measured`: its JSON, or that of its parts, empty if it was not."""
    title, target = BENCHES[name]
    lines = [f"## {title}", ""]
    if target:
        lines += [f"To reach: {target}.", ""]
    for found in measured:
        lines += [*paragraphs(found), ""]
    return "\n".join(lines if measured else [*lines, "Not measured."]).rstrip()


def paragraphs(found: dict[str, Any]) -> Iterator[str]:
    """The lines of one JSON."""
    machine = found["hardware"]
    where = ", ".join(
        [f"{machine['cores']} cores of {machine['processor']}", *machine.get("gpus", [])]
    )
    yield f"`{found['command']}` on {found['date'][:10]} at {found['commit']}, {where}."
    yield ""
    for _, alike in itertools.groupby(found["rows"], key=tuple):
        yield table(list(alike))
        yield ""
    known = {"bench", "command", "date", "commit", "hardware", "versions", "rows"}
    for key in [key for key in found if key not in known]:
        yield f"- {key.replace('_', ' ')}: {in_words(found[key])}"


def in_words(value: Any) -> str:
    """A value of a bench's JSON as text."""
    if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
        return "".join(f"\n  - {key}: {in_words(inner)}" for key, inner in value.items())
    if isinstance(value, dict):
        return ", ".join(f"{key} {in_words(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def main(folder: Path) -> None:
    """Print all benches' sections."""
    print(HEAD)
    for name in BENCHES:
        files = [*folder.glob(f"{name}.json"), *sorted(folder.glob(f"{name}-*.json"))]
        print(section(name, [json.loads(file.read_text()) for file in files]), end="\n\n")


if __name__ == "__main__":
    options = argparse.ArgumentParser(
        prog="bench.results", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("folder", type=Path)
    main(options.parse_args().folder)
