"""The audit of the paper's numbers: what is known to be there, and nothing that is right."""

import itertools
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import ROOT, one_line, step
from rectify.paper.attainable import RUNS, neighbours, rounded_runs, ways_to_print
from rectify.paper.audit import TEXT_COLUMNS, audit, wrong_counts
from rectify.paper.published import COLUMNS, PROBLEMS, read_printed


@pytest.fixture(scope="module")
def findings():
    """(kind, table, model, method, benchmark) -> finding, on the real files."""
    published = read_printed(ROOT / "config" / "published.csv", COLUMNS, "accuracy")
    text = read_printed(ROOT / "config" / "published-text.csv", TEXT_COLUMNS, "value")
    return audit(published, text)


def of_kind(findings, kind):
    return {(found.table, found.cell, found.printed) for found in findings if found.kind == kind}


def test_three_lora_averages_exceed_their_rows(findings):
    assert of_kind(findings, "average") == {
        ("lora", "llama-3.2-3b, sft, avg", "2.56"),
        ("lora", "qwen2.5-math-1.5b, sft, avg", "16.87"),
        ("lora", "qwen2.5-math-1.5b, dft, avg", "32.90"),
    }
    expected = [found.expected for found in findings if found.kind == "average"]
    assert [text.split()[-1] for text in expected] == ["2.16", "16.47", "32.50"]


def test_one_value_comes_from_no_count(findings):
    (found,) = [found for found in findings if found.kind == "count"]
    assert (found.table, found.cell, found.printed) == (
        "table1",
        "llama-3.1-8b, base, amc23",
        "1.01",
    )
    assert "0.94 and 1.09" in found.expected  # 6 and 7 of 640


@pytest.mark.parametrize(
    ("table", "cell", "printed", "mean"),
    [
        ("table1", "qwen2.5-math-7b, base, amc23", "27.96", 100 * 179 / 640),
        ("table2", "llama-3.1-8b, iw-sft, aime24", "0.20", 3.3 / 16),
        ("table2", "deepseekmath-7b, iw-sft, aime24", "0.61", 3 * 3.3 / 16),
        ("table3", "qwen2.5-math-1.5b, iw-sft offline, amc23", "44.21", 100 * 283 / 640),
        ("weighting", "qwen2.5-math-1.5b, dft-geometric-mean, aime24", "1.23", 6 * 3.3 / 16),
    ],
)
def test_five_values_are_cut_off_instead_of_rounded(findings, table, cell, printed, mean):
    found = of_kind(findings, "cut off")
    assert (table, cell, printed) in found
    assert len(found) == 5
    assert np.floor(100 * mean) == round(100 * float(printed))
    assert f"{mean:.2f}" != printed


def test_table_3_has_other_runs_of_two_rows_of_table_1(findings):
    found = [found for found in findings if found.kind == "two values"]
    assert len(found) == 2 * 6
    assert {found.table for found in found} == {"table3"}
    assert {found.cell.rsplit(", ", 1)[0] for found in found} == {
        "qwen2.5-math-1.5b, sft", "qwen2.5-math-1.5b, dft",
    }  # fmt: skip
    averages = {found.printed: found.expected for found in found if found.cell.endswith("avg")}
    assert averages == {"16.81": "table1 prints 18.01", "30.67": "table1 prints 31.58"}


def test_four_gain_ratios_and_one_value_of_the_text_are_not_the_tables(findings):
    found = {(f.cell.split(",")[0], f.printed, f.expected) for f in findings if f.kind == "text"}
    assert found == {
        ("qwen2.5-math-1.5b", "5.9", "table1 gives 7.49"),
        ("llama-3.2-3b", "1.4", "table1 gives 1.69"),
        ("deepseekmath-7b", "1.58", "table1 gives 2.16"),
        ("qwen2.5-math-7b", "3.8", "table1 gives 6.71"),
        ("llama-3.1-8b", "8.28", "table1 gives 5.16"),
    }


def test_nothing_else_is_flagged(findings):
    assert len(findings) == 3 + 1 + 5 + 12 + 5


