"""What the bare `snakemake --profile slurm` asks for: its dry run, and the plugin's own words."""

import re
import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest
import yaml
from helpers import ROOT, SMOKE, snakemake

PROFILE = yaml.safe_load((ROOT / "profiles" / "slurm" / "profile.yaml").read_text())


@pytest.fixture(scope="module")
def jobs():
    """Of each rule, every job's (resources, shell command) in a dry run of the paper's study, to
    which are added a gallery, the one figure whose rows may be weighed, a sweep, for which
    validation problems are asked, and what training should not hurt.
    """
    model = "qwen2.5-math-1.5b"
    held = "{title: held, role: validation, rows: 9, world: {steps: [1, 2]}}"
    kept = "{title: kept, role: retention, rows: 9, world: {steps: [1, 2]}}"
    sweep = "{of: sft, learning_rates: [1.0e-5, 2.0e-5]}"
    added = {
        "benchmarks": f"{{held: {held}, kept: {kept}}}",
        "retention": "{rows: {rows: 9, world: {steps: [1, 2]}}}",
        "methods": f"{{sft-own: {{title: SFT (own), sweep: {sweep}, models: [{model}]}}}}",
        "tables": f"{{own: {{caption: Own., methods: [sft-own], models: [{model}]}}}}",
        "figures": f"{{gallery: {{model: {model}, methods: [dft], weigh_rows: [dft]}}}}",
    }
    config = ("--config", *(f"{key}={value}" for key, value in added.items()))
    done = snakemake("-n", "-p", "--profile", "slurm", *config, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = defaultdict(list)
    for text in re.split(r"\n(?=(?:local)?rule )", done.stdout + done.stderr):
        head = re.match(r"(?:local)?rule (\w+):", text)
        listed = re.search(r"resources: (.*)", text)
        if head and listed:
            resources = dict(part.split("=", 1) for part in listed[1].split(", "))
            found[head[1]].append((resources, text))
    return found


@pytest.mark.slow
def test_every_job_asks_for_what_the_profile_says(jobs):
    for rule, sizes in PROFILE["set-resources"].items():
        assert jobs[rule], rule
        for resources, _ in jobs[rule]:
            for key in ("gpu", "mem_mb"):
                if key in sizes:
                    assert resources[key] == str(sizes[key]), (rule, key)
            if "runtime" in sizes:  # `attempt * N` minutes, at the first attempt
                assert resources["runtime"] == sizes["runtime"].split("* ")[1]
            if sizes.get("gpu"):
                assert resources["tasks_per_gpu"] == "0"


def test_a_training_has_a_process_for_each_of_its_gpus(jobs):
    for rule, processes in (("train_model", 8), ("train_ppo", 1)):
        for _, text in jobs[rule]:
            assert f"rectify launch --processes {processes} --nodes 1 -- " in text


@pytest.mark.slow
def test_two_nodes_share_out_the_gpus_of_a_job():
    size = ("train_model:gpu=16", "train_model:nodes=2")
    target = "results/paper/models/qwen2.5-math-1.5b/dft-seed0"
    done = snakemake("-n", "-p", target, "--profile", "slurm", "--set-resources", *size, cwd=ROOT)
    assert "rectify launch --processes 8 --nodes 2 -- train" in done.stdout + done.stderr


class Resources(dict):
    """As Snakemake hands them to its executors."""

    __getattr__ = dict.get


@pytest.mark.parametrize("nodes", [1, 2])
def test_slurm_is_asked_for_one_task_on_each_node(nodes):
    """A task per GPU would multiply the CPUs, and start as many torchruns."""
    from snakemake_executor_plugin_slurm.submit_string import get_submit_command

    resources = Resources(gpu=8 * nodes, nodes=nodes, tasks_per_gpu=0, mem_mb=1000, runtime=60)
    job = SimpleNamespace(resources=resources, threads=16)
    words = {"run_uuid": "x", "slurm_logfile": "x", "comment_str": "x", "account": "",
             "partition": "", "workdir": "."}  # fmt: skip
    command = get_submit_command(job, words)
    assert "ntasks" not in command
    assert f"--nodes={nodes}" in command
    assert "--cpus-per-task=16" in command


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "left"), [((), sys.maxsize), (("--max-jobs-per-timespan", "50/1s"), 50)]
)
def test_jobs_have_no_rate_unless_one_is_asked_for(checkout, asked, left):
    """Under a rate Snakemake starts a timer for each job that ends; without, it counts no jobs."""
    rows = "results/smoke/data/benchmarks/six-steps.parquet"
    done = snakemake(*SMOKE, "--verbose", "--force", rows, *asked, cwd=checkout)
    assert done.returncode == 0, done.stderr
    selected = re.findall(r"Resources after job selection: .*'_job_count': (\d+)", done.stderr)
    assert int(selected[0]) == left
