"""A study whose samples and verdicts are made up, with all the files that its report shows."""

import contextlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from helpers import ROOT
from rectify.jobs import layouts
from rectify.paper import judge_claims
from rectify.report.page import render_report
from rectify.report.tables import (
    list_disagreements,
    tabulate_health,
    tabulate_overlaps,
    tabulate_scores,
)
from rectify.statistics import summarise_scores
from rectify.study.load import load_study
from small_study import prechecked

BENCHMARKS = {"math": 24, "contest": 18}
HOSTILE = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'></script>"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ff"
    "ff3f0005fe02fea7350e840000000049454e44ae426082"
)


def made_up_study(models=2, problems=None, samples=16):
    """A study of some models: Table 1 and Figure 3, claims on both."""
    world = {"voice": "expert", "steps": [1, 2]}
    pretrain = load_study(ROOT / "config/mini.yaml").models["qwen2-mini"].pretrain.model_dump()
    return load_study(
        {
            "study": "made-up",
            "models": {
                f"model-{i}": {"title": f"Model {i}", "pretrain": pretrain,
                               "published": ["qwen2.5-math-1.5b", "llama-3.2-3b"][i % 2]}
                for i in range(models)
            },
            "data": {"world": world, "rows": 10},
            "benchmarks": {
                name: {"title": name.title(), "world": world, "rows": rows,
                       "published": published}
                for (name, rows), published in zip(
                    (problems or BENCHMARKS).items(),
                    ("math500", "aime24", "amc23", "olympiadbench", "minerva_math"), strict=False)
            },
            "methods": {
                name: {"title": title, "objective": name}
                for name, title in (("sft", "SFT"), ("dft", "DFT"), ("iw-sft", "iw-SFT"))
            },
            "decoding": {"samples": samples},
            "tables": {
                "table1": {"caption": "Table 1. All.", "methods": ["base", "sft", "dft", "iw-sft"]}
            },
            "figures": {"figure3": {"model": "model-0", "methods": ["sft", "dft"],
                                    "learning_rates": [0.1]}},
            "claims": "claims.yaml",
        }
    )  # fmt: skip


def short_text(rng, answer):
    return f"So it is \\boxed{{{answer}}}."


def make_up(study, folder, text):
    """Problems, samples and scores of every row; some answers are wrong, some time out."""
    rng = np.random.default_rng(0)
    samples = study.decoding.samples
    problems = []
    for name, block in study.benchmarks.items():
        rows = pd.DataFrame({"problem_id": range(block.rows)})
        rows["problem"] = [f"What is {HOSTILE if i == 1 else i} in {name}?" for i in rows.index]
        rows["answer"] = [str(i) for i in rows.index]
        file = folder / f"results/made-up/data/benchmarks/{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        rows.to_parquet(file)
        problems.append(rows.assign(benchmark=name))
    problems = pd.concat(problems, ignore_index=True)
    for row in layouts.report_layout(study)["rows"]:
        chance = {"base": 0.3, "sft": 0.4, "dft": 0.8, "iw-sft": 0.5}[row["method"]]
        table = problems.loc[problems.index.repeat(samples)].reset_index(drop=True)
        table["sample"] = np.tile(range(samples), len(problems))
        table["checkpoint"] = 0
        table["correct"] = rng.random(len(table)) < chance
        table["harness"] = table["correct"] ^ (rng.random(len(table)) < 0.02)
        late = (rng.random(len(table)) < 0.05) & ~table["correct"]
        table["status"] = np.where(late, "timeout", "ok")
        table["answer"] = np.where(table["correct"], table["answer"], "-1")
        table["text"] = [text(rng, answer) for answer in table["answer"]]
        table.loc[0, ["text", "answer"]] = HOSTILE
        table["n_tokens"], table["finish_reason"], table["seed"] = 7, "stop", 0
        table["loop"] = False
        (file,) = row["samples"]
        for name, dropped in ((file, ["correct", "harness", "status", "answer"]),
                              (row["scores"], ["text", "seed"])):  # fmt: skip
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            table.drop(columns=["problem", *dropped]).to_parquet(folder / name)


