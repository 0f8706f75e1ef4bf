"""The report's page without a browser: what it says and what it bears."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from helpers import ROOT
from rectify.jobs import layouts
from rectify.report.page import samples
from rectify.report.page.render_report import duration, embedded, p_text
from rectify.report.page.sections import bar
from rectify.statistics.health import QUANTITIES
from rectify.statistics.summarise_scores import pairs_of
from report_study import HOSTILE, copied, page_of, shown_in


class Reader(HTMLParser):
    """The elements of a page with their text, as a browser finds them."""

    def __init__(self):
        super().__init__()
        self.elements, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


def test_cells_are_the_means_of_the_scores(page_study):
    layout, folder = page_study
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


def test_every_verdict_is_there_with_its_numbers(page_study):
    shown = shown_in(*page_study)["verdicts"]
    assert [claim["verdict"] for claim in shown["claims"]] == [
        "reproduced", "contradicted", "not run",
    ]  # fmt: skip
    assert shown["counts"] == {
        "reproduced": 1, "contradicted": 1, "inconclusive": 0, "not run": 1,
    }  # fmt: skip
    page = page_of(*page_study).read_text()
    for claim in shown["claims"][:2]:
        assert f"{claim['weakest']['estimate']:+.2f}".replace("-", "−") in page
    assert page.index('id="verdicts"') < page.index('id="tables"')


def test_cells_are_shown_without_the_problems_that_training_rows_share(page_study):
    layout, folder = page_study
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


def test_how_answers_are_is_shown_for_every_row_with_its_difference_to_the_base_model(page_study):
    layout, folder = page_study
    shown = shown_in(layout, folder)["health"]
    assert [part["title"] for part in shown["benchmarks"]] == ["Math", "Contest"]
    assert shown["mean"]["title"] == "Average"
    assert len(shown["mean"]["rows"]) == len(layout["rows"])
    place = list(QUANTITIES).index("distinct")
    row = next(r for r in shown["mean"]["rows"] if (r["model"], r["method"]) == ("Model 0", "DFT"))
    table = pd.read_csv(folder / layout["health"]).query(
        "model == 'model-0' and method == 'dft' and benchmark == 'mean' and quantity == 'distinct'"
    )
    for key in ("value", "low", "high", "difference", "difference_low", "difference_high"):
        assert row["cells"][place][key] == table[key].item()
    page = page_of(layout, folder).read_text()
    part = page[page.index('<section id="health">') : page.index('<section id="tables">')]
    assert part.count("<tr>") == 3 * (len(layout["rows"]) + 1)
    assert f"{table['value'].item():.2f}" in part
    assert f"{table['difference'].item():+.1f}".replace("-", "−") in part


def test_what_was_kept_is_shown_with_its_verdicts(page_study):
    layout, folder = page_study
    assert "retention" not in shown_in(layout, folder)
    columns = ("model,method,setting,benchmark,quantity,value,stderr,low,high,difference,"
               "difference_low,difference_high,verdict")  # fmt: skip
    lines = (
        "model-0,base,-,old,accuracy,62.5,1.5,60,65,,,,",
        "model-0,dft,sft,old,accuracy,50.25,1.5,48,52,-12.25,-14,-10,lost",
        "model-0,dft,sft,text,kl,0.1234,0.01,0.1,0.15,,,,",
    )
    (folder / "kept.csv").write_text("\n".join((columns, *lines)))
    own = {"csv": "kept.csv", "margin": 2.0, "benchmarks": {"old": "Old"}}
    layout = layout | {"retention": own}
    shown = shown_in(layout, folder)["retention"]
    assert shown["columns"] == ["Old", "Mean", "KL, nats per token"]
    base, dft = shown["rows"]
    assert (base["cells"][0]["verdict"], dft["cells"][0]["verdict"]) == (None, "lost")
    assert base["cells"][2] is None
    page = page_of(layout, folder).read_text()
    part = page[page.index('<section id="retention">') : page.index('<section id="tables">')]
    for text in ("50.25", "−12.2, −14.0 to −10.0", "lost", "0.1234", "minus 2 points"):
        assert text in part, text
    layout["retention"]["benchmarks"] = {"other": "Other"}
    (said,) = shown_in(layout, folder)["missing"]
    assert said == "Retention: kept.csv: no benchmark 'old' in this study; run the study again"


def test_learning_rates_are_shown_where_they_were_chosen(page_study):
    layout, folder = page_study
    columns = ("model_title,method_title,learning_rate,accuracy,low,high,behind,behind_low,"
               "behind_high,p_value,chosen")  # fmt: skip
    rows = (
        "M,SFT (own),0.0004,61.25,55,70,,,,,True\n"
        "M,SFT (own),0.0001,41.5,40,50,19.75,9,30,0.01,False"
    )
    (folder / "rates.csv").write_text(f"{columns}\n{rows}\n")
    page = page_of(layout | {"learning_rates": "rates.csv"}, folder).read_text()
    part = page[page.index("Learning rates") : page.index('id="comparisons"')]
    assert part.count("<tr>") == 3
    for text in ("0.0004", "61.25", "chosen", "0.0001", "41.50", "19.75", "9.00 to 30.00"):
        assert text in part
    assert "Learning rates" not in page_of(layout, folder).read_text()


def test_costs_are_the_sums_of_the_benchmark_files(page_study):
    costs = shown_in(*page_study)["costs"]
    assert costs["jobs"] == 5
    train = next(row for row in costs["rows"] if row["rule"] == "train_model")
    assert (train["seconds"], train["longest"], train["memory"]) == (360, 180, 300)
    assert train["cpu"] == 0  # Snakemake writes `-` for what it could not measure


def test_a_steps_seconds_are_the_medians_of_the_logs_of_all_seeds(page_study, tmp_path):
    """Of 120 response tokens at 60 a second for 2 steps, a step took 1 s; RL's logs say nothing."""
    layout, folder = page_study[0], copied(page_study[1], tmp_path / "study")
    head = "step,response_tokens,tokens_per_second\n"
    logs = {
        "model-0/dft-seed0": f"{head}2,120,60\n4,120,20\n6,120,60\n",
        "model-0/dft-seed1-repeat1": f"{head}2,120,60\n3,120,60\n",
        "model-0/sft-lr0.1-seed0": f"{head}1,120,240\n",
        "model-0/grpo-seed0": "step,reward\n1,0.5\n",
        "model-0/base-seed0": f"{head}10,120,60\n",
    }
    assert shown_in(layout, folder)["step_times"] == []
    for name, text in logs.items():
        file = folder / f"results/made-up/models/{name}/train.csv"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    assert shown_in(layout, folder)["step_times"] == [
        {"model": "model-0", "training": "sft-lr0.1", "runs": 1, "seconds": 0.5, "tokens": 240},
        {"model": "model-0", "training": "dft", "runs": 2, "seconds": 1, "tokens": 60},
    ]
    page = page_of(layout, folder).read_text()
    assert (
        '<td>sft-lr0.1</td><td class="n">1</td>\n<td class="n" data-sort="0.5">0.500</td>' in page
    )
    assert "Missing from this report" not in page


