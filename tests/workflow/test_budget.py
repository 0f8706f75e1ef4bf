"""What the verdicts cost at the paper's size, on made-up samples and scores."""

import shutil
import subprocess
import sys
import time

import pytest
from helpers import ROOT, settings_file
from rectify.jobs import layouts, paths
from report_study import made_up_study, make_up, others_of, short_text
from small_study import as_step, inside

PROBLEMS = {"math": 500, "contest": 30, "amc": 40, "olympiad": 675, "minerva": 272}

AND_ITS_STATUS = """from rectify.__main__ import main
try: main()
finally: print(open('/proc/self/status').read())
"""


def keep_manifests(study, folder):
    """Manifests of the made-up problems, samples and scores, as their steps would have left them.

    Models have none: what they add to a trace is the reading of their weights.
    """
    problems = paths.benchmark_files(study)
    with inside(folder):
        for file in problems:
            as_step("sample_rows", is_there, settings={"rows_of": file}, out=file)
        for row in layouts.report_layout(study)["rows"]:
            for file in row["samples"]:
                as_step("decode", is_there, benchmarks=problems, out=file)
            options = {"samples": row["samples"], "benchmarks": problems}
            as_step("score", is_there, **options, out=row["scores"])


def is_there(file):
    """Stands for a step whose output is made already."""
    assert file.exists()


@pytest.mark.slow
def test_the_verdicts_take_three_minutes_and_four_gigabytes(tmp_path):
    """Five models, four methods, 1,517 problems, 16 samples: tables, statistics, claims, page,
    audit and trace, each in a process of its own as in the DAG.
    """
    study = made_up_study(models=5, problems=PROBLEMS)
    make_up(study, tmp_path, short_text)
    keep_manifests(study, tmp_path)
    others_of(tmp_path)
    (tmp_path / "config").mkdir()
    for name in ("published.csv", "published-text.csv"):
        shutil.copy2(ROOT / "config" / name, tmp_path / "config")
    results = paths.results(study)
    seconds = gigabytes = 0.0

    def run(step, *options, layout=None):
        """Run a step; not getrusage's peak: that counts the memory of what started the process."""
        nonlocal seconds, gigabytes
        settings = ["--settings", settings_file(layout)] if layout else []
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", AND_ITS_STATUS, step, *settings, *options],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        seconds += time.monotonic() - started
        assert done.returncode == 0, done.stderr
        said, _, status = done.stdout.rpartition("VmHWM:")
        gigabytes = max(gigabytes, int(status.split()[0]) / 1e6)
        return said

    table = layouts.table_layout(study, "table1")
    published = ("--published", "config/published.csv")
    run("tabulate_scores", *published, "--out", f"{results}/tables/table1", layout=table)
    run("summarise_scores", "--out", f"{results}/statistics", layout=layouts.summary_layout(study))
    claims = layouts.claims_layout(study)
    run("judge_claims", "--claims", "claims.yaml", "--out", f"{results}/claims.json", layout=claims)
    report = layouts.report_layout(study)
    run(
        "render_report",
        "--benchmarks",
        "benchmarks",
        "--out",
        f"{results}/report.html",
        layout=report,
    )
    run("audit", "--out", "audit.csv")
    said = run("trace", f"{results}/tables/table1.csv", "--cell", "model-0,dft,math")
    assert "follows from these verdicts: 500 problems x 16 samples x 1 training seeds" in said

    page = (tmp_path / results / "report.html").stat().st_size
    print(f"{seconds:.0f} s, {gigabytes:.2f} GB, page of {page / 1e6:.1f} MB")
    assert seconds < 180
    assert gigabytes < 4
