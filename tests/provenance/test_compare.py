"""Two runs of a study side by side: verdicts by closed forms, likely causes, a reference."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import one_line, settings_file, step
from rectify.provenance.compare import DIFFERENT, IDENTICAL, UNJUDGED, WITHIN, verdict
from rectify.provenance.differences import likely_cause
from rectify.provenance.manifests import load_manifests
from rectify.provenance.processors import expected, processors
from rectify.statistics.accuracy import cell_of
from rectify.statistics.spread import Z
from small_study import answers, as_step, inside, model_folder, run

RESULTS = "results/small"
MADE = ("tables/table1", "figures/figure3", "scores/m/dft-seed0", "models/m/dft-seed0")


def row(**columns):
    return pd.Series({key: str(value) for key, value in columns.items()})


@pytest.mark.parametrize(("factor", "expected"), [(0.999, WITHIN), (1.001, DIFFERENT)])
def test_the_joint_interval_of_two_standard_errors_is_their_root_of_squares(factor, expected):
    bound = Z * np.hypot(3.0, 4.0)
    first = row(accuracy=50, stderr=3)
    assert verdict(first, row(accuracy=50 + factor * bound, stderr=4), "accuracy") == expected
    assert verdict(first, row(accuracy=50 - factor * bound, stderr=4), "accuracy") == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(4, 14.9, DIFFERENT), (4, 20, WITHIN), (-90, 14.9, DIFFERENT)],
)
def test_of_unequal_arms_those_that_face_each_other_count(low, high, expected):
    """hypot(high - 10, 20 - 11.5) against 20 - 10: 9.8 at 14.9; no other arm does."""
    first = row(accuracy=10, stderr=1, low=low, high=high)
    second = row(accuracy=20, stderr=1, low=11.5, high=99)
    assert verdict(first, second, "accuracy") == expected
    assert verdict(second, first, "accuracy") == expected


@pytest.mark.slow
def test_of_independent_runs_alike_one_cell_in_twenty_is_different():
    """Problems and samples drawn anew for each run: the nominal 5 %, to 4 standard errors."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(2000):
        cells = [cell_of(rng.binomial(16, rng.beta(1, 1, (100, 1))) / 16, 16) for _ in range(2)]
        rows = [row(**vars(cell)) for cell in cells]
        found.append(verdict(*rows, "accuracy"))
    assert found.count(DIFFERENT) / 2000 == pytest.approx(0.05, abs=0.02)


def test_the_papers_number_is_no_part_of_a_cell_and_what_has_no_error_is_not_judged():
    cell = row(accuracy=50, stderr=3, published=1)
    assert verdict(cell, row(accuracy=50, stderr=3, published=2), "accuracy") == IDENTICAL
    bins = [row(low=0, high=0.1, share=share) for share in (0.2, 0.3)]
    assert verdict(*bins, "share") == UNJUDGED
    single = [row(accuracy=value, stderr="") for value in (50, 60)]  # of one problem
    assert verdict(*single, "accuracy") == UNJUDGED


