"""The DAG: time of a dry run against the number of runs, and of a rerun that has nothing to do.

    python -m bench.dag

10, 100 and 1,000 runs are one model of the miniature, fine-tuned by two methods with 5, 50 and 500
seeds; `paper` and `mini` are the studies of those names. The rerun is of config/smoke.yaml, which
is first run to its end (minutes) in a copy of this checkout; --quick leaves it out.
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
models: {{llama-mini: null}}
methods: {{iw-sft: null, rft: null, dpo: null, iw-sft-offline: null, dft-offline: null, grpo: null,
  ppo: null}}
tables:
  table1: {{methods: [base, sft, dft]}}
  table2: null
  table3: null
figures: {{figure1: null, figure2: null, figure3: null, monitors: null, gallery: null}}
"""


def dry_run(study: Path) -> float:
    """Seconds of `snakemake -n` in this checkout."""
    return run("-m", "snakemake", "-n", "--quiet", "--cores", 1, "--configfile", study)["seconds"]


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
            file.write_text(STUDY.format(runs=runs, seeds=list(range(runs // 2))))
            studies[f"{runs} runs"] = file
        measures = {key: lambda file=file: dry_run(file) for key, file in studies.items()}
        found = interleaved(measures, 1 if arguments.quick else 3)
        rows = [{"what": f"dry run, {key}", **best_and_median(s)} for key, s in found.items()]
        if not arguments.quick:
            copy = copy_checkout(folder / "copy")
            command = ("-m", "snakemake", "--cores", "all", "--configfile", "config/smoke.yaml")
            run(*command, cwd=copy)
            again = [run(*command, cwd=copy)["seconds"] for _ in range(3)]
            rows.append({"what": "rerun of smoke, nothing to do", **best_and_median(again)})
    growth = {}
    sizes = [size for size in (10, 100, 1000) if f"{size} runs" in found]
    for smaller, larger in itertools.pairwise(sizes):
        seconds = [statistics.median(found[f"{size} runs"]) for size in (smaller, larger)]
        growth[f"{smaller} to {larger} runs"] = round(seconds[1] / seconds[0], 2)
    publish("dag", arguments, rows, growth=growth)


if __name__ == "__main__":
    main(parser("dag", __doc__).parse_args())
