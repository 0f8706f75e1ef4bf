# What the rules share: the study, its names, and each job's settings and inputs.

import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from snakemake.settings.types import DeploymentMethod, MaxJobsPerTimespan

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from rectify.jobs import expected, layouts, paths, runs
from rectify.jobs.bases import pretrained_bases
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
from rectify.jobs.stale import stale_results
from rectify.paper.figure import figures
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

TABLES = [*STUDY.tables, "disagreements", "contamination"] if STUDY.tables else []
FIGURES = layouts.figure_names(STUDY)
RUNS = runs.all_runs(STUDY)
CHECKED = paths.checked(STUDY)
# parts that a model's problems are decoded in; one alone has no name
PARTS = paths.part_names(STUDY)
# base models, as wildcards name them: MODEL/base, or MODEL/base-seed0 and so on
PRETRAINED = ["/".join(pair) for pair in pretrained_bases(STUDY)]
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
    decoded=f"(?:{BASE_NAMES}|{TRAINED})(?:-checkpoints)?",
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


def benchmark_files():
    return paths.benchmark_files(STUDY)


# The results that have to be made again, by their manifests; a job's own Snakemake, on its node, has
# been told what to make.
STALE = {}
if workflow.is_main_process:
    STALE = stale_results(expected.results_of(STUDY))


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


@cache
def settings_of(made_by, *names):
    """The file that a rule's job has its settings from; a dry run does not write it."""
    given = RULES[made_by](STUDY, *names)
    return settings_file(STUDY, made_by, given, write=not workflow.dryrun)


def settings(made_by, *names):
    """The same, by the wildcards that name what the job makes."""
    return lambda wildcards: settings_of(made_by, *map(wildcards.get, names))


def base_settings(made_by):
    """The same, where that is a base model."""
    return lambda wildcards: settings_of(made_by, *wildcards.base_model.split("/"))


def check_settings(wildcards):
    """The same, where that is what was found about a base model or a ready checkpoint."""
    return settings_of("check_model", *wildcards.checked.split("/"))


def row_files(wildcards):
    """The local file that rows come from, or all files of a data set's local folder."""
    source = Path(local_source(STUDY, wildcards.rows) or "")
    if source.is_file():
        return str(source)
    return list(map(str, held(source))) if source.is_dir() and source.name else []


def mixed_rows(wildcards):
    """Rows that are mixed into these."""
    return paths.mixed_rows(STUDY, wildcards.rows)


def mixed_option(wildcards, input):
    """Of rectify sample_rows."""
    return f" --mixed {input.mixed}" if input.mixed else ""


def data_dir(wildcards):
    """Where a local file is looked for; no matter to rows from elsewhere."""
    return STUDY.data_dir if row_sources(STUDY)[wildcards.rows][1].file else "."


def study_given(wildcards):
    """The file with the study, as it is verified."""
    return study_file(STUDY, write=not workflow.dryrun)


def pretraining_rows(wildcards):
    model, _ = wildcards.base_model.split("/")
    return paths.rows(STUDY, f"pretraining/{model}")


def model_files(wildcards):
    """The files of a local or kept model folder, so that new weights are noticed."""
    model, base = wildcards.base_model.split("/")
    folder = Path(SETTINGS["fetch_model"](STUDY, model, base)["path"])
    return list(map(str, held(folder))) if folder.is_dir() else []


def gguf_file(wildcards):
    """The local GGUF file that a base model is made of."""
    model, _ = wildcards.base_model.split("/")
    file = STUDY.models[model].gguf
    return [] if "://" in file else file


def part_of(wildcards):
    """A part of the problems as `rectify decode --part` takes it."""
    return f"{PARTS.index(wildcards.part) + 1}/{len(PARTS)}"


def sample_files(wildcards):
    """All parts of a model's samples."""
    return paths.sample_files(STUDY, wildcards.model, wildcards.decoded)


def answer_files(wildcards):
    """All parts of a base model's own answers to the training questions."""
    names = [f"samples{part}.parquet" for part in PARTS]
    whose = wildcards.model, wildcards.base
    return [paths.own_answers(STUDY, *whose, name) for name in names]


def question_limit(wildcards):
    count = STUDY.self_sampling.questions
    return f"--count {count}" if count else ""


def processes_per_node(wildcards, resources):
    """A training's processes on each of its nodes: one for each of the job's GPUs."""
    return max(1, resources.gpu // resources.nodes)


def run_of(wildcards):
    return RUNS[wildcards.model, wildcards.run]


def training_settings(wildcards):
    given = run_settings(STUDY, run_of(wildcards))
    return settings_file(STUDY, "train_model", given, write=not workflow.dryrun)


def run_step(wildcards):
    """The step that trains a run: train, dpo, grpo or ppo."""
    return STUDY.methods[run_of(wildcards).method].step


def run_code(wildcards):
    return code_sha256(run_step(wildcards))


def own_objective(wildcards):
    """A user's own file, if the objective of a run is in one."""
    return expected.own_file(STUDY, run_of(wildcards).method)


def base_of_run(wildcards):
    """The base model that a run starts from."""
    run = run_of(wildcards)
    return paths.model(STUDY, run.model, runs.base_name(STUDY, run.model, run.seed))


def reference_of_run(wildcards):
    """The model that a run takes for its reference, where it is another run's."""
    return paths.reference(STUDY, run_of(wildcards))


def reference_option(wildcards, input):
    """Of rectify train."""
    return f" --reference {input.reference}" if input.reference else ""


def run_rows(wildcards):
    """What a run is trained on."""
    return paths.training_rows(STUDY, run_of(wildcards))


def gate_of_base(wildcards):
    """What lets a base model, or a ready checkpoint, be decoded; a trained one has been let through
    before its training.
    """
    run = wildcards.model, wildcards.run
    trained = run in RUNS and wildcards.run not in READY
    return [] if trained else paths.gate(STUDY, *run)


def first_model(wildcards):
    """What is checked before any training: a base model, a miniature's random weights, or a ready
    checkpoint.
    """
    if wildcards.checked in CHECKPOINTS:
        return paths.model(STUDY, wildcards.checked)
    base = f"{wildcards.checked}/{runs.base_names(STUDY, wildcards.checked)[0]}"
    return (paths.initial if base in PRETRAINED else paths.model)(STUDY, base)


def table_inputs(wildcards):
    return layouts.files_in(layouts.table_layout(STUDY, wildcards.table))


def figure_code(wildcards):
    """The step's modules, and the figure's."""
    return code_sha256("plot_figure", wildcards.figure)


def figure_caption(wildcards):
    return figures()[wildcards.figure].CAPTION


def figure_inputs(wildcards):
    own = expected.drawn_files(STUDY, wildcards.figure)
    return [*layouts.files_in(layouts.figure_layout(STUDY, wildcards.figure)), *own]