def compared(folder, *folders):
    """Exit status and lines of a comparison."""
    done = step("compare", *folders, cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout.splitlines()


def counts(lines, file):
    """identical, within, different, no interval, only in A, only in B: of a file."""
    return [
        int(number) for line in lines if line.startswith(f"{file} ") for number in line.split()[1:]
    ]


def with_interval(folder):
    """How many cells and points of a results folder have a standard error."""
    files = [*folder.glob("tables/*.csv"), *folder.glob("figures/*.csv")]
    tables = [table for table in map(pd.read_csv, files) if "stderr" in table]
    return sum(int(table["stderr"].notna().sum()) for table in tables)


@pytest.mark.slow
def test_a_run_is_identical_to_itself(small_study):
    status, lines = compared(small_study, RESULTS, RESULTS)
    assert status == 0
    assert lines[0].startswith(f"A: {RESULTS}: ")
    assert lines[2] == "processors: of one kind; to be expected: every digit the same"
    judged = with_interval(small_study / RESULTS)
    assert lines[-1] == f"beyond the joint interval: 0 of {judged} values with an interval (0.0 %)"
    assert counts(lines, "tables/table1.csv") == [9, 0, 0, 0, 0, 0]
    assert counts(lines, "figures/figure3.csv") == [2, 0, 0, 0, 0, 0]
    assert not any("likely cause" in line for line in lines)


def test_numbers_that_name_a_cell_may_be_spelt_in_any_way(study_copy):
    shutil.copytree(study_copy / RESULTS, study_copy / "b", symlinks=True)
    file = study_copy / "b/figures/figure3.csv"
    lines = file.read_text().splitlines()
    assert any(",0.0002" in line for line in lines)
    file.write_text("\n".join(lines).replace(",0.0002", ",2.0e-4").replace(",0.0001", ",0.00010"))
    status, lines = compared(study_copy, RESULTS, "b")
    assert (status, counts(lines, "figures/figure3.csv")) == (0, [2, 0, 0, 0, 0, 0])


def test_a_cell_without_a_counterpart_is_a_difference(study_copy):
    shutil.copytree(study_copy / RESULTS, study_copy / "b", symlinks=True)
    file = study_copy / "b/figures/figure3.csv"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]))
    status, lines = compared(study_copy, RESULTS, "b")
    assert (status, counts(lines, "figures/figure3.csv")) == (1, [1, 0, 0, 0, 1, 0])
    assert lines[-1] == "cells without a counterpart in the other run's files: 1"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"easy": "near", "hard": "far"}, "its benchmarks are far, near, not easy, hard"),
        ({"m": "n"}, "its models are n, not m"),
    ],
)
def test_without_manifests_another_study_is_known_by_its_names(study_copy, changed, said):
    shutil.copytree(study_copy / RESULTS, study_copy / "b", symlinks=True)
    for file in (study_copy / "b").rglob("*.manifest.json"):
        file.unlink()
    for file in (study_copy / "b/tables").glob("*.csv"):
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        table.replace({"model": changed, "benchmark": changed}).to_csv(file, index=False)
    done = step("compare", RESULTS, "b", cwd=study_copy)
    one_line(done, "b: a results folder of another study", said)


def test_the_references_of_two_studies_are_not_compared():
    done = step("compare", "results/reference/mini", "results/reference/limits")
    one_line(done, "results/reference/limits: a results folder of another study")


@pytest.fixture
def other(study_copy):
    """The study, and beside it in `other` a run of it in which one training was another."""
    shutil.copytree(study_copy / RESULTS, study_copy / "other", symlinks=True)
    with inside(study_copy):
        retrain(learning_rate=3e-4)
        shutil.move(RESULTS, "new")
        shutil.move("other", RESULTS)
    return study_copy


def retrain(**settings):
    """Train dft-seed0 with other settings, to be always right, and make all that follows."""
    from rectify.data.rows import read_benchmarks

    manifests = load_manifests(Path(RESULTS))

    def options(name):
        manifest = manifests[f"{name}.manifest.json"]
        return {**manifest["options"], "settings": manifest["settings"]}

    train = options("models/m/dft-seed0")
    train["settings"] |= settings
    shutil.rmtree(train["out"])
    as_step("train", model_folder(b"other"), **train)
    for part in (1, 2):
        decode = options(f"samples/m/dft-seed0.part{part}of2")
        problems = read_benchmarks(decode["benchmarks"])
        as_step("decode", right(answers(problems, part, "dft-seed0"), problems), **decode)
    for name in ("scores/m/dft-seed0", "tables/table1"):
        words = []
        for key, value in options(name).items():
            if key == "settings":
                value = [settings_file(value)] if value else None
            if value is not None:
                words += [f"--{key}", *(value if isinstance(value, list) else [value])]
        run(manifests[f"{name}.manifest.json"]["step"], *words)


def right(write, problems):
    """The same samples with the gold answer in each."""
    gold = problems.set_index(["benchmark", "problem_id"])["answer"]

    def written(path):
        write(path)
        rows = pd.read_parquet(path)
        texts = [f"\\boxed{{{gold[r.benchmark, r.problem_id]}}}" for r in rows.itertuples()]
        rows.assign(text=texts).to_parquet(path, index=False)

    return written


