"""What a study's jobs took: Snakemake's benchmark files, and processor time from the manifests.

Snakemake looks at a job every half second at first, then every half minute, and states what it saw
last: of a job of 40 seconds, the processor time of its first 15. A step's manifest has it whole.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rectify.causes import Manifests
from rectify.report_page.reading import read_csv

MEASURED = ["s", "cpu_time", "max_rss"]  # seconds, seconds, MB


def job_times(folder: Path, study: str, manifests: Manifests) -> pd.DataFrame:
    """A row for each of a study's jobs: rule, job (its wildcards), s, cpu_time, max_rss.

    folder: `benchmarks`, with <rule>/<study>.tsv or <rule>/<study>/<job>.tsv, each the job's last
    run. `manifests` are the study's; a job that none names as its log's has Snakemake's cpu_time,
    NaN where that has none. Where several processes train a model it is the first one's alone.
    Raises StepError naming the file, and the column or the line that does not fit.
    """
    whole = {manifest["log"]: manifest["cpu_seconds"] for manifest in manifests.values()}
    rows = []
    for file in sorted([*folder.glob(f"*/{study}.tsv"), *folder.glob(f"*/{study}/**/*.tsv")]):
        rule, _, *parts = file.relative_to(folder).with_suffix("").parts
        row = read_csv(file, numbers=tuple(MEASURED), sep="\t", na_values="-").iloc[-1]
        log = f"logs/{file.relative_to(folder).with_suffix('.log')}"
        measured = {key: float(row[key]) for key in MEASURED}
        measured["cpu_time"] = whole.get(log, measured["cpu_time"])
        rows.append({"rule": rule, "job": "/".join(parts), **measured})
    return pd.DataFrame(rows, columns=["rule", "job", *MEASURED])
