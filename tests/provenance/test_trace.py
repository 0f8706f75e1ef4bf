"""From a cell to its sources: the chain, what has changed since, the samples behind a number."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from helpers import ROOT, one_line, settings_file, step
from rectify.provenance.cells import behind
from rectify.provenance.chain import SAME, all_links, beside_results, follow, in_reference
from rectify.provenance.trace import printable, recompute
from rectify.step.errors import StepError
from rectify.step.manifest import strings
from small_study import STUDY, inside, run

TABLE = "results/small/tables/table1.csv"
DFT = ("--cell", "m,dft,easy", "--setting", "sft")


def trace(folder, *arguments, result=TABLE):
    return step("trace", result, *arguments, cwd=folder)


def paths(output):
    """The files and folders of a printed chain."""
    lines = (line.strip() for line in output.splitlines())
    return {line for line in lines if line.startswith(("results/", "config/")) and ": " not in line}


def test_a_cells_chain_is_its_own_files_down_to_rows_and_base_model(small_study):
    done = trace(small_study, *DFT)
    assert done.returncode == 0, done.stderr
    runs = [f"dft-seed{seed}" for seed in (0, 1)]
    base = "results/small"
    assert {path.removesuffix("  (above)") for path in paths(done.stdout)} == {
        TABLE,
        *(f"{base}/scores/m/{name}.parquet" for name in runs),
        *(f"{base}/samples/m/{name}.part{part}of2.parquet" for name in runs for part in (1, 2)),
        *(f"{base}/models/m/{name}" for name in ("base", *runs)),
        f"{base}/data/benchmarks/easy.parquet",
        f"{base}/data/training.parquet",
        "config/published.csv",
    }
    assert "13 files and folders: 13 unchanged, 0 not here" in done.stdout


@pytest.mark.parametrize("reference", [False, True])
def test_a_kept_base_models_chain_goes_on_to_its_rows_by_the_manifests_kept_beside(reference):
    """They are of no study's results; what they name is not here."""
    path = Path("config/bases/qwen2-mini/base-seed0")
    made = json.loads((ROOT / f"{path}.manifest.json").read_text())
    with inside(ROOT):
        locate = (
            in_reference(Path("results/reference/mini"), {}) if reference else beside_results(ROOT)
        )
        chain = follow(locate, {"path": str(path), "sha256": made["outputs"][0]["sha256"]})
    links = {link.path.split("/", 2)[-1]: link for link in all_links(chain)}
    assert set(links) == {
        "qwen2-mini/base-seed0",
        "initial/qwen2-mini/base-seed0",
        "data/pretraining/qwen2-mini.parquet",
    }
    assert chain.state == SAME
    assert not [link for link in links.values() if link.broken]
    assert all(link.manifest for link in links.values())


def test_the_number_is_the_samples(small_study):
    """All 3 problems x 4 samples of both seeds are shown, and their verdicts are the cell."""
    done = trace(small_study, *DFT, "--show", "99")
    verdicts = [
        line.split("verdict: ")[1][:5] for line in done.stdout.splitlines() if "gold" in line
    ]
    assert len(verdicts) == 2 * 3 * 4
    cells = pd.read_csv(small_study / TABLE)
    keys = (cells["method"] == "dft") & (cells["setting"] == "sft") & (cells["benchmark"] == "easy")
    accuracy = cells[keys]["accuracy"].item()
    assert 100 * verdicts.count("right") / len(verdicts) == pytest.approx(accuracy, abs=1e-5)
    assert f"{accuracy:.6f} ± " in done.stdout
    assert "follows from these verdicts: 3 problems x 4 samples x 2 training seeds" in done.stdout
    assert "response (seed 200): dft-seed1: so \\boxed{" in done.stdout


def test_a_number_that_does_not_follow_from_the_verdicts_is_refused(small_study):
    scores = [f"results/small/scores/m/dft-seed{seed}.parquet" for seed in (0, 1)]
    layout = {"benchmarks": STUDY["benchmarks"]}
    layout["scoring"] = {"grader": "corrected", "rounding": "exact"}
    row = pd.Series({"benchmark": "easy", "accuracy": "99.0", "stderr": "0"})
    with pytest.raises(StepError, match=r"the score files say .*, not the 99\.0 that is printed"):
        recompute(small_study, scores, layout, row)


def test_a_figures_point(small_study):
    figure = "results/small/figures/figure3.csv"
    done = trace(small_study, "--cell", "dft,learning_rate,2e-4", result=figure)
    assert done.returncode == 0, done.stderr
    assert "results/small/models/m/dft-lr0.0002-seed0" in paths(done.stdout)
    assert "results/small/models/m/dft-seed0" not in paths(done.stdout)
    assert "follows from these verdicts: 6 problems x 4 samples" in done.stdout


