"""Files of claims and what they are judged on: the two studies' own, bad ones, missing results."""

import json

import pandas as pd
import pytest
import yaml
from claims_study import SCORING, at, claim, higher, made_up_evidence
from helpers import ROOT, one_line, settings_file, step
from rectify.paper.judge_claims import read_claims
from rectify.statistics.row_names import row_name
from rectify.step.errors import StepError
from rectify.study.load import load_study

FILES = ("claims.yaml", "claims-mini.yaml")
PEAK = "{kind: peaks_by, method: d, step: 1}"


def test_the_papers_claims_hold_in_its_own_tables():
    """Each comparison of config/claims.yaml, by the printed numbers."""
    published = pd.read_csv(ROOT / "config" / "published.csv")
    published = published[published["table"].isin(["table1", "table2", "table3"])]
    names = published.apply(lambda row: row_name(row["method"], row["setting"]), axis=1)
    cells = published.assign(row=names).drop_duplicates(["model", "row", "benchmark"])
    value = cells.set_index(["model", "row", "benchmark"])["accuracy"]
    claims = read_claims(ROOT / "config" / "claims.yaml")
    tests = [test for claim in claims for test in claim.tests if test.kind == "higher"]
    compared = 0
    for test in tests:
        for model in test.models:
            for benchmark in test.benchmarks:
                column = "avg" if benchmark == "mean" else benchmark
                assert value[model, test.method, column] > value[model, test.than, column]
                compared += 1
    assert compared == 5 + 3 + 3 + 5 + 2 + 5


def test_both_files_make_the_same_claims_and_the_miniatures_are_of_its_own_cells():
    paper, mini = (read_claims(ROOT / "config" / name) for name in FILES)
    assert [one.id for one in paper] == [one.id for one in mini]
    study = load_study(ROOT / "config" / "mini.yaml")
    swept = set(study.figures.figure3.points())
    for test in [test.model_dump() for one in mini for test in one.tests]:
        assert set(test.get("models", [])) <= set(study.models)
        assert set(test.get("benchmarks", [])) <= {*study.benchmarks, "mean"}
        assert {(test.get("setting"), value) for value in test.get("values", [])} <= swept


def settings_of(folder):
    """SETTINGS of the made-up scores, in files of a folder, without figures."""
    rows = []
    for (model, name), scores in made_up_evidence().scores.items():
        method, _, setting = name.partition(" ")
        file = folder / ("base.parquet" if name == "base" else f"{name}-seed0.parquet")
        scores.drop(columns=["seed", "repeat"]).to_parquet(file)
        row = {"model": model, "model_title": "Model M", "method": method, "scores": [str(file)]}
        rows.append(row | {"setting": setting or ("-" if method == "base" else "sft")})
    return {"scoring": SCORING, "benchmarks": ["a", "b"], "rows": rows, "figures": {}, "seeds": {},
            "retention": None}  # fmt: skip


