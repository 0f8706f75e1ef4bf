"""A whole study on SLURM: the tables of a local run, from jobs that asked for what they should."""

import re

import pandas as pd
from helpers import snakemake, step
from loopback import DEFAULTS, SIZES, copy_project, jobs_of, run_id, start

STUDY = ("--configfile", "config/smoke.yaml")


def asked_for(record):
    """What a job asked SLURM for, from scontrol's record of it."""
    gpu = re.search(r"TresPer(?:Job|Node)=gres:gpu:(\d+)", record)
    return {
        "slurm_partition": re.search(r" Partition=(\w+)", record)[1],
        "mem_mb": int(re.search(r"MinMemoryNode=(\d+)M", record)[1]),
        "runtime": int(re.search(r"TimeLimit=00:(\d\d):00", record)[1]),
        "gpu": int(gpu[1]) if gpu else 0,
    }


def test_the_smoke_study_gives_the_tables_of_a_local_run(tmp_path):
    remote, local = copy_project(tmp_path / "remote"), copy_project(tmp_path / "local")
    process = start(remote, "tables", *STUDY)
    assert process.wait(1200) == 0, (remote / "snakemake.log").read_text()[-3000:]

    jobs = jobs_of(run_id(remote))
    rules = set()
    for record in jobs.values():
        rule = re.search(r"Comment=rule_([a-z]+_[a-z]+)", record)[1]
        rules.add(rule)
        expected = {**DEFAULTS, "gpu": 0, **SIZES.get(rule, {})}
        assert asked_for(record) == expected, record
    assert rules >= {"train_model", "pretrain_model", "decode_benchmarks", "sample_rows"}

    done = snakemake("tables", *STUDY, cwd=local)
    assert done.returncode == 0, done.stderr[-3000:]
    samples = sorted(
        file.relative_to(local) for file in local.glob("results/smoke/samples/**/*.parquet")
    )
    assert len(samples) >= 6
    # what the tables are of: models trained so little have hardly an answer right
    for file in samples:
        pd.testing.assert_frame_equal(pd.read_parquet(remote / file), pd.read_parquet(local / file))
    files = (local / "results/smoke/tables").iterdir()
    tables = sorted(file.name for file in files if file.suffix != ".json")  # no manifests
    assert len(tables) >= 8
    for name in tables:
        file = f"results/smoke/tables/{name}"
        assert (remote / file).read_bytes() == (local / file).read_bytes(), name


def test_a_partition_that_slurm_refuses_is_found_before_the_run(tmp_path):
    profile = tmp_path / "profile.yaml"
    profile.write_text("default-resources: {slurm_partition: cpu}\n")
    arguments = ("doctor", "config/smoke.yaml", "--profile", profile)
    assert "ok    job of any other rule" in step(*arguments).stdout
    profile.write_text("default-resources: {slurm_partition: nowhere}\n")
    done = step(*arguments)
    assert done.returncode == 1
    assert re.search("FAIL  job of any other rule: .*[Ii]nvalid partition", done.stdout), (
        done.stdout
    )


def test_a_partition_that_slurm_refuses_ends_the_run_in_one_line(tmp_path):
    remote = copy_project(tmp_path / "remote")
    process = start(remote, "tables", *STUDY, changes={"default": {"slurm_partition": "nowhere"}})
    assert process.wait(300) != 0
    assert "invalid partition" in (remote / "snakemake.log").read_text().lower()