CLAIMS = """
- id: better
  sentence: DFT beats SFT.
  where: Table 1
  tests: [{kind: higher, models: [model-0, model-1], method: dft, than: sft, benchmarks: [mean]}]
- id: worse
  sentence: SFT beats DFT.
  where: Table 1
  tests: [{kind: higher, models: [model-0], method: sft, than: dft, benchmarks: [mean]}]
- id: elsewhere
  sentence: A model that this study does not have is good.
  where: Table 9
  tests: [{kind: higher, models: [other], method: dft, than: sft, benchmarks: [mean]}]
"""


PAIRS = [
    {"benchmark": benchmark, "problem_id": problem, "row": 3, "kind": "13-gram",
     "where": "problem", "similarity": similarity, "overlaps": similarity > 0.6,
     "shared": "words", "problem": HOSTILE, "training": "A row."}
    for benchmark, problem, similarity in (("math", 2, 0.9), ("math", 5, 0.7), ("contest", 0, 0.1))
]  # fmt: skip


def others_of(folder):
    """The study's claims, its figure, and what its jobs took."""
    (folder / "claims.yaml").write_text(CLAIMS)
    results = folder / "results/made-up"
    (results / "figures").mkdir(parents=True)
    (results / "figures/figure3.png").write_bytes(PIXEL)
    points = "method,setting,value,accuracy,stderr\nsft,learning_rate,0.1,40,2\n"
    (results / "figures/figure3.csv").write_text(points + "dft,learning_rate,0.1,80,2\n")
    for rule, files in {"train_model": 3, "score_samples": 2}.items():
        for i in range(files):
            file = folder / f"benchmarks/{rule}/made-up/model-{i}.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"s\tmax_rss\tcpu_time\n{60 * (i + 1)}\t{100 * (i + 1)}\t-\n")


def results_of(study, folder):
    """The study's other files, by the steps themselves; returns the report's layout."""
    others_of(folder)
    layout = layouts.report_layout(study)
    for entry in layout["precheck"]:
        prechecked((folder / entry["json"]).with_suffix(""))
    with contextlib.chdir(folder):
        tabulate_scores.main(
            SimpleNamespace(
                settings=layouts.table_layout(study, "table1"),
                published=ROOT / "config/published.csv",
                out=layout["tables"][0]["csv"].removesuffix(".csv"),
            )
        )
        summarise_scores.main(
            SimpleNamespace(
                settings=layouts.summary_layout(study), out="results/made-up/statistics"
            )
        )
        tabulate_health.main(
            SimpleNamespace(
                settings=layouts.health_layout(study), out="results/made-up/tables/health"
            )
        )
        list_disagreements.main(
            SimpleNamespace(
                scores=[row["scores"] for row in layout["rows"]],
                benchmarks=layout["problems"],
                out="results/made-up/tables/disagreements",
            )
        )
        pairs = pd.DataFrame(PAIRS)
        pairs.to_csv(layout["contamination"]["pairs"], index=False)
        tabulate_overlaps.main(
            SimpleNamespace(
                settings=layouts.overlap_layout(study),
                overlaps=layout["contamination"]["pairs"],
                out="results/made-up/tables/contamination",
            )
        )
        judge_claims.main(SimpleNamespace(claims="claims.yaml",
                                          settings=layouts.claims_layout(study),
                                    out=layout["claims"]))  # fmt: skip
    return layout


def page_of(layout, folder):
    """The report as a file."""
    with contextlib.chdir(folder):
        render_report.main(
            SimpleNamespace(settings=layout, benchmarks="benchmarks", out="report.html")
        )
    return folder / "report.html"


def made_up(folder, text=short_text, **size):
    """The layout of a made-up study's report, with all its files in the folder.

    `text(rng, answer)` makes up a response.
    """
    study = made_up_study(**size)
    make_up(study, folder, text)
    return results_of(study, folder)


def copied(folder, target):
    """A copy of a study's files that a test may break."""
    return Path(shutil.copytree(folder, target))


def shown_in(layout, folder):
    """What the page's sections show."""
    with contextlib.chdir(folder):
        return render_report.parts(layout, folder / "benchmarks")