@pytest.mark.slow
@pytest.mark.parametrize("problems", [1, 3])
def test_attainable_values_are_those_of_all_ways_to_score_16_runs(problems):
    runs = range(problems + 1)
    exact, per_run = set(), set()
    for right in itertools.combinations_with_replacement(runs, RUNS):
        exact.add(sum(right) / (RUNS * problems) * 100)
        per_run.add(sum(round(1000 * count / problems) for count in right) / (10 * RUNS))
    for hundredths in range(0, 10001, 3):
        printed, value = Decimal(hundredths).scaleb(-2), hundredths / 100
        expected = {
            way
            for way, means in (("exact", exact), ("per_run", per_run))
            if any(abs(mean - value) < 0.005 + 1e-9 for mean in means)
        }
        if any(-1e-9 < mean - value < 0.01 - 1e-9 for mean in exact | per_run):
            expected.add("cut_off")
        assert ways_to_print(printed, problems) == expected, printed


def test_a_tied_run_counts_rounded_up_and_to_the_even_digit():
    assert {62, 63} <= rounded_runs(272)  # 17 of 272 is 6.25 %
    assert rounded_runs(30) >= {0, 33, 67, 100}
    assert len(rounded_runs(30)) == 31


def test_neighbours_of_a_value_outside_are_the_ends():
    assert neighbours(Decimal("101.00"), 40)[0] == 100
    assert ways_to_print(Decimal("101.00"), 40) == set()
    assert neighbours(Decimal("-1.00"), 40)[1] == 0


