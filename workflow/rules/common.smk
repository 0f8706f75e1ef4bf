# What the rules share: the study, its names, and each job's settings and inputs.

import json
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from rectify import runs
from rectify.io import InputError
from rectify.sources import sources
from rectify.study import load_study

try:
    STUDY = load_study(config)
    runs.check_files(STUDY)
except InputError as error:
    sys.exit(f"rectify: {error}")

RESULTS = f"results/{STUDY.study}"
FIGURES = [name for name, figure in STUDY.figures if figure]
RUNS = runs.all_runs(STUDY)

# Jobs may run in an environment of their own (--software-deployment-method conda), which does not
# have this package installed.
shell.prefix(f"export PYTHONPATH={workflow.basedir}/workflow PYTHONUNBUFFERED=1; ")

# The lock that `make` installs; on a cluster's login node, say LOCK=gpu.
LOCK = os.environ.get("LOCK") or ("gpu" if shutil.which("nvidia-smi") else "cpu")
ENVIRONMENT = f"../../envs/{LOCK}.yaml"


def one_of(names):
    """A wildcard's pattern: exactly these names."""
    return "|".join(re.escape(name) for name in sorted(names)) or "(?!)"


TRAINED = one_of({run.name for run in RUNS.values()})


wildcard_constraints:
    model=one_of(STUDY.models),
    run=f"{runs.BASE}|{TRAINED}",
    decoded=f"(?:{runs.BASE}|{TRAINED})(?:-checkpoints)?",
    rows=one_of(runs.row_sources(STUDY)),
    table=one_of(STUDY.tables),
    figure=one_of(FIGURES),


def as_json(settings):
    """Settings as one argument of a step's command line."""
    return json.dumps(settings, ensure_ascii=False)


def benchmark_files():
    return expand(
        RESULTS + "/data/benchmarks/{benchmark}.parquet", benchmark=STUDY.benchmarks
    )


def score_files(model, names):
    return expand(RESULTS + "/scores/{model}/{name}.parquet", model=model, name=names)


def row_settings(wildcards):
    return as_json(runs.source_settings(STUDY, wildcards.rows))


def row_file(wildcards):
    return runs.local_file(STUDY, wildcards.rows) or []


def pretrain_settings(wildcards):
    return as_json(runs.pretrain_settings(STUDY, wildcards.model))


def fetch_settings(wildcards):
    return as_json(runs.fetch_settings(STUDY, wildcards.model))


def check_settings(wildcards):
    return as_json(runs.check_settings(STUDY, wildcards.model))


def train_settings(wildcards):
    return as_json(runs.run_settings(STUDY, wildcards.model, wildcards.run))


def decoding_settings(wildcards):
    return as_json(runs.decoding_settings(STUDY, wildcards.model))


def histogram_settings(wildcards):
    return as_json(runs.histogram_settings(STUDY, wildcards.model))


def model_title(model):
    return STUDY.models[model].title


def method_titles():
    return {"base": "Base"} | {
        name: method.title for name, method in STUDY.methods.items()
    }


def run_names(model, method, seeds=None, **overrides):
    """The runs of a method, one for each seed; the base model is one."""
    if method == runs.BASE:
        return [runs.BASE]
    return [
        run.name for run in runs.runs_of(STUDY, model, [method], seeds, **overrides)
    ]


def table_layout(name):
    """What rectify.tabulate is told: the table's rows, columns and score files."""
    table = STUDY.tables[name]
    return {
        "name": name,
        "caption": table.caption,
        "benchmarks": [
            {"name": key, "title": value.title, "published": value.published}
            for key, value in STUDY.benchmarks.items()
        ],
        "rows": [
            {
                "model": model,
                "model_title": model_title(model),
                "published": STUDY.models[model].published,
                "method": method,
                "method_title": method_titles()[method],
                "setting": (
                    "-" if method == runs.BASE else STUDY.methods[method].setting
                ),
                "scores": score_files(model, run_names(model, method)),
            }
            for model in table.models or STUDY.models
            for method in table.methods
        ],
    }


def table_inputs(wildcards):
    return [
        file for row in table_layout(wildcards.table)["rows"] for file in row["scores"]
    ]


def figure1_layout():
    figure = STUDY.figures.figure1
    curves = []
    for method in figure.methods:
        names = run_names(figure.model, method, figure.seeds)
        along = [f"{name}-checkpoints" for name in names]
        curves.append(
            {
                "method": method,
                "checkpoints": score_files(figure.model, along),
                "final": score_files(figure.model, names),
                "log": f"{RESULTS}/models/{figure.model}/{names[0]}/train.csv",
            }
        )
    return {"base": score_files(figure.model, [runs.BASE])[0], "curves": curves}


def figure2_layout():
    figure = STUDY.figures.figure2
    pattern = RESULTS + "/histograms/{model}/{name}.parquet"
    return {
        "histograms": [
            {
                "method": method,
                "files": expand(
                    pattern,
                    model=figure.model,
                    name=run_names(figure.model, method, figure.seeds),
                ),
            }
            for method in figure.methods
        ]
    }


def figure3_layout():
    figure = STUDY.figures.figure3
    points = []
    for setting, value in runs.sweep_points(figure):
        for method in figure.methods:
            names = run_names(figure.model, method, figure.seeds, **{setting: value})
            scores = score_files(figure.model, names)
            points.append(
                {"method": method, "setting": setting, "value": value, "scores": scores}
            )
    return {"points": points}


def figure_layout(name):
    """What rectify.plot is told: the figure's files, and how to name and colour its lines."""
    layouts = {
        "figure1": figure1_layout,
        "figure2": figure2_layout,
        "figure3": figure3_layout,
    }
    return {
        "methods": method_titles(),
        "benchmarks": {
            name: benchmark.title for name, benchmark in STUDY.benchmarks.items()
        },
        "samples": STUDY.decoding.samples,
        **layouts[name](),
    }


def files_in(layout):
    """Every file of the study's results that a layout names."""
    if isinstance(layout, str):
        return [layout] if layout.startswith(RESULTS + "/") else []
    parts = layout.values() if isinstance(layout, dict) else layout
    return (
        [file for part in parts for file in files_in(part)]
        if hasattr(parts, "__iter__")
        else []
    )


def figure_inputs(wildcards):
    files = files_in(figure_layout(wildcards.figure))
    # a training log lies in its run's folder, which is the output that Snakemake knows
    return [file.removesuffix("/train.csv") for file in files]


def table_settings(wildcards):
    return as_json(table_layout(wildcards.table))


def figure_settings(wildcards):
    return as_json(figure_layout(wildcards.figure))
