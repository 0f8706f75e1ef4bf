"""What a study's jobs took: Snakemake's benchmark files, and processor time from the manifests.

Snakemake looks at a job every half second at first, then every half minute, and states what it saw
last: of a job of 40 seconds, the processor time of its first 15. A step's manifest has that of its
own process, to the end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rectify.provenance.manifests import Manifests
from rectify.step.errors import StepError
from rectify.step.tables import read_csv

MEASURED = ["s", "cpu_time", "max_rss"]  # seconds, seconds, MB


def job_times(folder: Path, study: str, manifests: Manifests) -> pd.DataFrame:
    """A row for each of a study's jobs: rule, job (its wildcards), s, cpu_time, max_rss.

    folder: `benchmarks`, with <rule>/<study>.tsv or <rule>/<study>/<job>.tsv, each the job's last
    run. cpu_time is the larger of Snakemake's and of that in the manifest, one of the study's, that
    names the job's log; it may be less than all where a job has several processes. NaN where
    neither knows. Raises StepError naming the file, and the column or the line that does not fit.
    """
    whole = {manifest.get("log"): manifest.get("cpu_seconds") for manifest in manifests.values()}
    rows = []
    for file in sorted([*folder.glob(f"*/{study}.tsv"), *folder.glob(f"*/{study}/**/*.tsv")]):
        rule, _, *parts = file.relative_to(folder).with_suffix("").parts
        table = read_csv(file, numbers=tuple(MEASURED), sep="\t", na_values="-")
        if table.empty:
            raise StepError(f"{file}: no line of times in it; run the study again to make it anew")
        log = f"logs/{file.relative_to(folder).with_suffix('.log')}"
        measured = {key: float(table[key].iloc[-1]) for key in MEASURED}
        measured["cpu_time"] = float(np.fmax(measured["cpu_time"], whole.get(log) or np.nan))
        rows.append({"rule": rule, "job": "/".join(parts), **measured})
    return pd.DataFrame(rows, columns=["rule", "job", *MEASURED])