def tables(rng, per_run):
    """Printed tables as a study without a slip would have them, from simulated outcomes."""
    rows = []
    for model in ("a", "b"):
        shares = {benchmark: rng.uniform(0, 0.6) for benchmark in PROBLEMS}
        for method, setting, shift in (("base", "-", 0), ("sft", "sft", 0.1), ("dft", "sft", 0.3)):
            means = {}
            for benchmark, problems in PROBLEMS.items():
                runs = 100 * rng.binomial(problems, shares[benchmark] + shift, RUNS) / problems
                means[benchmark] = float((runs.round(1) if per_run else runs).mean())
            values = means | {"avg": float(np.mean(list(means.values())))}
            rows += [
                ("table1", model, method, setting, benchmark, Decimal(f"{value:.2f}"))
                for benchmark, value in values.items()
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def text_of(table):
    """The text of a paper that reads its own table."""
    value = table.set_index(["model", "method", "benchmark"])["accuracy"]
    base, sft, dft = (value["a", method, "avg"] for method in ("base", "sft", "dft"))
    ratio = Decimal(f"{(dft - base) / (sft - base):.2f}")
    rows = [
        ("value", "table1", "a", "sft", "sft", "", "avg", sft),
        ("difference", "table1", "a", "dft", "sft", "sft", "avg", dft - sft),
        ("gain_ratio", "table1", "a", "dft", "sft", "sft", "avg", ratio),
    ]
    return pd.DataFrame(rows, columns=list(TEXT_COLUMNS))


@pytest.mark.slow
@pytest.mark.parametrize("per_run", [False, True])
def test_tables_without_a_slip_give_no_finding(per_run):
    rng = np.random.default_rng(0)
    for _ in range(20):
        table = tables(rng, per_run)
        again = table[table["model"] == "a"].assign(table="table2")
        other = tables(rng, per_run).assign(table="lora")  # another training: other values
        other = other[other["method"] != "base"]
        assert audit(pd.concat([table, again, other]), text_of(table)) == []


@pytest.mark.parametrize(
    ("benchmark", "value", "kind"),
    [
        ("avg", "+0.02", "average"),
        ("amc23", "1.01", "count"),
        ("amc23", "27.96", "cut off"),  # 179 of 640 are 27.96875 %
        ("aime24", "0.61", "cut off"),
    ],
)
def test_a_planted_slip_is_found(benchmark, value, kind):
    table = tables(np.random.default_rng(1), per_run=True)
    at = (table["model"] == "b") & (table["method"] == "dft")
    cell = at & (table["benchmark"] == benchmark)
    old = table.loc[cell, "accuracy"].item()
    table.loc[cell, "accuracy"] = old + Decimal(value) if value[0] == "+" else Decimal(value)
    if kind != "average":
        parts = table[at & (table["benchmark"] != "avg")]["accuracy"].astype(float)
        average = at & (table["benchmark"] == "avg")
        table.loc[average, "accuracy"] = Decimal(f"{parts.mean():.2f}")
    (found,) = audit(table, text_of(table))
    assert (found.kind, found.cell) == (kind, f"b, dft, {benchmark}")


def test_a_cell_with_two_values_is_found():
    table = tables(np.random.default_rng(2), per_run=True)
    rows = table[(table["model"] == "a") & (table["method"] == "base")]
    again = rows.assign(table="lora")  # a base model is the same one in every table
    at = again["benchmark"] == "math500"
    again.loc[at, "accuracy"] += Decimal("5.00")
    again.loc[again["benchmark"] == "avg", "accuracy"] += Decimal("1.00")
    found = audit(pd.concat([table, again]), text_of(table))
    assert [(f.kind, f.table, f.cell) for f in found] == [
        ("two values", "lora", "a, base, math500"), ("two values", "lora", "a, base, avg"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["value", "difference", "gain_ratio"])
def test_a_number_of_the_text_that_is_not_the_tables_is_found(kind):
    table = tables(np.random.default_rng(6), per_run=True)
    text = text_of(table)
    text.loc[text["kind"] == kind, "value"] += Decimal("0.20")
    (found,) = audit(table, text)
    assert found.kind == "text"
    assert found.cell.endswith(kind.replace("_", " "))


@pytest.mark.parametrize("printed", ["-0.10", "100.10"])
def test_what_is_no_percentage_is_said_to_be_none(printed):
    table = tables(np.random.default_rng(6), per_run=True)
    table.at[0, "accuracy"] = Decimal(printed)
    (found,) = wrong_counts(table)
    assert found.expected == "it is no percentage: outside 0 to 100"


def test_audit_as_a_command(tmp_path):
    done = step("audit", "--out", tmp_path / "audit.csv")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    found = pd.read_csv(tmp_path / "audit.csv", dtype=str)
    assert list(found) == ["kind", "table", "cell", "printed", "expected"]
    assert len(lines) == len(found) + 2
    assert "count: table1: llama-3.1-8b, base, amc23: 1.01" in done.stdout
    assert "0 only with the former, 50 only with the latter" in lines[-1]


def test_a_file_without_the_texts_numbers_is_audited_by_itself(tmp_path):
    file = tmp_path / "mine.csv"
    tables(np.random.default_rng(3), per_run=True).to_csv(file, index=False)
    done = step("audit", file)
    assert done.returncode == 0, done.stderr
    assert "36 printed numbers and 0 of the text: all agree" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content", "parts"),
    [
        ("p.csv", None, ["p.csv"]),
        ("p.csv", "table,model\n", ["p.csv", "no column 'method'"]),
        ("p.csv", f"{','.join(COLUMNS)}\nt,m,sft,sft,amc23,5.0\nt,m,sft,sft,avg,five\n",
         ["p.csv", "line 3", "'five'"]),
        ("p.csv", f"{','.join(COLUMNS)}\nt,m,sft,sft,amc23,\n", ["p.csv", "line 2"]),
        ("p-text.csv", f"{','.join(TEXT_COLUMNS)}\nvalue,t,m,dft,sft,,amc23,5.0\n",
         ["line 2", "no cell t, m, dft"]),
        ("p-text.csv", f"{','.join(TEXT_COLUMNS)}\nsum,t,m,sft,sft,,amc23,5.0\n",
         ["line 2", "kind 'sum'"]),
    ],
)  # fmt: skip
def test_unreadable_input_is_one_line(tmp_path, file, content, parts):
    published = Path(tmp_path / "p.csv")
    if file != "p.csv":
        published.write_text(f"{','.join(COLUMNS)}\nt,m,sft,sft,amc23,5.0\n")
    if content is not None:
        (tmp_path / file).write_text(content)
    one_line(step("audit", published), *parts)
