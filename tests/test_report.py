"""The report's page without a browser: what it says, what it bears, what it leaves out."""

import contextlib
import json
import re
from argparse import Namespace
from html.parser import HTMLParser

import pandas as pd
import pytest
import yaml
from helpers import ROOT, one_line, step
from rectify import layouts
from rectify.io import StepError
from rectify.manifest import kept
from rectify.report import duration, embedded, p_text, sections
from rectify.report_page import samples
from rectify.report_page.content import bar, verdicts
from rectify.summarise import pairs_of
from report_study import HOSTILE, copied, made_up, made_up_study, page_of


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A made-up study's layout and folder; do not write to it."""
    folder = tmp_path_factory.mktemp("study")
    return made_up(folder), folder


@pytest.fixture
def broken(study, tmp_path):
    """A copy of it that a test may break."""
    return study[0], copied(study[1], tmp_path / "study")


class Reader(HTMLParser):
    """The elements of a page with their text, as a browser finds them."""

    def __init__(self):
        super().__init__()
        self.elements, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


def shown_in(layout, folder):
    with contextlib.chdir(folder):
        return sections(layout, folder / "benchmarks")


def test_cells_are_the_means_of_the_scores(study):
    layout, folder = study
    shown = shown_in(layout, folder)
    published = {"math": ("math500", 64.89), "contest": ("aime24", 6.87)}  # Table 1, 1.5B, DFT
    row = next(r for r in shown["tables"][0]["rows"] if r["key"] == ("model-0", "dft"))
    scores = pd.read_parquet(folder / "results/made-up/scores/model-0/dft-seed0.parquet")
    for cell in row["cells"][:2]:
        right = scores[scores["benchmark"] == cell["benchmark"]]["correct"]
        assert cell["measured"] == pytest.approx(100 * right.mean(), abs=1e-5)
        assert cell["paper"] == published[cell["benchmark"]][1]
        assert cell["difference"] == pytest.approx(cell["measured"] - cell["paper"])
        assert cell["low"] < cell["measured"] < cell["high"]


def test_every_verdict_is_there_with_its_numbers(study):
    shown = shown_in(*study)["verdicts"]
    assert [claim["verdict"] for claim in shown["claims"]] == [
        "reproduced", "contradicted", "not run",
    ]  # fmt: skip
    assert shown["counts"] == {
        "reproduced": 1, "contradicted": 1, "inconclusive": 0, "not run": 1,
    }  # fmt: skip
    page = page_of(*study).read_text()
    for claim in shown["claims"][:2]:
        assert f"{claim['weakest']['estimate']:+.2f}".replace("-", "−") in page
    assert page.index('id="verdicts"') < page.index('id="tables"')


def test_cells_are_shown_without_the_problems_that_training_rows_share(study):
    layout, folder = study
    shown = shown_in(layout, folder)["contamination"]
    assert shown["benchmarks"] == [{"title": "Math", "lost": 2, "problems": 24}]
    row = next(r for r in shown["rows"] if (r["model"], r["method"]) == ("Model 0", "DFT"))
    scores = pd.read_parquet(folder / "results/made-up/scores/model-0/dft-seed0.parquet")
    math = scores[scores["benchmark"] == "math"]
    left = math[~math["problem_id"].isin([2, 5])]
    assert row["cells"][0]["accuracy"] == pytest.approx(100 * math["correct"].mean(), abs=1e-5)
    without = row["cells"][0]["accuracy_without"]
    assert without == pytest.approx(100 * left["correct"].mean(), abs=1e-5)
    assert shown["columns"] == ["Math", "Average"]
    page = page_of(layout, folder).read_text()
    assert "2 of 24 problems of Math" in " ".join(re.sub("<[^>]*>", "", page).split())
    assert shown["pairs"]["total"] == 3  # also the one that shares a phrase alone


def test_costs_are_the_sums_of_the_benchmark_files(study):
    costs = shown_in(*study)["costs"]
    assert costs["jobs"] == 5
    train = next(row for row in costs["rows"] if row["rule"] == "train_model")
    assert (train["seconds"], train["longest"], train["memory"]) == (360, 180, 300)
    assert train["cpu"] == 0  # Snakemake writes `-` for what it could not measure