CHANGED = {
    "results/small/models/m/dft-seed0/model.safetensors": "results/small/models/m/dft-seed0",
    "model/model.safetensors": "results/small/models/m/base",
    "results/small/data/training.parquet": None,
    "results/small/samples/m/dft-seed1.part2of2.parquet": None,
    "results/small/scores/m/dft-seed1.parquet": None,
    TABLE: None,
}


@pytest.mark.slow
@pytest.mark.parametrize("file", CHANGED)
def test_a_file_that_has_changed_since_is_named(study_copy, file):
    base = study_copy / "results/small/models/m/base"
    shutil.rmtree(base)  # links to where the study was made
    shutil.copytree(study_copy / "model", base)
    if file.startswith("model/"):
        file = f"results/small/models/m/base/{file.removeprefix('model/')}"
    with (study_copy / file).open("ab") as out:
        out.write(b"\n")
    named = file.removesuffix("/model.safetensors")
    one_line(trace(study_copy, *DFT), "the chain does not hold", f"{named} (CHANGED SINCE; ")


@pytest.mark.slow
def test_a_result_made_again_alike_is_the_same(study_copy):
    with inside(study_copy):
        manifest = study_copy / "results/small/scores/m/dft-seed0.manifest.json"
        again(json.loads(manifest.read_text()))
    done = trace(study_copy, *DFT)
    assert done.returncode == 0, done.stderr
    assert "unchanged, made again since, with the same content" in done.stdout


def test_samples_that_no_step_made_are_found_even_if_all_that_follows_was_made_from_them(
    study_copy,
):
    name = "results/small/samples/m/dft-seed0.part1of2"
    samples = pd.read_parquet(study_copy / f"{name}.parquet")
    samples.assign(text="so \\boxed{1}").to_parquet(study_copy / f"{name}.parquet", index=False)
    with inside(study_copy):
        for result in ("scores/m/dft-seed0", "tables/table1"):
            text = (study_copy / f"results/small/{result}.manifest.json").read_text()
            again(json.loads(text))
    done = trace(study_copy, *DFT)
    one_line(done, f"{name}.parquet (unchanged, BUT ", "manifest.json IS OF OTHER CONTENT; ")


def again(manifest):
    """Run the step of a manifest once more."""
    words = []
    for key, value in manifest["options"].items():
        given = value if isinstance(value, list) else [value]
        words += [f"--{key}", *given] if value is not None else []
    if manifest["settings"]:
        words += ["--settings", settings_file(manifest["settings"])]
    run(manifest["step"], *words)


def test_models_that_were_left_behind_are_said_to_be(study_copy):
    shutil.rmtree(study_copy / "results/small/models/m/dft-seed0")
    done = trace(study_copy, *DFT)
    assert done.returncode == 0, done.stderr
    assert "13 files and folders: 12 unchanged, 1 not here" in done.stdout


@pytest.mark.slow
def test_a_missing_manifest_is_one_line_and_the_rest_is_shown(study_copy):
    name = "results/small/samples/m/dft-seed0.part1of2"
    (study_copy / f"{name}.manifest.json").unlink()
    done = trace(study_copy, *DFT)
    one_line(done, f"{name}.parquet (unchanged, NO MANIFEST; ")
    assert "results/small/models/m/dft-seed1" in paths(done.stdout)
    (study_copy / "results/small/tables/table1.manifest.json").unlink()
    one_line(trace(study_copy, *DFT), f"{TABLE}: no manifest of it beside it")
    (study_copy / "results/small/tables/table1.manifest.json").write_text("{}")
    one_line(trace(study_copy, *DFT), "table1.manifest.json: not a manifest: 'step'")


def test_many_broken_links_are_counted_and_the_samples_that_are_there_shown(study_copy):
    for file in (study_copy / "results/small/samples").rglob("*.manifest.json"):
        file.unlink()
    (study_copy / "results/small/samples/m/dft-seed1.part1of2.parquet").unlink()
    done = trace(study_copy, *DFT)
    one_line(done, "NO MANIFEST; sha256 ", "; and 1 more, marked above")
    assert done.stderr.count("NO MANIFEST") == 3
    assert "scores/m/dft-seed0.parquet: easy, problem 0, sample 0" in done.stdout
    assert "scores/m/dft-seed1.parquet: its samples cannot be shown: " in done.stdout


def test_a_cell_of_the_tables_without_what_overlaps(small_study):
    result = "results/small/tables/contamination.csv"
    done = trace(small_study, *DFT, result=result)
    assert done.returncode == 0, done.stderr
    assert {result, "results/small/data/contamination.csv"} < paths(done.stdout)
    assert "results/small/scores/m/base.parquet" not in paths(done.stdout)
    assert "follows from these verdicts: 3 problems x 4 samples x 2 training seeds" in done.stdout


