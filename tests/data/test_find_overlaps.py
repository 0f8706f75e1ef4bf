"""Overlap of benchmarks with training rows: planted, absent, against brute force, at full size."""

import random
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import one_line, settings_file, step
from rectify.data.find_overlaps import (
    BAND,
    BANDS,
    JACCARD,
    RUN,
    Benchmarks,
    coverage,
    overlaps,
    shingles,
    tokens,
    words,
)
from rectify.report.tables.tabulate_overlaps import both, markdown

WALK = (
    r"Every morning Aya goes for a $9$-kilometer-long walk and stops at a coffee shop afterwards. "
    r"When she walks at $s+\frac{1}{2}$ kilometers per hour, the walk takes her $4$ hours. "
    r"Find the number of minutes that the walk takes her at $s+2$ kilometers per hour."
)
WALK_RESPACED = (
    r"Every morning Aya goes for a \(9\)-kilometer-long walk\, and stops at a coffee shop "
    "afterwards.\n\n"
    r"When she walks at $ s \, + \; \dfrac { 1 } { 2 } $ kilometers per hour, the walk takes her "
    r"\textbf{4} hours.  Find the number of minutes that the walk takes her at $s\!+2$ "
    "kilometers per hour"
)
SHORT = r"Compute $\sin 60^\circ$."
UNRELATED = [
    ("What is the sum of the first ten odd numbers?", r"They are squares: \boxed{100}."),
    (r"Compute $\cos 60^\circ$.", r"\boxed{\frac{1}{2}}"),
    ("A box holds 3 red and 5 blue balls. One is drawn at random. Is it red?", "Perhaps."),
    ("", ""),
    ("...", "$$"),
]


def problems_of(*texts):
    """Benchmark problems of one benchmark."""
    return pd.DataFrame(
        {"benchmark": "a", "problem_id": range(10, 10 + len(texts)), "problem": texts}
    )


def found(rows, *texts):
    """The pairs that the problems `texts` have with rows, among rows that have nothing of them."""
    table = overlaps(problems_of(*texts), [*UNRELATED, *rows])
    return table.assign(row=table["row"] - len(UNRELATED))


@pytest.mark.parametrize("copy", [WALK, WALK_RESPACED, WALK.upper()])
def test_a_problem_is_found_however_it_is_set(copy):
    (pair,) = found([(copy, "")], SHORT, WALK).itertuples()
    assert (pair.problem_id, pair.row, pair.kind, pair.similarity) == (11, 0, "exact", 1)
    assert pair.overlaps
    assert (pair.problem, pair.training) == (WALK[:300], copy[:300])


def test_a_problem_with_another_number_is_a_near_duplicate():
    changed = WALK.replace("the walk takes her $4$ hours", "the walk takes her $7$ hours")
    (pair,) = found([(changed, "")], WALK).itertuples()
    assert pair.kind == "near-duplicate"
    grams = len(tokens(WALK)) - 4
    assert pair.similarity == pytest.approx((grams - 5) / (grams + 5))  # 5 of each text's differ
    assert pair.overlaps


def test_a_problem_inside_a_long_solution_is_found():
    padding = "and so on with other words that mean nothing here " * 200
    (pair,) = found([("Prove it.", f"{padding} {WALK} {padding}")], WALK).itertuples()
    assert (pair.kind, pair.where, pair.similarity) == ("13-gram", "solution", 1)
    assert pair.overlaps
    assert pair.shared == " ".join(words(tokens(WALK)))


def test_a_phrase_of_thirteen_words_is_listed_but_does_not_count():
    phrase = "where m and n are relatively prime positive integers find m plus n"
    words_of = [f"{letter}word" for letter in "abcdefghijklmnopqrst"]
    problem = " ".join(words_of) + f", {phrase}."
    (pair,) = found([(f"Something else, {phrase.upper()}!", "")], f"{problem}").itertuples()
    assert (pair.kind, pair.shared) == ("13-gram", " ".join(words(tokens(phrase))))
    assert pair.similarity == pytest.approx(13 / 33)
    assert not pair.overlaps
    assert found([(f"Something else, {phrase[:-2]}.", "")], problem).empty  # 12 words


def test_a_short_problem_is_compared_whole():
    (pair,) = found([(r"compute  $\sin60^{\circ}$", "")], SHORT).itertuples()
    assert pair.kind == "exact"
    assert found([(r"Compute $\sin 61^\circ$.", f"It has {SHORT} in it.")], SHORT).empty


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Find 40+9-4.", "Find 40-9+4."),
        ("Plot (2.5).", "Plot (2,5)."),
        ("Compute 7*5-12+1.", "Compute 7*5-12+7."),  # Jaccard similarity 2/3
    ],
)
def test_a_short_problem_with_another_operator_or_number_is_another(ours, theirs):
    assert found([(theirs, "")], ours).empty


def test_nothing_is_found_among_unrelated_problems():
    rng = random.Random(0)
    texts = [" ".join(rng.choices([f"w{c}" for c in "abcdefghij"], k=40)) for _ in range(60)]
    assert found([(text, text) for text in texts[30:]], *texts[:30]).empty


