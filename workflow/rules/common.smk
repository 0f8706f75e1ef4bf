# What the rules share: the study, its names, and what has to be made again.

import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from snakemake.settings.types import DeploymentMethod, MaxJobsPerTimespan

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from rectify.jobs import layouts, paths, retention, runs, sweeps
from rectify.jobs.cards import card_layout
from rectify.jobs.preflight import check_files, check_runs
from rectify.jobs.settings import (
    SETTINGS,
    grader_files,
    graders,
    local_source,
    row_sources,
    run_settings,
)
from rectify.jobs.settings_files import RULES, settings_file, study_file
from rectify.paper.figure import figures
from rectify.reruns import expected, needed
from rectify.reruns.stale import stale_results
from rectify.step import warm
from rectify.step.environment import code_sha256
from rectify.step.errors import StepError
from rectify.step.manifest import held
from rectify.study.load import load_study

STARTED = time.time()
try:
    STUDY = load_study(config)
    check_files(STUDY)
    check_runs(STUDY, Path("config/published.csv"))
except StepError as error:
    sys.exit(f"rectify: {error}")

EXTRA = ["health", "disagreements", "contamination"]  # which the tables' scores give
TABLES = [*STUDY.tables, *EXTRA] if STUDY.tables else []
TABLES += ["retention"] if STUDY.retains else []
TABLES += ["learning_rates"] if sweeps.swept_runs(STUDY) else []
FIGURES = layouts.figure_names(STUDY)
RUNS = runs.all_runs(STUDY)
CHECKED = paths.checked(STUDY)
# parts that a model's problems are decoded in; one alone has no name
PARTS = paths.part_names(STUDY)
# base models, as wildcards name them: MODEL/base, or MODEL/base-seed0 and so on
PRETRAINED = ["/".join(pair) for pair in runs.pretrained_bases(STUDY)]
CONVERTED = [
    f"{name}/{runs.BASE}" for name, model in STUDY.models.items() if model.gguf
]
BASES = [
    f"{model}/{name}"
    for model in STUDY.models
    for name in runs.base_names(STUDY, model)
]

# Jobs run this interpreter's `python` and this package, whether or not the environment is activated;
# an environment of a job's own (--software-deployment-method conda) still comes first on its PATH.
os.environ.update(
    PATH=os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    ),
    PYTHONPATH=str(Path(workflow.basedir) / "workflow"),
    PYTHONUNBUFFERED="1",
)

# The lock that `make` installs; on a cluster's login node, say LOCK=gpu.
LOCK = os.environ.get("LOCK") or (
    "gpu" if subprocess.getstatusoutput("nvidia-smi")[0] == 0 else "cpu"
)
# each job's own environment, where that is asked for; else Snakemake would work out all jobs'
# parameters to look for it
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
ENVIRONMENT = f"{workflow.basedir}/envs/{LOCK}.yaml" if CONDA else None
# GPUs of a job that trains or decodes, unless a profile says more (set-resources)
GPU = 1 if LOCK == "gpu" else 0


def one_of(names):
    """A wildcard's pattern: exactly these names."""
    return "|".join(re.escape(name) for name in sorted(names)) or "(?!)"


TRAINED = one_of({run.name for run in RUNS.values()})
SWEPT = {run.name for run in RUNS.values() if STUDY.methods[run.method].sweep}
READY = {run.name for run in RUNS.values() if STUDY.methods[run.method].checkpoint}
BASE_NAMES = one_of({name.split("/")[1] for name in BASES})
PPO = {run.name for run in RUNS.values() if STUDY.methods[run.method].ppo}

# ready checkpoints beside the runs, as MODEL/RUN
CHECKPOINTS = [f"{model}/{name}" for model, name in RUNS if name in READY]
# what comes from a folder or the hub
FETCHED = {*BASES, *CHECKPOINTS} - set(PRETRAINED) - set(CONVERTED)


wildcard_constraints:
    model=one_of(STUDY.models),
    run=f"{BASE_NAMES}|{TRAINED}",
    decoded=f"(?:{BASE_NAMES}|{TRAINED})(?:-checkpoints|-validation|-retention)?",
    base=BASE_NAMES,
    base_model=one_of({*BASES, *FETCHED}),
    checked=one_of([*STUDY.models, *CHECKPOINTS]),
    part=r"(?:\.part\d+of\d+)?",
    rows=one_of(row_sources(STUDY)),
    table=one_of(STUDY.tables),
    figure=one_of(FIGURES),


def lift_job_rate():
    """Take Snakemake's default limit on jobs per second away, not one that was asked for.

    Under a limit it looks at all that waits once more in each second for every job that has ended
    (findings/snakemake-each-finished-job-adds-a-scheduling-timer.sh).
    """
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and vars(limit) == vars(MaxJobsPerTimespan.parse_choice("100/1s")):
        workflow.scheduler.job_rate_limiter = None


def warm_up():
    """Have steps start warm where they run beside this process, in its environment."""
    if workflow.local_exec and workflow.is_main_process and not CONDA:
        warm.start()


def print_errors():
    """The one-line errors of this run's jobs, from their logs."""
    for file in sorted(Path("logs").glob(f"*/{STUDY.study}*/**/*.log")):
        if file.stat().st_mtime >= STARTED:
            lines = file.read_text(errors="replace").splitlines()
            for line in lines:
                if re.match(r"rectify \w+: ", line):
                    print(f"{line}  ({file})", file=sys.stderr)


def benchmark_files(role="test"):
    return paths.benchmark_files(STUDY, role)


# The results that have to be made again, by their manifests; a job's own Snakemake, on its node, has
# been told what to make.
STALE = {}
if workflow.is_main_process:
    STALE = stale_results(needed.results_of(STUDY))


def stale_forced(wildcards):
    """No input: has Snakemake make stale results anew, of which its own records may not tell.

    They know nothing of a manifest or one of several outputs that is gone, nor of results that were
    brought from another checkout.
    """
    workflow.dag.forcefiles.update(STALE)
    return []


def gates_due():
    """The gates, `checks/<model>/<run>`, of the models that are to be trained now.

    Every training has its model's gate as an input, and so has the decoding of a base model. Those
    that are due are made by check_models: nothing is trained before all has been read and checked.
    The gate of a model that is what the study says is a file like any other, so that its training
    does not hang behind the checks; and no edge does that Snakemake may skip, as it does `ancient`
    ones behind jobs that it runs anyway.
    """
    names = BASES + ["/".join(run) for run in RUNS]
    gates = {paths.model(STUDY, name): Path(paths.gate(STUDY, name)) for name in names}
    for folder, gate in gates.items():
        if workflow.is_main_process and folder not in STALE and not gate.exists():
            gate.parent.mkdir(parents=True, exist_ok=True)
            gate.touch()
    return [str(gate) for folder, gate in gates.items() if folder in STALE]