WEIGHED = """\
part,name,tokens,mean_weight,mean_p,ratio,problem,solution
token,number,1200,0.25,0.5,1.5,,
lowest,17,30,0.001234,0.2,0.1,What is <b>?,NA
highest,4,20,0.9,0.9,1.1,What?,"It is 1, so"
"""


def test_what_a_method_hardly_learns_from_stands_beside_its_figure(page_study, tmp_path):
    layout, folder = page_study[0], copied(page_study[1], tmp_path / "study")
    file = "results/made-up/row_weights/model-0/dft-seed0.csv"
    entry = {"figure": "figure3", "model": "Model 0", "method": "DFT", "csv": file}
    layout = layout | {"row_weights": [entry]}
    (line,) = shown_in(layout, folder)["missing"]
    assert line.startswith(f"Rows by their weight, DFT: {file}: No such file")
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_text(WEIGHED)
    (shown,) = shown_in(layout, folder)["row_weights"]
    assert list(shown["parts"]) == ["token", "lowest", "highest"]
    assert shown["parts"]["lowest"][0]["solution"] == "NA"
    page = page_of(layout, folder).read_text()
    at = [page.index(text) for text in ('id="figures"', "What DFT hardly learns from, Model 0",
                                        "What is &lt;b&gt;?", 'id="variance"')]  # fmt: skip
    assert at == sorted(at)
    assert '<td class="n" data-sort="0.001234">0.00123</td>' in page


def test_variance_shares_add_up(page_study):
    for row in shown_in(*page_study)["variance"]["rows"]:
        for cell in row["cells"].values():
            assert sum(part["share"] for part in cell["parts"]) == pytest.approx(100)
            squares = sum(part["error"] ** 2 for part in cell["parts"])
            assert cell["error"] ** 2 == pytest.approx(squares)


def test_model_text_cannot_leave_its_place(page_study):
    """The hostile text is in a problem, a response and an answer; the page has no element of it."""
    page = page_of(*page_study).read_text()
    assert HOSTILE not in page
    reader = Reader()
    reader.feed(page)
    rows = len(page_study[0]["rows"])
    assert reader.count("script") == 3 + rows  # sort, browse, the catalogue, and each row's pack
    assert all("onerror" not in attributes for _, attributes in reader.elements)
    assert reader.count("img") == 1  # Figure 3


def test_nothing_is_loaded_from_elsewhere(page_study):
    page = page_of(*page_study).read_text()
    reader = Reader()
    reader.feed(page)
    links = [a.get("src") or a.get("href") for _, a in reader.elements if "src" in a or "href" in a]
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "default-src 'none'" in page


def test_the_same_files_give_the_same_page(page_study):
    assert page_of(*page_study).read_bytes() == page_of(*page_study).read_bytes()


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


def test_own_learning_rates_are_compared_with_own_ones_and_with_the_studys():
    own = {"sft-own": "sft", "dft-own": "dft"}
    rows = [{"model": "m", "method": method, "setting": "sft", "swept": own.get(method)}
            for method in ("sft", "dft", "sft-own", "dft-own")]  # fmt: skip
    assert pairs_of(rows) == [
        ("m", "dft", "sft"),
        ("m", "sft-own", "sft"),
        ("m", "dft-own", "dft"),
        ("m", "dft-own", "sft-own"),
    ]


def test_a_released_checkpoint_is_compared_with_its_retraining():
    rows = [
        {"model": "m", "method": method, "setting": setting}
        for method, setting in (("base", "-"), ("sft", "sft"), ("dft", "sft"), ("dft", "released"))
    ]
    pairs = {(method, than) for _, method, than in pairs_of(rows)}
    assert pairs == {
        ("sft", "base"), ("dft", "base"), ("dft released", "base"), ("dft", "sft"),
        ("dft released", "dft"),
    }  # fmt: skip


def test_rows_are_named_once():
    from rectify.study.load import load_study

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
