"""The DAG: time of a dry run against the number of runs, and of a rerun that has nothing to do.

    python -m bench.dag [--beside ANOTHER_CHECKOUT]

10, 100 and 1,000 runs are one model of the hub, fine-tuned by two methods with 5, 50 and 500 seeds
and decoded on the miniature's benchmarks; `paper` and `mini` are the studies of those names. Dry
runs of such runs in another checkout are measured in turn with this one's. CPU seconds, their
median, say more than the clock where other work runs beside. The rerun is of config/smoke.yaml,
which is first run to its end (minutes) in a copy of this checkout; --quick leaves it out.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.common import ROOT, best_and_median, interleaved, parser, publish, run

STUDY = """
study: runs{runs}
extends: config/mini.yaml
seeds: {seeds}
models:
  llama-mini: null
  qwen2-mini: {{pretrain: null, path: org/model, revision: "{revision}"}}
methods: {{sft: {{repeats: null}}, dft: {{repeats: null}}, iw-sft: null, rft: null, dpo: null,
  iw-sft-offline: null, dft-offline: null, grpo: null, ppo: null}}
tables:
  table1: {{methods: [base, sft, dft]}}
  table2: null
  table3: null
figures: {{figure1: null, figure2: null, figure3: null, monitors: null, gallery: null}}
"""


def dry_run(study: Path, checkout: Path, cpu: list[float]) -> float:
    """Seconds of `snakemake -n` in a checkout; its CPU seconds are added to a list."""
    words = ("-n", "--quiet", "--nolock", "--cores", 1, "--configfile", study)
    done = run("-m", "snakemake", *words, cwd=checkout)
    cpu.append(done["cpu_s"])
    return done["seconds"]


def copy_checkout(folder: Path) -> Path:
    """Copy this checkout's files, as they are, to a folder."""
    files = subprocess.check_output(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
        text=True,
    )
    for name in files.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        studies = {"paper": ROOT / "config/paper.yaml", "mini": ROOT / "config/mini.yaml"}
        for runs in (10, 100) if arguments.quick else (10, 100, 1000):
            file = folder / f"{runs}.yaml"
            seeds = list(range(runs // 2))
            file.write_text(STUDY.format(runs=runs, seeds=seeds, revision="0" * 40))
            studies[f"{runs} runs"] = file
        subjects = {key: (file, ROOT) for key, file in studies.items()}
        if arguments.beside:
            sized = [key for key in studies if key.endswith(" runs")]
            subjects |= {f"{key}, beside": (studies[key], arguments.beside) for key in sized}
        cpu: dict[str, list[float]] = {key: [] for key in subjects}
        measures = {
            key: lambda subject=subject, key=key: dry_run(*subject, cpu[key])
            for key, subject in subjects.items()
        }
        found = interleaved(measures, 1 if arguments.quick else 3)
        rows = [
            {
                "what": f"dry run, {key}",
                **best_and_median(seconds),
                "median_cpu_s": statistics.median(cpu[key]),
            }
            for key, seconds in found.items()
        ]
        if not arguments.quick:
            copy = copy_checkout(folder / "copy")
            command = ("-m", "snakemake", "--cores", "all", "--configfile", "config/smoke.yaml")
            run(*command, cwd=copy)
            again = [run(*command, cwd=copy)["seconds"] for _ in range(3)]
            row = {"what": "rerun of smoke, nothing to do", **best_and_median(again)}
            rows.append(row | {"median_cpu_s": None})
    growth = {}
    sizes = [size for size in (10, 100, 1000) if f"{size} runs" in found]
    for smaller, larger in itertools.pairwise(sizes):
        seconds = [statistics.median(cpu[f"{size} runs"]) for size in (smaller, larger)]
        growth[f"{smaller} to {larger} runs"] = round(seconds[1] / seconds[0], 2)
    publish("dag", arguments, rows, growth=growth)


if __name__ == "__main__":
    options = parser("dag", __doc__)
    options.add_argument("--beside", type=Path, help="another checkout of this project")
    main(options.parse_args())