def test_points_of_monitors_and_gallery_lead_to_their_own_runs():
    models = [f"results/s/models/m/{name}" for name in ("sft-seed0", "dft-seed0", "dft-seed1")]
    layout = {"curves": [{"models": models[:1]}, {"models": models[1:]}]}
    row = pd.Series({"run": "dft-seed1", "step": "3", "quantity": "nll"})
    wanted = behind("monitors", layout, pd.DataFrame(), row)
    assert list(filter(wanted, models)) == models[2:]
    files = [f"results/s/histograms/m/{name}.parquet" for name in ("base", "sft", "dft")]
    objectives = zip(("sft", "dft"), ([file] for file in files[1:]), strict=True)
    layout = {"base": files[:1], "objectives": [{"method": m, "files": f} for m, f in objectives]}
    for quantity, own in (("change", [files[0], files[2]]), ("weight", [])):
        row = pd.Series({"method": "dft", "quantity": quantity, "case": "", "low": "0.1"})
        assert list(filter(behind("gallery", layout, pd.DataFrame(), row), files)) == own


@pytest.mark.slow
def test_a_cell_of_a_reference_leads_to_its_chain(study_copy):
    done = step("snapshot", "results/small", "--to", "kept", cwd=study_copy)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(study_copy / "results")
    done = trace(study_copy, *DFT, result="kept/tables/table1.csv")
    assert done.returncode == 0, done.stderr
    assert "results/small/models/m/dft-seed1" in paths(done.stdout)
    assert "results/small/data/training.parquet" in paths(done.stdout)
    assert "13 files and folders: 1 unchanged, 12 not here" in done.stdout
    table = study_copy / "kept/tables/table1.csv"
    table.write_text(table.read_text() + "\n")
    done = trace(study_copy, *DFT, result="kept/tables/table1.csv")
    one_line(done, "results/small/tables/table1.csv (CHANGED SINCE; ")


@pytest.mark.slow
def test_a_results_folder_of_another_study_is_one_line(study_copy):
    shutil.copytree(study_copy / "results/small", study_copy / "results/other", symlinks=True)
    done = trace(study_copy, *DFT, result=TABLE.replace("small", "other"))
    one_line(done, f"is of {TABLE}, study 'small', not of a file in this folder")
    file = study_copy / "results/small/scores/m/dft-seed0.manifest.json"
    file.write_text(file.read_text().replace('"study": "small"', '"study": "paper"'))
    one_line(trace(study_copy, *DFT), "dft-seed0.manifest.json: is of study 'paper', not 'small'")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cell", "m,dft"), "--cell: m,dft: it takes MODEL,METHOD,BENCHMARK here"),
        (("--cell", "m,dpo,easy"), "--cell: no method 'dpo' there; there are base, dft"),
        (("--cell", "m,dft,easy"), "m,dft,easy is 2 cells; say --setting, one of sft, offline"),
        (("--cell", "m,dft,easy", "--setting", "online"), "no 'online' of this cell"),
    ],
)
def test_a_cell_that_is_none_or_several_is_refused(small_study, arguments, said):
    one_line(trace(small_study, *arguments), said)


def test_a_models_text_does_not_steer_the_terminal():
    assert printable("\x1b[2Ja\u202eb\nc") == "\\x1b[2Ja\\u202eb\n    c"


def test_the_chain_of_a_row_of_rl_has_its_own_training_and_no_other_rows_models():
    """Offline answers are drawn for questions, which an online row is trained on by itself."""

    def line(setting, rows=None):
        training = {"rows": [rows], "models": [f"results/s/models/m/{setting}"]} if rows else None
        scores = [f"results/s/scores/m/{setting}.parquet"]
        key = {"model": "m", "method": "dft", "setting": setting}
        return key | {"scores": scores, "training": training}

    def kept(setting):
        row = pd.Series({"model": "m", "method": "dft", "setting": setting, "benchmark": "mean"})
        wanted = behind("tabulate_scores", layout, pd.DataFrame(), row)
        return {file.removeprefix("results/s/") for file in files if wanted(file)}

    answers, questions = "results/s/self/m/base/correct.parquet", "results/s/data/questions.parquet"
    layout = {"rows": [line("sft"), line("offline", answers), line("online", questions)]}
    files = [file for file in strings(layout) if file.startswith("results/")]
    data = {"self/m/base/correct.parquet", "data/questions.parquet"}
    assert kept("sft") == {"scores/m/sft.parquet"}
    assert kept("offline") == {"scores/m/offline.parquet", "models/m/offline", *data}
    assert kept("online") == {"scores/m/online.parquet", "models/m/online", *data}