@pytest.mark.slow
def test_cells_that_differ_are_shown_with_the_setting_that_did_it(other):
    status, lines = compared(other, RESULTS, "new")
    cells = [pd.read_csv(other / f / "tables/table1.csv") for f in (RESULTS, "new")]
    unequal = (cells[0]["accuracy"] != cells[1]["accuracy"]).sum()
    found = counts(lines, "tables/table1.csv")
    assert found[0] == 9 - unequal
    assert sum(found) == 9
    assert "of one kind" in lines[2]
    assert lines[2].endswith("every digit the same, but for what follows from other settings")
    beyond = f"{counts(lines, 'all')[2]} of {with_interval(other / 'new')} values"
    assert lines[-1].startswith(f"beyond the joint interval: {beyond} with an interval (")
    own = [line for line in lines if line.startswith("  m,")]
    assert len(own) == unequal
    assert all(line.startswith("  m,dft,sft,") for line in own)
    assert status == (found[2] > 0)
    causes = [line for line in lines if "likely cause" in line]
    assert len(causes) == 1
    assert f"of {unequal}: models/m/dft-seed0: settings.learning_rate: 0.0001 | 0.0003" in causes[0]


@pytest.mark.slow
def test_without_manifests_cells_are_compared_all_the_same(other):
    for file in (other / "new").rglob("*.manifest.json"):
        file.unlink()
    _, lines = compared(other, RESULTS, "new")
    assert "new: no manifests; causes cannot be told" in lines
    assert "processors: not known, as no result has a manifest in both" in lines
    assert sum(counts(lines, "tables/table1.csv")) == 9
    assert any(line.startswith("  m,dft,sft,easy: ") for line in lines)
    assert not any("likely cause" in line for line in lines)


@pytest.mark.slow
def test_one_manifest_that_is_missing_is_named(other):
    (other / "new/models/m/dft-seed0.manifest.json").unlink()
    _, lines = compared(other, RESULTS, "new")
    causes = [line for line in lines if "likely cause" in line]
    assert "no manifest in both: models/m/dft-seed0.manifest.json" in causes[0]


@pytest.mark.slow
def test_bad_input_is_one_line(study_copy):
    def fails(*folders, said):
        one_line(step("compare", *folders, cwd=study_copy), *said)

    fails(RESULTS, "gone", said=["gone: no such folder of results"])
    fails(RESULTS, "config", said=["config: no tables/*.csv or figures/*.csv in it"])
    for file in (shutil.copytree(study_copy / RESULTS, study_copy / "b", symlinks=True)).rglob("*"):
        if file.name.endswith(".manifest.json"):
            file.write_text(file.read_text().replace('"study": "small"', '"study": "paper"'))
    fails(RESULTS, "b", said=["b: a results folder of another study ('paper', not 'small')"])
    (study_copy / "b/tables/table1.manifest.json").write_text("{}")
    fails(RESULTS, "b", said=["table1.manifest.json: not a manifest"])


def manifest(step_, path, parents=(), content="same", **fields):
    """A manifest below results/s/, of other manifests' results and of one file from outside."""
    inputs = [
        {"path": each["outputs"][0]["path"], "sha256": each["outputs"][0]["sha256"],
         "manifest": {"path": each["outputs"][0]["path"] + ".manifest.json"}}
        for each in parents
    ]  # fmt: skip
    inputs.append({"path": "file", "sha256": fields.pop("file", "0"), "manifest": None})
    made = {"step": step_, "inputs": inputs, "settings": {}, "options": {}, "notes": {}}
    made |= {"code": {"files": {"a.py": "1"}}, "versions": {"torch": "2"}}
    made["machine"] = {"cpu": "x", "gpus": []}
    return made | {"outputs": [{"path": f"results/s/{path}", "sha256": content}]} | fields


def chain(train=None, score=None, content="same"):
    """Rows -> model -> table; `train` and `score` are fields in which a run differs."""
    rows = manifest("sample_rows", "rows", versions={"torch": content})  # decides nothing
    model = manifest("train", "model", [rows], content, **(train or {}))
    table = manifest("tabulate_scores", "table", [model], content, **(score or {}))
    paths = ("rows", "model", "table")
    return dict(zip((f"{p}.manifest.json" for p in paths), (rows, model, table), strict=True))


@pytest.mark.parametrize(
    ("train", "score", "said"),
    [
        ({"settings": {"seed": 1}}, None, "model: settings.seed: null | 1"),
        ({"file": "9"}, None, "model: inputs.file: 0 | 9"),
        ({"versions": {"torch": "3"}}, None, 'model: versions.torch: "2" | "3"'),
        ({"machine": {"cpu": "y"}}, None, 'model: machine.cpu: "x" | "y"'),
        (
            {"code": {"files": {"a.py": "2"}}},
            {"settings": {"seed": 1}},
            'model: code.a.py: "1" | "2" (1 more further on)',
        ),
        (None, {"settings": {"grader": "h"}}, 'table: settings.grader: null | "h"'),
        (None, None, "no field differs; model was made otherwise of the same"),
    ],
)
def test_the_likely_cause_is_the_first_field_of_the_first_step_that_made_something_else(
    train, score, said
):
    """What differs in a step with the same result (here the rows') is none."""
    found = likely_cause(
        chain(), chain(train, score, content="other"), "table.manifest.json", lambda path: True
    )
    assert found.startswith(said)


