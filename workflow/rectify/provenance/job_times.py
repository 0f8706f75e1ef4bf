"""What a study's jobs took: Snakemake's benchmark files, with what the manifests know better.

Snakemake looks at a job every half second at first, then every half minute, and states what it saw
last: of a job of 40 seconds, the processor time of its first 15; and it does not see a step that
starts warm (rectify.step.warm), which is no child of its job's. A step's manifest has the processor
time and the memory of its own process, to the end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rectify.provenance.manifests import Manifests
from rectify.step.errors import StepError
from rectify.step.tables import read_csv

MEASURED = ["s", "cpu_time", "max_rss"]  # seconds, seconds, MB
STATED = {"cpu_time": "cpu_seconds", "max_rss": "max_rss"}  # as manifests name them


def job_times(folder: Path, study: str, manifests: Manifests) -> pd.DataFrame:
    """A row for each of a study's jobs: rule, job (its wildcards), s, cpu_time, max_rss.

    folder: `benchmarks`, with <rule>/<study>.tsv or <rule>/<study>/<job>.tsv, each the job's last
    run. cpu_time and max_rss are the larger of Snakemake's and of that in the manifest, one of the
    study's, that names the job's log; they may be less than all where a job has several processes.
    NaN where neither knows. Raises StepError naming the file, and the column or the line that does
    not fit.
    """
    of_log = {manifest.get("log"): manifest for manifest in manifests.values()}
    rows = []
    for file in sorted([*folder.glob(f"*/{study}.tsv"), *folder.glob(f"*/{study}/**/*.tsv")]):
        rule, _, *parts = file.relative_to(folder).with_suffix("").parts
        table = read_csv(file, numbers=tuple(MEASURED), sep="\t", na_values="-")
        if table.empty:
            raise StepError(f"{file}: no line of times in it; run the study again to make it anew")
        log = f"logs/{file.relative_to(folder).with_suffix('.log')}"
        measured = {key: float(table[key].iloc[-1]) for key in MEASURED}
        for key, stated in STATED.items():
            whole = of_log.get(log, {}).get(stated) or np.nan
            measured[key] = float(np.fmax(measured[key], whole))
        rows.append({"rule": rule, "job": "/".join(parts), **measured})
    return pd.DataFrame(rows, columns=["rule", "job", *MEASURED])
