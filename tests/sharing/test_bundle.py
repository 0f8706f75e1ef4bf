"""The archive of a study: the same bytes each time, and its tables again somewhere else."""

import json
import os
import subprocess
import sys
import tarfile

import pytest
from helpers import ROOT, one_line, step
from rectify.sharing.bundle import pack
from rectify.study.load import load_study
from small_study import inside

# what a reader without a GPU need not have; and no rectify but the bundle's
INTERPRETER = """
import runpy, sys
class Missing:  # not None in sys.modules: scipy takes a torch that is there for imported
    def find_spec(name, path=None, target=None):
        if name in ("torch", "transformers", "vllm", "trl", "datasets", "snakemake", "pydantic"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing)
import rectify
assert not rectify.__file__.startswith({root!r}), rectify.__file__
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def packed(folder, to):
    with inside(folder):
        pack(load_study("config/small.yaml"), to)
    return to.read_bytes()


@pytest.fixture(scope="module")
def archive(small_study, tmp_path_factory):
    file = tmp_path_factory.mktemp("packed") / "small.tar.gz"
    packed(small_study, file)
    return file


@pytest.fixture
def unpacked(archive, tmp_path):
    """The bundle, unpacked elsewhere."""
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    return tmp_path / "rectify-small"


@pytest.mark.slow
def test_the_same_results_give_the_same_bytes(archive, study_copy, tmp_path):
    for file in study_copy.rglob("*"):
        os.utime(file, (1, 1))
    assert packed(study_copy, tmp_path / "again.tar.gz") == archive.read_bytes()


def test_every_file_is_in_the_checksums_and_a_changed_one_is_found(unpacked):
    def check():
        command = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
        return subprocess.run(command, cwd=unpacked, capture_output=True, text=True, check=False)

    done = check()
    assert done.returncode == 0, done.stdout
    files = {str(file.relative_to(unpacked)) for file in unpacked.rglob("*") if file.is_file()}
    assert {line.split(": ")[0] for line in done.stdout.splitlines()} == files - {"SHA256SUMS"}
    (unpacked / "results/small/tables/table1.csv").write_text("changed")
    assert "table1.csv: FAILED" in check().stdout


def test_its_metadata_names_every_file_and_every_step(unpacked):
    entries = json.loads((unpacked / "ro-crate-metadata.json").read_text())["@graph"]
    graph = {entry["@id"]: entry for entry in entries}
    assert len(graph) == len(entries)
    lines = (unpacked / "SHA256SUMS").read_text().splitlines()
    sums = {name: sha256 for sha256, name in (line.split("  ") for line in lines)}
    del sums["ro-crate-metadata.json"]
    assert {name: graph[name]["sha256"] for name in sums} == sums
    table = graph["#results/small/tables/table1"]
    scores = "results/small/scores/m/dft-seed0.parquet"
    assert {"@id": scores} in table["object"]
    assert {"@id": "results/small/tables/table1.csv"} in table["result"]
    steps = {graph[action["@id"]]["name"] for action in graph["./"]["mentions"]}
    assert {"rectify train", "rectify decode", "rectify score", "rectify render_report"} <= steps


def test_it_holds_what_the_numbers_came_from(unpacked, small_study):
    for pattern in (
        "*.manifest.json",
        "tables/*",
        "figures/*",
        "statistics/*",
        "report.html",
        "scores/*/*",
        "samples/*/*",
    ):
        for file in (small_study / "results/small").rglob(pattern):
            copy = unpacked / file.relative_to(small_study)
            assert copy.read_bytes() == file.read_bytes()
    with inside(small_study):
        study = load_study("config/small.yaml")
    assert load_study(unpacked / "study.yaml").model_dump() == study.model_dump()
    needed = (unpacked / "requirements.txt").read_text()
    assert "math-verify==" in needed
    assert "torch" not in needed


@pytest.mark.slow
def test_the_tables_are_made_again_elsewhere_byte_for_byte(unpacked, tmp_path):
    (tmp_path / "light.py").write_text(INTERPRETER.format(root=str(ROOT)))
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/light.py" "$@"\n')
    python.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def rebuild():
        return subprocess.run(
            ["./rebuild.sh"], cwd=unpacked, env={**environment, "PYTHON": str(python)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = rebuild()
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the tables are those of the bundle, byte for byte\n")
    tables = {file.name: file for file in (unpacked / "results/small/tables").glob("*.[cmt]*")}
    for name in ("table1.csv", "table1.md", "table1.tex", "disagreements.md", "health.csv",
                 "contamination.csv"):  # fmt: skip
        rebuilt = unpacked / "rebuilt/results/small/tables" / name
        assert rebuilt.read_bytes() == tables[name].read_bytes()
    change_an_answer(unpacked / "results/small/samples/m/dft-seed0.part1of2.parquet")
    assert rebuild().returncode != 0  # else the script would not have looked


def test_what_is_run_again_is_what_the_manifests_say(study_copy, tmp_path):
    folder = study_copy / "results/small"
    for name, key, value in (
        ("tables/table1", "settings", {"caption": "Another."}),
        ("scores/m/base", "options", {"out": "results/small/scores/m/other name.parquet"}),
        ("scores/m/base", "options", {"graders": ["a=exact", "b=own.py:same"]}),
    ):
        file = folder / f"{name}.manifest.json"
        manifest = json.loads(file.read_text())
        manifest[key] |= value
        file.write_text(json.dumps(manifest))
    packed(study_copy, tmp_path / "small.tar.gz")
    with tarfile.open(tmp_path / "small.tar.gz") as opened:
        texts = {
            name: opened.extractfile(f"rectify-small/{name}").read().decode()
            for name in ("rebuild.sh", "settings/table1.json")
        }
    assert json.loads(texts["settings/table1.json"])["caption"] == "Another."
    lines = [line.split() for line in texts["rebuild.sh"].splitlines()]
    commands = [line[1:] for line in lines if line and line[0] == "rectify"]
    steps = ["score"] * 4 + ["tabulate_scores", "list_disagreements", "tabulate_health",
                             "tabulate_overlaps"]  # fmt: skip
    assert [words[0] for words in commands] == steps  # each after those of what it reads
    assert "--out 'results/small/scores/m/other name.parquet'" in texts["rebuild.sh"]
    # a grader of one's own lies above the folder that the tables are made again in; no other
    assert texts["rebuild.sh"].count("--graders") == 1
    assert "--graders a=exact b=../own.py:same" in texts["rebuild.sh"]
    table = "--published config/published.csv --out results/small/tables/table1"
    assert commands[4] == ["tabulate_scores", *table.split(), "--settings", "settings/table1.json"]


def change_an_answer(file):
    import pandas as pd

    samples = pd.read_parquet(file)
    wrong = samples["text"].str.contains("{-1}", regex=False)
    samples.loc[wrong[~wrong].index[0], "text"] = "so \\boxed{-1}"
    samples.to_parquet(file, index=False)


@pytest.mark.slow
def test_a_bundle_can_be_traced_without_its_models(unpacked):
    table = "results/small/tables/table1.csv"
    done = step("trace", table, "--cell", "m,dft,easy", "--setting", "sft", cwd=unpacked)
    assert done.returncode == 0, done.stderr
    assert "13 files and folders: 9 unchanged, 4 not here" in done.stdout


def test_a_figures_point_can_be_traced_in_it_without_what_draws(unpacked, tmp_path):
    light = INTERPRETER.format(root=str(ROOT)).replace('"pydantic"', '"matplotlib"')
    (tmp_path / "light.py").write_text(light)
    words = ("trace", "results/small/figures/figure3.csv", "--cell", "dft,learning_rate,0.0002")
    done = subprocess.run(
        [sys.executable, tmp_path / "light.py", "-m", "rectify", *words], cwd=unpacked,
        env={**os.environ, "PYTHONPATH": str(unpacked / "workflow")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "results/small/scores/m/dft-lr0.0002-seed0.parquet" in done.stdout
    needed = (unpacked / "requirements.txt").read_text()
    assert "pydantic==" in needed
    assert "matplotlib" not in needed


def test_a_study_that_is_not_finished_is_one_line(study_copy):
    (study_copy / "results/small/samples/m/base.part2of2.parquet").unlink()
    done = step("bundle", "config/small.yaml", cwd=study_copy)
    one_line(done, "samples/m/base.part2of2.parquet: no such file; finish the study first")
    assert not list((study_copy / "results/small").glob("*small.tar.gz*"))


def test_a_result_without_its_manifest_is_one_line(study_copy):
    for name in ("samples/m/base.part2of2", "tables/table1"):
        (study_copy / f"results/small/{name}.manifest.json").unlink()
    done = step("bundle", "config/small.yaml", cwd=study_copy)
    one_line(done, "tables/table1.csv and 3 more: no manifest; every result of a bundle has one")