def on(cpu="x", kernels=None, gpus=(), **fields):
    """A run whose model was trained on this machine; early manifests do not state kernels."""
    machine = {"cpu": cpu, "gpus": list(gpus)} | ({"kernels": kernels} if kernels else {})
    return chain({"machine": machine, **fields})


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (on(), on(), "of one kind; to be expected: every digit the same"),
        (on(), on("y"), "not of one kind"),
        (on(kernels="AVX2"), on(kernels="AVX512"), "not of one kind"),
        (on(kernels="AVX2"), on(kernels="AVX2"), "of one kind; to be expected: every digit"),
        (on(), on(kernels="AVX512"), "of one kind"),  # the first does not say
        (on(gpus=["H100"]), on(gpus=["A100"]), "not of one kind"),
        (on(), on(code={"files": {"a.py": "2"}}), "of one kind; to be expected: every digit the "
         "same, but for what follows from other code"),
        (on(), on("y", versions={"torch": "3"}, settings={"seed": 1}), "at most 5 % of the values "
         "with an interval beyond the joint one, but for what follows from other settings and "
         "packages"),
    ],
)  # fmt: skip
def test_what_may_be_expected_depends_on_the_processors(first, second, said):
    for pair in ((first, second), (second, first)):
        words = expected(*pair)
        assert words.startswith("processors: ")
        assert said in words
        assert ("not of one kind" in words) == ("at most 5 %" in words)
        assert ("but for" in words) == ("but for" in said)


def test_a_runs_processors_are_named_each_once():
    machines = [on(), on("y", "AVX512", ["H100"]), on("y", "AVX2")]
    assert processors(on()) == "x"
    run_ = {f"{i} {name}": m for i, each in enumerate(machines) for name, m in each.items()}
    assert processors(run_) == "x and y (AVX2, AVX512) with H100"


def test_kernels_that_one_manifest_does_not_state_are_no_cause():
    pair = [on(kernels=kernels, settings={"seed": i}) for i, kernels in enumerate((None, "AVX2"))]
    cause = likely_cause(*pair, "model.manifest.json", lambda path: True)
    assert cause == "model: settings.seed: 0 | 1"


@pytest.mark.slow
def test_a_reference_is_compared_as_the_results_that_it_was_made_from(other):
    """Small text files; and what the snapshot leaves out, it leaves out alone."""
    kept = other / "kept"
    (kept / "figures").mkdir(parents=True)
    (kept / "figures/figure3.png").write_bytes(b"image")
    (kept / "figures/gone.csv").write_text("share\n1\n")
    done = step("snapshot", "new", "--to", "kept", cwd=other)
    assert done.returncode == 0, done.stderr
    assert (kept / "figures/figure3.png").read_bytes() == b"image"
    files = {str(file.relative_to(kept)) for file in kept.rglob("*") if file.is_file()}
    assert {"tables/table1.csv", "tables/table1.md", "manifests.jsonl"} <= files
    assert "figures/gone.csv" not in files
    whole, small = load_manifests(other / "new"), load_manifests(kept)
    left_out = {name.split("/")[0].split(".")[0] for name in set(whole) - set(small)}
    assert left_out == {"report", "statistics"}
    assert all(whole[name] == manifest for name, manifest in small.items())
    first, second = (compared(other, RESULTS, folder) for folder in ("new", "kept"))
    assert first[0] == second[0]
    assert first[1][2:] == second[1][2:]
    assert (kept / "manifests.jsonl").stat().st_size < sum(
        file.stat().st_size for file in (other / "new").rglob("*.manifest.json")
    )


def test_results_without_a_manifest_are_no_reference(study_copy):
    (study_copy / RESULTS / "tables/table1.manifest.json").unlink()
    done = step("snapshot", RESULTS, "--to", "kept", cwd=study_copy)
    one_line(done, "results/small/tables/table1.manifest.json: no such manifest")
    assert not (study_copy / "kept").exists()