def test_variance_shares_add_up(study):
    for row in shown_in(*study)["variance"]["rows"]:
        for cell in row["cells"].values():
            assert sum(part["share"] for part in cell["parts"]) == pytest.approx(100)
            squares = sum(part["error"] ** 2 for part in cell["parts"])
            assert cell["error"] ** 2 == pytest.approx(squares)


def test_model_text_cannot_leave_its_place(study):
    """The hostile text is in a problem, a response and an answer; the page has no element of it."""
    page = page_of(*study).read_text()
    assert HOSTILE not in page
    reader = Reader()
    reader.feed(page)
    rows = len(study[0]["rows"])
    assert reader.count("script") == 3 + rows  # sort, browse, the catalogue, and each row's pack
    assert all("onerror" not in attributes for _, attributes in reader.elements)
    assert reader.count("img") == 1  # Figure 3


def test_nothing_is_loaded_from_elsewhere(study):
    page = page_of(*study).read_text()
    reader = Reader()
    reader.feed(page)
    links = [a.get("src") or a.get("href") for _, a in reader.elements if "src" in a or "href" in a]
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "default-src 'none'" in page


def test_the_same_files_give_the_same_page(study):
    assert page_of(*study).read_bytes() == page_of(*study).read_bytes()


FILES = {
    "claims.json": "verdicts",
    "tables/table1.csv": "tables",
    "tables/disagreements.csv": "disagreements",
    "statistics/comparisons.csv": "comparisons",
    "statistics/variance.csv": "variance",
    "statistics/statuses.csv": "grading",
    "figures/figure3.png": "figures",
    "data/benchmarks/math.parquet": "browser",
}


@pytest.mark.parametrize("file", FILES)
def test_what_is_missing_is_said_and_the_rest_stands(broken, file):
    layout, folder = broken
    (folder / "results/made-up" / file).unlink()
    shown = shown_in(layout, folder)
    assert not shown[FILES[file]]
    assert len(shown["missing"]) == 1
    assert f"results/made-up/{file}" in shown["missing"][0]
    for other in set(FILES.values()) - {FILES[file]}:
        assert shown[other], other
    page = page_of(layout, folder).read_text()
    assert f"results/made-up/{file}" in page
    assert "Missing from this report" in page


@pytest.mark.parametrize("file", ["scores", "samples"])
def test_one_row_without_samples_leaves_the_others(broken, file):
    layout, folder = broken
    name = f"results/made-up/{file}/model-0/base.parquet"
    (folder / name).unlink()
    shown = shown_in(layout, folder)
    assert len(shown["browser"]["rows"]) == len(layout["rows"]) - 1
    assert name in shown["missing"][0]
    assert len(shown["missing"]) == 1


def test_no_benchmark_files(broken):
    layout, folder = broken
    (folder / "benchmarks").rename(folder / "elsewhere")
    assert shown_in(layout, folder)["costs"] is None


def test_results_of_another_study_are_named(broken):
    layout, folder = broken
    results = folder / "results/made-up"
    for name in ("tables/table1.csv", "statistics/variance.csv"):
        file = results / name
        file.write_text(file.read_text().replace("model-0", "another"))
    shown = shown_in(layout, folder)
    table, variance = shown["missing"]
    assert "table1.csv: no cell model-0, base, -, math" in table
    assert "variance.csv: no row 'another, base' in this study" in variance


ANOTHER = {
    "tables/table1.csv": "a table of another study",
    "statistics/comparisons.csv": "no benchmark 'math-2' in this study",
    "statistics/variance.csv": "no benchmark 'math-2' in this study",
    "statistics/statuses.csv": "no benchmark 'math-2' in this study",
    "tables/contamination.csv": "no benchmark 'math-2' in this study",
}


@pytest.mark.parametrize("name", ANOTHER)
def test_a_benchmark_of_another_study_is_named(broken, name):
    layout, folder = broken
    file = folder / "results/made-up" / name
    lines = file.read_text().splitlines()
    lines += [line.replace(",math,", ",math-2,") for line in lines if ",math," in line]
    file.write_text("\n".join(lines))
    (said,) = shown_in(layout, folder)["missing"]
    assert f"{name}: " in said
    assert ANOTHER[name] in said