def test_shared_runs_agree_with_brute_force():
    """Every run of 13 words of every problem is looked for as text in every row; the texts are put
    together from cuts of the same few, of lengths about 13.
    """
    rng = random.Random(1)
    sources = [rng.choices("abc", k=40) for _ in range(6)]

    def text():
        cuts = []
        for source in rng.choices(sources, k=4):
            start = rng.randrange(20)
            cuts += source[start : start + rng.randrange(5, 20)]
        return " ".join(cuts)

    ours, theirs = [text() for _ in range(40)], [text() for _ in range(60)]
    index = Benchmarks(problems_of(*ours))
    seen = 0
    for row in theirs:
        shared = index.shared_runs(row.split())
        for place, problem in enumerate(ours):
            parts = problem.split()
            expected = [
                start
                for start in range(len(parts) - RUN + 1)
                if f" {' '.join(parts[start : start + RUN])} " in f" {' '.join(row.split())} "
            ]
            assert shared.get(place, []) == expected
            seen += bool(expected)
    assert 100 < seen < 40 * 60 / 2


def test_the_share_of_a_problem_and_its_longest_run():
    """13-grams from words 0, 1 and 13, as from two places of a row: words 0-13 are in one run and
    13-25 in another, together 26 of 30.
    """
    problem = [f"w{place}" for place in range(30)]
    assert coverage(problem, [0, 1, 13]) == (26 / 30, " ".join(problem[:14]))


def test_near_duplicates_agree_with_brute_force():
    """All pairs' Jaccard similarities; MinHash may miss one at the threshold, hardly one above."""
    rng = random.Random(3)
    ours = [" ".join(rng.choices([f"x{c}" for c in "abcdefgh"], k=30)) for _ in range(150)]
    theirs = []
    for text in ours:
        changed = text.split()
        for place in rng.sample(range(30), rng.randrange(0, 4)):
            changed[place] = "other"
        theirs.append(" ".join(changed))
    table = overlaps(problems_of(*ours), [(text, "") for text in theirs])
    table = table[table["kind"] != "13-gram"]
    listed = {(pair.problem_id - 10, pair.row): pair.similarity for pair in table.itertuples()}
    sets = [[shingles(tokens(text)) for text in texts] for texts in (ours, theirs)]
    expected = {
        (i, j): len(a & b) / len(a | b)
        for i, a in enumerate(sets[0])
        for j, b in enumerate(sets[1])
        if len(a & b) / len(a | b) >= JACCARD
    }
    assert listed.items() <= expected.items()
    missed = sum((1 - value**BAND) ** BANDS for value in expected.values())
    assert len(expected) > 60
    assert len(expected) - len(listed) <= missed + 3 * missed**0.5


SETTINGS = {
    "scoring": {"grader": "corrected", "rounding": "exact"},
    "benchmarks": [{"name": "a", "title": "A"}, {"name": "b", "title": "B"}],
    "rows": [
        {"model": "m", "model_title": "M", "method": method, "method_title": method.upper(),
         "setting": setting}
        for method, setting in (("base", "-"), ("dft", "sft"))
    ],
}  # fmt: skip


def scores_of(**right):
    """Scores of four samples: how many are right of each problem of each benchmark."""
    return pd.DataFrame(
        [
            {
                "benchmark": name,
                "problem_id": problem,
                "seed": 0,
                "repeat": 0,
                "sample": k,
                "correct": k < count,
            }
            for name, counts in right.items()
            for problem, count in enumerate(counts)
            for k in range(4)
        ]
    )


SCORES = [scores_of(a=[4, 0, 2], b=[1, 3]), scores_of(a=[4, 4, 0], b=[2, 2])]


def pairs_of(*keys):
    """Overlapping pairs, and one that shares a phrase only."""
    counted = [(*key, 7, "exact", True) for key in keys] + [("a", 1, 8, "13-gram", False)]
    return pd.DataFrame(counted, columns=["benchmark", "problem_id", "row", "kind", "overlaps"])


def accuracies(cells, column):
    return cells.set_index(["method", "benchmark"])[column].to_dict()


def test_cells_without_the_overlapping_problems():
    cells = both(SETTINGS, SCORES, pairs_of(("a", 0), ("b", 1)))
    assert accuracies(cells, "accuracy") == {
        ("base", "a"): 50, ("base", "b"): 50, ("base", "mean"): 50,
        ("dft", "a"): pytest.approx(200 / 3), ("dft", "b"): 50,
        ("dft", "mean"): pytest.approx(175 / 3),
    }  # fmt: skip
    assert accuracies(cells, "accuracy_without") == {
        ("base", "a"): 25, ("base", "b"): 25, ("base", "mean"): 25,
        ("dft", "a"): 50, ("dft", "b"): 50, ("dft", "mean"): 50,
    }  # fmt: skip
    assert accuracies(cells, "n_problems_without")["base", "a"] == 2
    text = markdown(cells, pairs_of(("a", 0), ("b", 1)), SETTINGS)
    assert "2 problems overlap with training rows: 1 of 3 in A, 1 of 2 in B; pairs: 2 exact" in text
    lines = [[part.strip() for part in line.split("|")[1:-1]] for line in text.splitlines()[4:]]
    assert lines == [
        ["M", "BASE", "all", "50.00", "50.00", "50.00"],
        ["", "", "without", "25.00", "25.00", "25.00"],
        ["M", "DFT", "all", "66.67", "50.00", "58.33"],
        ["", "", "without", "50.00", "50.00", "50.00"],
    ]