@pytest.mark.slow
def test_claims_as_a_command(tmp_path):
    settings = settings_of(tmp_path)
    claims = [claim(higher("dft offline", "sft", ["mean"]))]
    claims += [claim(higher("dft", "ppo", ["mean"])) | {"id": "d"}]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(claims))
    done = step(
        "judge_claims", "--claims", tmp_path / "claims.yaml", "--settings", settings_file(settings),
        "--out", tmp_path / "claims.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = json.loads((tmp_path / "claims.json").read_text())
    assert (first["id"], first["verdict"]) == ("c", "reproduced")
    assert first["weakest"]["estimate"] > 0
    assert second["missing"] == ["m, mean: dft - ppo"]
    assert done.stdout.splitlines()[1] == "not run: d (Table 1); not run: m, mean: dft - ppo"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (None, ["claims.yaml"]),
        ("a: [", ["claims.yaml", "YAML"]),
        ("a: 1", ["not a list"]),
        ("- {id: x}", ["claim 1", "sentence"]),
        ('- {id: "two\\nlines"}', ["claim 1 (two lines): sentence: Field required"]),
        ("- 3", ["claim 1: Input should be a valid dictionary"]),
        ("- {id: x, sentence: s, where: w, tests: []}", ["claim 1 (x)", "tests"]),
        ("- {id: x, sentence: s, where: w, tests: [], test: []}",
         ["claim 1 (x): tests: List should have at least 1 item"]),
        (f"- {{id: x, sentence: s, where: w, tests: [{PEAK}], test: []}}",
         ["claim 1 (x): test: no such key; did you mean 'tests'?"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: best}]}",
         ["claim 1 (x): tests.0: ", "'best'", "'higher', 'peaks_by'"]),
        ("- {id: x, sentence: s, where: w, tests: [{method: dft}]}",
         ["claim 1 (x): tests.0: ", "'kind'"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: peaks_by, method: dft}]}",
         ["claim 1 (x): tests.0.peaks_by.step: Field required"]),
        (f"- {{id: x, sentence: s, where: w, tests: [{PEAK}, {{kind: peaks_by, steps: 1}}]}}",
         ["claim 1 (x): tests.1.peaks_by."]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: peaks_by, method: d, step: 1, stpe: 1}]}",
         ["claim 1 (x): tests.0.peaks_by.stpe: no such key; did you mean 'step'?"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: peaks_by, method: d, step: 1, than: e}]}",
         ["claim 1 (x): tests.0.peaks_by.than: no such key; there are kind, method, step"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: polarised, models: m, method: dft, "
         "than: sft}]}", ["claim 1 (x): tests.0.polarised.models: Input should be a valid list"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: [a]}]}", ["claim 1 (x)", "['a']"]),
        ("- {id: 7, sentence: s, where: w, tests: [{kind: best}]}",
         ["claim 1", "id: Input should be a valid string (is 7)"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: peaks_by, method: dft, step: soon}]}",
         ["claim 1 (x): tests.0.peaks_by.step: Input should be a valid integer (is 'soon')"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: peaks_by, method: dft, step: true}]}",
         ["claim 1 (x): tests.0.peaks_by.step: Input should be a valid integer (is True)"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: polarised, models: [[a]], method: dft, "
         "than: sft}]}",
         ["claim 1 (x): tests.0.polarised.models.0: Input should be a valid string"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: polarised, models: [], method: dft, "
         "than: sft}]}",
         ["claim 1 (x): tests.0.polarised.models: List should have at least 1 item"]),
        ("- {id: x, sentence: s, where: w, tests: [{kind: higher_at, setting: s, values: [2e-4], "
         "method: dft, than: sft}]}",
         ["claim 1 (x): tests.0.higher_at.values.0: Input should be a valid number (is '2e-4')"]),
        (f"- &c {{id: x, sentence: s, where: w, tests: [{PEAK}]}}\n- *c", ["two claims", "'x'"]),
    ],
)  # fmt: skip
def test_a_bad_claims_file_is_refused(tmp_path, content, parts):
    file = tmp_path / "claims.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(StepError) as error:
        read_claims(file)
    assert "\n" not in str(error.value)
    for part in parts:
        assert part in str(error.value)


@pytest.mark.slow
def test_what_cannot_be_read_is_one_line(tmp_path):
    file = tmp_path / "claims.yaml"
    out = ("--out", tmp_path / "claims.json")
    one_line(
        step("judge_claims", "--claims", file, "--settings", settings_file({}), *out),
        "claims.yaml",
        "No such",
    )
    file.write_text(yaml.safe_dump([claim(higher("dft", "sft", ["mean"]))]))
    done = step("judge_claims", "--claims", file, "--settings", settings_file({}), *out)
    one_line(done, "rows")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (None, "No such file"),
        ("", "cannot be read as CSV"),
        ("method,step\n", "no column 'setting'"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_rest(tmp_path, figure, said):
    """SFT's scores and Figure 3 are gone: what needs neither is judged."""
    settings = settings_of(tmp_path)
    (tmp_path / "sft-seed0.parquet").unlink()
    settings["figures"] = {"figure1": str(tmp_path / "1.csv"), "figure3": str(tmp_path / "3.csv")}
    made_up_evidence().figures["figure1"].to_csv(tmp_path / "1.csv", index=False)
    if figure is not None:
        (tmp_path / "3.csv").write_text(figure)
    tests = [higher("dft", "base", ["mean"]), higher("dft", "sft", ["mean"]), at("batch_size", [8]),
             {"kind": "passes_best", "method": "dft", "than": "sft", "step": 20}]  # fmt: skip
    claims = [claim(test) | {"id": str(i)} for i, test in enumerate(tests)]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(claims))
    done = step(
        "judge_claims", "--claims", tmp_path / "claims.yaml", "--settings", settings_file(settings),
        "--out", tmp_path / "claims.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    verdicts = [one["verdict"] for one in json.loads((tmp_path / "claims.json").read_text())]
    assert verdicts == ["reproduced", "not run", "not run", "reproduced"]
    first, second = done.stdout.splitlines()[:2]
    assert "sft-seed0.parquet: no such file" in first
    assert "3.csv" in second
    assert said in second