DAMAGED = {
    "tables/table1.csv": "accuracy",
    "tables/contamination.csv": "accuracy_without",
    "statistics/comparisons.csv": "difference",
    "statistics/variance.csv": "seed_of_mean",
    "statistics/statuses.csv": "timeout",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_word_for_a_number_and_a_lost_column_are_named(broken, name):
    layout, folder = broken
    file, column = folder / "results/made-up" / name, DAMAGED[name]
    table = pd.read_csv(file, dtype=str)
    table.loc[1, column] = "many"
    table.to_csv(file, index=False)
    (said,) = shown_in(layout, folder)["missing"]
    assert f"{name}: line 3: {column} 'many' is no number" in said
    table.drop(columns=column).to_csv(file, index=False)
    (said,) = shown_in(layout, folder)["missing"]
    assert f"{name}: no column '{column}'" in said
    page_of(layout, folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read as CSV"),
        ("s\tmax_rss\n1\t2\n", "no column 'cpu_time'"),
        ("s\tmax_rss\tcpu_time\nx\t2\t3\n", "line 2: s 'x' is no number"),
    ],
)
def test_a_damaged_benchmark_file_is_named(broken, text, said):
    layout, folder = broken
    (folder / "benchmarks/train_model/made-up/model-0.tsv").write_text(text)
    (line,) = shown_in(layout, folder)["missing"]
    assert line.startswith("Costs: ")
    assert f"train_model/made-up/model-0.tsv: {said}" in line


def test_verdicts_on_another_study_are_refused(broken):
    layout, folder = broken
    with contextlib.chdir(folder), kept("claims", Namespace(settings={"a": 1}, out="claims.json")):
        (folder / "claims.json").write_text((folder / layout["claims"]).read_text())
    own = folder / "results/made-up/claims.manifest.json"
    manifest = json.loads((folder / "claims.manifest.json").read_text())
    own.write_text(json.dumps(manifest | {"study": "made-up"}))
    assert not shown_in(layout, folder)["missing"]
    own.write_text(json.dumps(manifest | {"study": "other"}))
    (said,) = shown_in(layout, folder)["missing"]
    assert "claims.json: verdicts on study 'other', not 'made-up'" in said


def test_a_row_below_base_whose_training_is_not_there_is_said_under_its_table(broken):
    layout, folder = broken
    layout = json.loads(json.dumps(layout))
    for row in layout["tables"][0]["rows"]:
        if row["method"] == "sft":
            row["training"] = {"rows": layout["problems"][0], "models": ["results/made-up/gone"]}
    file = folder / "results/made-up/tables/table1.csv"
    table = pd.read_csv(file)
    table.loc[table["method"] == "sft", "accuracy"] = 0.5
    table.to_csv(file, index=False)
    shown = shown_in(layout, folder)
    assert "gone/train.csv: cannot be read" in shown["tables"][0]["notes"][-2]


def test_scores_of_other_samples_are_named(broken):
    layout, folder = broken
    file = folder / "results/made-up/scores/model-1/dft-seed0.parquet"
    scores = pd.read_parquet(file)
    scores[scores["problem_id"] != 3].to_parquet(file)
    (line,) = shown_in(layout, folder)["missing"]
    assert "model-1/dft-seed0.parquet: not the scores of" in line


def test_a_study_without_tables_or_claims(tmp_path, study):
    layout = {**study[0], "claims": None, "tables": [], "statistics": {}, "rows": []}
    page = page_of({**layout, "figures": {}}, copied(study[1], tmp_path / "study")).read_text()
    assert "names no claims" in page
    assert "No tables." in page