def test_a_benchmark_that_overlaps_wholly_has_no_value_without():
    pairs = pairs_of(("b", 0), ("b", 1))
    cells = both(SETTINGS, SCORES, pairs)
    left = accuracies(cells, "accuracy_without")
    assert left["base", "a"] == 50
    assert np.isnan([left["base", "b"], left["base", "mean"]]).all()
    assert accuracies(cells, "n_problems_without")["base", "b"] == 0
    assert markdown(cells, pairs, SETTINGS).count("–") == 4


def test_without_overlap_one_line_says_so():
    text = markdown(both(SETTINGS, SCORES, pairs_of()), pairs_of(), SETTINGS)
    assert text.count("\n") == 1
    assert "No benchmark problem overlaps with a training row" in text
    assert "1 pair shares a 13-gram" in text


def test_problems_of_other_benchmarks_are_rows_too_numbered_on(tmp_path):
    problems_of(WALK, "What is 2 + 3?").assign(answer="1").to_parquet(tmp_path / "held.parquet")
    rows = pd.DataFrame({"problem": ["x", "y"], "solution": ["1", "2"]})
    rows.to_parquet(tmp_path / "rows.parquet")
    problems_of("Else?", WALK).assign(answer="1").to_parquet(tmp_path / "test.parquet")
    files = [tmp_path / name for name in ("rows.parquet", "test.parquet")]
    benchmarks = ("--benchmarks", tmp_path / "held.parquet", "--out", tmp_path / "out.csv")
    done = step("find_overlaps", "--rows", *files, *benchmarks)
    assert done.returncode == 0, done.stderr
    (pair,) = pd.read_csv(tmp_path / "out.csv").itertuples()
    assert (pair.benchmark, pair.problem_id, pair.row, pair.kind) == ("held", 10, 3, "exact")


@pytest.mark.slow
def test_bad_input_is_one_line(tmp_path):
    problems_of(WALK).assign(answer="1").to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"problem": ["x"]}).to_parquet(tmp_path / "rows.parquet")
    (tmp_path / "text.parquet").write_text("nothing")
    for name, said in (
        ("rows", "rows.parquet: no column 'solution'"),
        ("none", "none.parquet: no such file"),
        ("text", "text.parquet: not a Parquet file"),
    ):
        files = ["--benchmarks", tmp_path / "a.parquet", "--out", tmp_path / "out.csv"]
        one_line(step("find_overlaps", "--rows", tmp_path / f"{name}.parquet", *files), said)
    (tmp_path / "other.csv").write_text("benchmark,accuracy\na,1\n")
    files = ["--overlaps", tmp_path / "other.csv", "--out", tmp_path / "out"]
    done = step("tabulate_overlaps", "--settings", settings_file({**SETTINGS, "rows": []}), *files)
    one_line(done, "other.csv: no column 'problem_id'")


@pytest.mark.slow
def test_a_fifth_of_the_papers_rows_take_a_minute_and_little_memory(tmp_path):
    """The paper's 1,517 problems and 20,000 rows of its length, one planted in the last."""
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"w{''.join(chr(97 + int(d)) for d in str(i))}" for i in range(3000)])

    def texts(count, length):
        return [" ".join(part) for part in vocabulary[rng.zipf(1.3, (count, length)) % 3000]]

    problems = texts(1517, 60)
    pd.DataFrame({"problem_id": range(1517), "problem": problems, "answer": "1"}).to_parquet(
        tmp_path / "a.parquet"
    )
    schema = pa.schema({"problem": pa.string(), "solution": pa.string()})
    with pq.ParquetWriter(tmp_path / "rows.parquet", schema) as writer:
        for part in range(20):
            rows = {"problem": texts(1000, 60), "solution": texts(1000, 300)}
            if part == 19:
                rows["solution"][-1] += " " + problems[1000]
            writer.write_table(pa.table(rows, schema=schema))
    started = time.monotonic()
    # not getrusage's peak: that counts the memory of the process that started this one
    code = "from rectify.__main__ import main\n" \
        "try: main()\n" \
        "finally: print(open('/proc/self/status').read())"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code, "find_overlaps", "--rows", tmp_path / "rows.parquet",
         "--benchmarks", tmp_path / "a.parquet", "--out", tmp_path / "out.csv"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, kilobytes = time.monotonic() - started, int(done.stdout.split("VmHWM:")[1].split()[0])
    print(f"{seconds:.0f} s, {kilobytes / 1e6:.2f} GB")
    table = pd.read_csv(tmp_path / "out.csv")
    assert [(pair.problem_id, pair.row) for pair in table[table["overlaps"]].itertuples()] == [
        (1000, 19999)
    ]
    assert seconds < 60
    assert kilobytes < 4e5
