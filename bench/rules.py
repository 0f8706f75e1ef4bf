"""Where a finished study's time went: wall and CPU seconds of each rule, and of process start-up.

    python -m bench.rules benchmarks --study mini
    python -m bench.rules results/reference/mini/benchmarks.csv

Reads Snakemake's benchmark files and the manifests in results/, as rectify.provenance.job_times
does, or the CSV that `make reference` has kept of them. `start_s` is measured now: one process that
imports the rule's step, and for decoding opens its engine on a model of 1M parameters.
`start_percent` is that, once per job, of the rule's seconds. `wall_s` is from the first step's
start to the last one's end by the manifests, so without Snakemake's own start of some seconds: of
all results of one run, and of Tables 1 and 2 if they were made before all others (`snakemake
--cores all results/mini/tables/table1.csv results/mini/tables/table2.csv`). The CSV has none of the
last page.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rectify

from bench.common import parser, publish, run

if TYPE_CHECKING:
    import pandas as pd

# the step of each rule; other rules' steps import no more than `score` does
OWN = ("sample_rows", "initialise_model", "check_model", "measure_probabilities", "weigh_rows",
       "precheck", "tabulate_scores", "plot_figure", "render_report")  # fmt: skip
STEPS = {
    **{rule: rule for rule in OWN},
    "pretrain_model": "train",
    "train_model": "train",
    "train_ppo": "ppo",
    "decode_benchmarks": "decode",
    "decode_questions": "decode",
    "decode_checkpoints": "decode",
    "score_samples": "score",
    "score_questions": "score",
}


def read_jobs(source: Path, study: str) -> tuple[pd.DataFrame, dict[str, dict]]:
    """A row per job (rule, job, s, cpu_time, max_rss), and the study's manifests."""
    import pandas as pd
    from rectify.provenance.job_times import job_times
    from rectify.provenance.manifests import load_manifests

    if source.is_file():
        return pd.read_csv(source), load_manifests(source.parent)
    manifests = load_manifests(Path("results", study))
    return job_times(source, study, manifests), manifests


def walls(manifests: dict[str, dict]) -> dict[str, float]:
    """Seconds from the first start to the last end of one run: all, and Tables 1 and 2 if first."""
    from rectify.provenance.manifests import ancestry

    def span(group: Iterable[dict]) -> tuple[datetime, datetime]:
        times = [
            [datetime.fromisoformat(each[key]) for key in ("started", "ended")] for each in group
        ]
        return min(start for start, _ in times), max(end for _, end in times)

    start, end = span(manifests.values())
    found = {"all results": (end - start).total_seconds()}
    tables = [f"tables/table{number}.manifest.json" for number in (1, 2)]
    own = ancestry(manifests, tables)
    # the models' checks are ahead of every training, and in no table's ancestry
    others = [manifests[name] for name in {*manifests} - {*own} if not name.startswith("checks/")]
    if others and set(tables) <= set(own) and span(own.values())[1] <= span(others)[0]:
        start, end = span(own.values())
        found = {"Tables 1 and 2": (end - start).total_seconds(), **found}
    return found


def start_up(step: str, model: Path) -> float:
    """Seconds of a process that does all that the step's does but its work; the best of 3.

    Without the collections that a step leaves out, see rectify/__main__.py.
    """
    words = f"import gc; gc.disable(); import rectify.{rectify.STEPS[step]}.{step}"
    if step == "decode":
        words += (
            "; from types import SimpleNamespace; from rectify.evaluation.engines import open_vllm;"
            f" open_vllm({str(model)!r}, SimpleNamespace(dtype='float32', tensor_parallel=1), 64)"
        )
    elif step in ("train", "ppo"):
        words += "; import transformers; from transformers import AutoModelForCausalLM"
    return min(run("-c", f"{words}; gc.freeze()")["seconds"] for _ in range(3))


def main(arguments: argparse.Namespace) -> None:
    """Run the bench."""
    from bench.decode import SHAPES, make_model

    jobs, manifests = read_jobs(arguments.benchmarks, arguments.study)
    if jobs.empty:
        raise SystemExit(
            f"bench.rules: {arguments.benchmarks}: no benchmark files of study '{arguments.study}'"
        )
    groups = jobs.groupby("rule", sort=False)
    rules = groups.agg(jobs=("s", "size"), wall_s=("s", "sum"), cpu_s=("cpu_time", "sum"))
    rules["peak_mib"] = groups["max_rss"].max()
    with tempfile.TemporaryDirectory() as name:
        model = Path(name) / "model"
        make_model(SHAPES["1M"], model)
        steps = {STEPS.get(rule, "score") for rule in rules.index}
        starts = {step: start_up(step, model) for step in sorted(steps)}
    rules["start_s"] = [starts[STEPS.get(rule, "score")] for rule in rules.index]
    rules["start_percent"] = 100 * rules["jobs"] * rules["start_s"] / rules["wall_s"]
    rules = rules.sort_values("wall_s", ascending=False)
    total = rules[["jobs", "wall_s", "cpu_s"]].sum().to_dict()
    started = (rules["jobs"] * rules["start_s"]).sum()
    total |= {"start_percent": 100 * started / total["wall_s"]}
    rows = [*rules.reset_index().to_dict("records"), {"rule": "all", **total}]
    rows = [{key: plain(value) for key, value in row.items()} for row in rows]
    publish("rules", arguments, rows, **({"wall_s": walls(manifests)} if manifests else {}))


def plain(value: object) -> object:
    """A number of numpy's as Python's, whole ones whole; None for what is not known."""
    number = value.item() if hasattr(value, "item") else value
    if number != number:
        return None
    return int(number) if isinstance(number, float) and number == int(number) else number


if __name__ == "__main__":
    options = parser("rules", __doc__)
    options.add_argument("benchmarks", type=Path, help="folder `benchmarks`, or a CSV")
    options.add_argument("--study", default="mini", help="the study's name, in a folder")
    main(options.parse_args())