def test_the_command_writes_the_page_and_names_bad_settings(study, tmp_path):
    layout, folder = study
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(layout))
    done = step("report", "--settings", settings, "--benchmarks", "benchmarks",
                "--out", tmp_path / "page.html", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").stat().st_size > 10_000
    settings.write_text("{}")
    done = step("report", "--settings", settings, "--benchmarks", "x", "--out", tmp_path / "y")
    one_line(done, "--settings", "'study'")


def test_a_study_has_its_page_by_hand_of_whatever_is_there(broken):
    """The DAG makes no page where a step has failed."""
    _, folder = broken
    study = made_up_study().model_dump(mode="json")
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    results = folder / "results/made-up"
    lost = ("claims.json", "tables/table1.csv", "samples/model-1/base.parquet")
    for name in lost:
        (results / name).unlink()
    (results / "statistics/variance.csv").write_text("damaged")
    done = step("report", "study.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    page = (results / "report.html").read_text()
    for name in (*lost, "statistics/variance.csv"):
        assert f"results/made-up/{name}: " in page
        assert f"results/made-up/{name}: " in done.stdout
    manifest = json.loads((results / "report.manifest.json").read_text())
    assert "results/made-up/tables/contamination.csv" in {i["path"] for i in manifest["inputs"]}
    one_line(step("report", cwd=folder), "name a study file, or --settings and --out")
    done = step("report", "gone.yaml", cwd=folder)
    one_line(done, "gone.yaml")


def test_not_verdicts(tmp_path):
    file = tmp_path / "claims.json"
    result = {"estimate": "high", "low": None, "high": None, "p_value": None}
    word = {"weakest": None, "results": [], "verdict": "proven"}
    number = {"weakest": result, "results": [], "verdict": "reproduced"}
    for text in ("[", '{"a": 1}', '[{"weakest": null}]', json.dumps([word]), json.dumps([number])):
        file.write_text(text)
        with pytest.raises(StepError, match=r"claims\.json"):
            verdicts(str(file), "mini")


def test_problems_are_bounded_for_big_studies():
    problems = pd.DataFrame({"benchmark": ["a"] * 500 + ["b"] * 40})
    shown = samples.shown_problems(problems, rows=26, samples=16)
    per_benchmark = shown["benchmark"].value_counts()
    assert per_benchmark["a"] == 25_000 // (26 * 2 * 16)
    assert 26 * 16 * len(shown) <= samples.SAMPLES
    assert len(samples.shown_problems(problems, rows=10**6, samples=16)) == 2


def test_long_responses_keep_their_ends():
    text = "a" * 30_000 + "\\boxed{7}"
    short = samples.shortened(text)
    assert len(short) < samples.LONGEST + 100
    assert short.startswith("aaa")
    assert short.endswith("\\boxed{7}")
    left_out = int(re.search(r"(\d+) characters left out", short)[1])
    assert left_out + samples.LONGEST == len(text)
    assert samples.shortened(text[:8000]) == text[:8000]


def test_comparisons_are_with_base_and_of_dft_with_its_rivals():
    rows = [
        {"model": "m", "method": method, "setting": setting}
        for method, setting in (
            ("base", "-"), ("sft", "sft"), ("iw-sft", "sft"), ("dft", "sft"),
            ("iw-sft", "offline"), ("dft", "offline"), ("grpo", "online"),
        )
    ]  # fmt: skip
    pairs = {(method, than) for _, method, than in pairs_of(rows)}
    assert pairs == {
        ("sft", "base"), ("iw-sft", "base"), ("dft", "base"), ("iw-sft offline", "base"),
        ("dft offline", "base"), ("grpo online", "base"),
        ("dft", "sft"), ("dft", "iw-sft"), ("dft offline", "iw-sft offline"),
    }  # fmt: skip


def test_rows_are_named_once():
    from rectify.study import load_study

    study = load_study(ROOT / "config/mini.yaml")
    rows = layouts.shown_rows(study)
    keys = [(row["model"], row["method"], row["setting"]) for row in rows]
    assert len(set(keys)) == len(keys) == 10 + 4


def test_numbers_in_words():
    assert p_text(1e-12) == "< 0.0001"
    assert p_text(0.00312) == "0.0031"
    assert p_text(None) == "–"
    assert duration(59.94) == "59.9 s"
    assert duration(61) == "1 min 1 s"
    assert duration(7322) == "2 h 2 min"
    text = embedded({"a": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!--"}


def test_a_bar_is_where_its_numbers_are():
    assert bar(50, 40, 70, (0, 200), mark=100) == (20, 15, 25, 50, None)
    assert bar(0, -5, 5, (-10, 10)) == (25, 50, 50, None, 50)
    assert bar(1, 1, 1, (0, 0)).at == 100
