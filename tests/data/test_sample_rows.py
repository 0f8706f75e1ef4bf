"""Sampling of rows: picks, counts, checksums, and every kind of bad file."""

import hashlib
import json

import pandas as pd
import pytest
from helpers import DATA, ROOT, one_line, settings_file, step
from rectify.data.sample_rows import training_rows
from rectify.data.source import is_benchmark, source_settings
from rectify.jobs.settings import SETTINGS
from rectify.step import manifest
from rectify.step.errors import StepError
from rectify.study.load import load_study, merge, read_yaml

ROWS = [{"problem": f"{n}+1?", "solution": f"So \\boxed{{{n + 1}}}."} for n in range(20)]
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no benchmark files in {DATA}; set RECTIFY_DATA"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("RECTIFY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def source(tmp_path):
    """A JSONL file of rows."""
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS))
    return path


def sample(tmp_path, rows_of="training", **settings):
    """Run the step; returns the process, the rows and the counts (None where not written)."""
    defaults = {"rows_of": rows_of, "seed": 0, "problem": "problem", "pick": "random"}
    kind = {"answer": "answer", "boxed": False} if "/" in rows_of else {"solution": "solution"}
    out, counts = tmp_path / "out.parquet", tmp_path / "out.json"
    out.unlink(missing_ok=True)
    counts.unlink(missing_ok=True)
    done = step(
        "sample_rows", "--settings", settings_file({**defaults, **kind, **settings}), "--data-dir",
        tmp_path, "--out", out, "--counts", counts,
    )  # fmt: skip
    if done.returncode:
        assert not out.exists()
        assert not counts.exists()
        return done, None, None
    return done, pd.read_parquet(out), json.loads(counts.read_text())


@pytest.mark.slow
def test_a_seeded_random_sample(tmp_path, source):
    _, first, counts = sample(tmp_path, file=source.name, rows=8)
    _, again, _ = sample(tmp_path, file=source.name, rows=8)
    _, other, _ = sample(tmp_path, file=source.name, rows=8, seed=1)
    assert first.equals(again)
    assert not first.equals(other)
    assert first["problem"].is_unique
    assert counts["taken"] == 8
    assert set(first["problem"]) < {row["problem"] for row in ROWS}


def test_the_first_rows(tmp_path, source):
    _, rows, _ = sample(tmp_path, file=source.name, rows=5, pick="first")
    assert rows.to_dict("records") == ROWS[:5]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "hub"])
def test_rewards_stay_with_their_rows(tmp_path, kind):
    rewards = [index / 4 for index in range(20)]
    (tmp_path / "set").mkdir()
    file = tmp_path / "set" / "train.parquet"
    pd.DataFrame(ROWS).assign(score=rewards).to_parquet(file)
    origin = {"file": str(file)} if kind == "file" else {"hub": str(file.parent), "split": "train"}
    _, rows, _ = sample(tmp_path, **origin, reward="score", rows=8)
    by_problem = dict(zip((row["problem"] for row in ROWS), rewards, strict=True))
    assert rows["reward"].tolist() == [by_problem[problem] for problem in rows["problem"]]
    _, rows, _ = sample(tmp_path, **origin)
    assert list(rows) == ["problem", "solution"]


@pytest.mark.slow
@pytest.mark.parametrize("value", [None, "much", float("inf")])
def test_a_row_without_a_reward_is_named(tmp_path, source, value):
    lines = [row | {"score": value if number == 3 else 1} for number, row in enumerate(ROWS)]
    source.write_text("\n".join(map(json.dumps, lines)))
    done, _, _ = sample(tmp_path, file=source.name, reward="score")
    one_line(done, "rows.jsonl: row 4 has no number in 'score'")
    done, _, _ = sample(tmp_path, file=source.name, reward="scores")
    one_line(done, "no field 'scores'; there are problem, solution, score")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_log_probabilities_of_the_writer_stay_with_their_rows(tmp_path, kind):
    lists = [[-0.5, -1e-3 * index] for index in range(len(ROWS))]
    frame = pd.DataFrame(ROWS).assign(written=lists)
    file = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_parquet(file)
    _, rows, _ = sample(tmp_path, file=file.name, behaviour_logp="written", rows=8)
    by_problem = dict(zip((row["problem"] for row in ROWS), lists, strict=True))
    for problem, values in zip(rows["problem"], rows["behaviour_logp"], strict=True):
        assert values.tolist() == pytest.approx(by_problem[problem])


@pytest.mark.slow
@pytest.mark.parametrize("value", [None, "123", [], [0.5, "x"], [float("inf")], 3])
def test_a_row_without_a_list_of_log_probabilities_is_named(tmp_path, source, value):
    lines = [row | {"p": value if number == 3 else [-1.0]} for number, row in enumerate(ROWS)]
    source.write_text("\n".join(map(json.dumps, lines)))
    done, _, _ = sample(tmp_path, file=source.name, behaviour_logp="p")
    one_line(done, "rows.jsonl: row 4 has no list of numbers in 'p'")


def test_rows_without_a_usable_text_are_dropped_and_counted(tmp_path, source):
    bad = [{"problem": "a?", "solution": " "}, {"problem": None, "solution": "b"}, {"problem": "c"}]
    plain = [{"problem": "d?", "solution": "no box"}]
    source.write_text("\n".join(json.dumps(row) for row in [*bad, *ROWS, *plain]))
    _, rows, counts = sample(tmp_path, file=source.name)
    assert len(rows) == 21
    assert counts["rows"] == 24
    assert counts["dropped_unusable"] == 3
    assert counts["without_boxed_answer"] == 1


def test_parquet_and_remote_files_need_and_check_their_checksum(tmp_path, source):
    pd.DataFrame(ROWS).to_parquet(tmp_path / "rows.parquet")
    right = hashlib.sha256((tmp_path / "rows.parquet").read_bytes()).hexdigest()
    url = (tmp_path / "rows.parquet").as_uri()
    _, rows, _ = sample(tmp_path, file=url, sha256=right)
    assert len(rows) == 20
    done, _, _ = sample(tmp_path, file=source.name, sha256="0" * 64)
    one_line(done, "rows.jsonl", "its sha256 is", "the study says 000")


@pytest.mark.slow
def test_a_remote_file_is_kept_for_other_studies(tmp_path, source):
    right = hashlib.sha256(source.read_bytes()).hexdigest()
    sample(tmp_path, file=source.as_uri(), sha256=right)
    assert [file.name for file in (tmp_path / "cache").iterdir()] == [right]
    source.rename(tmp_path / "away.jsonl")
    _, rows, _ = sample(tmp_path, file=source.as_uri(), sha256=right)
    assert len(rows) == 20
    (tmp_path / "cache" / right).write_text("damaged")  # fetched anew, if it can be
    done, _, _ = sample(tmp_path, file=source.as_uri(), sha256=right)
    one_line(done, "rows.jsonl: cannot be read")
    (tmp_path / "away.jsonl").rename(source)
    _, rows, _ = sample(tmp_path, file=source.as_uri(), sha256=right)
    assert len(rows) == 20
    assert (tmp_path / "cache" / right).read_bytes() == source.read_bytes()


def test_a_cache_that_is_not_writable(tmp_path, source, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECTIFY_CACHE", str(tmp_path / "file" / "cache"))
    right = hashlib.sha256(source.read_bytes()).hexdigest()
    done, _, _ = sample(tmp_path, file=source.as_uri(), sha256=right)
    one_line(done, "cache", "set RECTIFY_CACHE")


@pytest.mark.slow
def test_a_local_folder_in_the_hubs_format(tmp_path):
    (tmp_path / "set").mkdir()
    turns = [[{"role": "user", "content": row["problem"]}] for row in ROWS]
    numina = pd.DataFrame(ROWS).assign(source="aops_forum", messages=turns)  # NuminaMath's columns
    numina.to_parquet(tmp_path / "set" / "train.parquet")
    _, rows, _ = sample(tmp_path, hub=str(tmp_path / "set"), split="train", pick="first", rows=3)
    assert rows.to_dict("records") == ROWS[:3]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no rows in it"),
        ('{"problem": "a"}\n{oops\n', "line 2 is not JSON"),
        ("[1]\n", "line 1 is not a JSON object"),
        ('{"question": "a", "solution": "b"}\n', "no field 'problem'; there are question"),
        ('{"problem": "a"}\n', "no field 'solution'"),
        ('{"problem": "a", "solution": ""}\n', "no usable row in it"),
    ],
)
def test_bad_training_files(tmp_path, source, content, said):
    source.write_text(content)
    done, _, _ = sample(tmp_path, file=source.name)
    one_line(done, "rows.jsonl", said)


def test_a_missing_file(tmp_path):
    done, _, _ = sample(tmp_path, file="gone.jsonl")
    one_line(done, "gone.jsonl", "cannot be read")


def test_too_few_rows(tmp_path, source):
    done, _, _ = sample(tmp_path, file=source.name, rows=21)
    one_line(done, "has 20 usable rows, but 21 are asked for")


def test_rows_that_are_not_wanted_may_be_of_any_kind(tmp_path):
    """They are left out before the others are read; these keep their places in the source."""
    rows = [
        {"problem": ["a", "b"], "answer": {}, "level": 5},
        {"problem": "2+2?", "answer": "4", "level": 1},
        {"problem": "2+3?", "answer": "", "level": 5},
        {"problem": "2+4?", "answer": "6", "level": 1},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    wanted = {"file": file.name, "only": {"level": 1}}
    _, found, counts = sample(tmp_path, "benchmarks/one", **wanted)
    assert found["problem"].tolist() == ["2+2?", "2+4?"]
    assert found["problem_id"].tolist() == [1, 3]
    assert (counts["rows"], counts["left_out"], counts["dropped_unusable"]) == (4, 2, 0)
    rows[3]["answer"] = ""
    file.write_text("\n".join(map(json.dumps, rows)))
    done, *_ = sample(tmp_path, "benchmarks/one", **wanted)
    one_line(done, "row 4 has no answer")
    done, *_ = sample(tmp_path, "benchmarks/one", **wanted | {"only": {"level": 3}})
    one_line(done, "no row of {'level': 3}")


def test_a_benchmark_row_without_an_answer_is_named(tmp_path, source):
    source.write_text('{"problem": "a", "answer": "1"}\n{"problem": "b", "answer": null}\n')
    done, _, _ = sample(tmp_path, "benchmarks/x", file=source.name)
    one_line(done, "rows.jsonl", "row 2 has no answer")


def real_benchmarks():
    """The benchmark blocks of config/real.yaml."""
    import yaml

    return yaml.safe_load((ROOT / "config" / "real.yaml").read_text())["benchmarks"]


@needs_data
@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        ("math500", 500, "\\left( 3, \\frac{\\pi}{2} \\right)"),
        ("minerva_math", 272, "1.6"),
        ("olympiadbench", 675, "2"),
        ("aime24", 30, "204"),
        ("amc23", 40, "27.0"),
    ],
)
def test_the_papers_benchmark_files(tmp_path, name, count, first):
    block = {k: v for k, v in real_benchmarks()[name].items() if k not in ("title", "published")}
    block.pop("rows", None)
    settings = {"pick": "first", **block, "file": str(DATA / block["file"])}
    _, rows, _ = sample(tmp_path, f"benchmarks/{name}", **settings)
    assert len(rows) == count
    assert rows["answer"][0] == first
    assert rows["problem_id"].tolist() == list(range(count))
    assert (rows["answer"].str.strip() != "").all()


def test_kinds_of_rows():
    from types import SimpleNamespace

    assert is_benchmark(SimpleNamespace(rows_of="benchmarks/a"))
    assert not is_benchmark(SimpleNamespace(rows_of="pretraining/a"))


CHOICES = [
    {"problem": "Capital of Norway?", "answer": "C", "options": ["Rome", "Paris", "Oslo"]},
    {"problem": "Capital of Italy?", "answer": "Rome", "options": ["Oslo", "Rome"], "weight": 2.5},
]


def choices(tmp_path, rows, **settings):
    """A benchmark of multiple choice, sampled."""
    (tmp_path / "choices.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return sample(
        tmp_path, "benchmarks/qa", file="choices.jsonl", rows_for="choice", pick="first", **settings
    )


def test_a_graders_rows_are_kept_whole_and_an_instruction_with_them(tmp_path):
    _, rows, _ = choices(tmp_path, CHOICES, instruction="Say a letter.")
    first, second = map(json.loads, rows["row"])
    assert first == {**CHOICES[0], "weight": None}
    assert second == {**CHOICES[1], "weight": "2.5"}  # a number of JSON is its text, as everywhere
    assert set(rows["instruction"]) == {"Say a letter."}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"options": None}, "row 2 has no list of texts in 'options'"),
        ({"options": []}, "row 2 has no list of texts in 'options'"),
        ({"answer": "E"}, "row 2: its answer 'E' is no letter of an option, nor the text of one"),
    ],
)
def test_a_row_that_cannot_be_chosen_from_is_named(tmp_path, row, said):
    done, _, _ = choices(tmp_path, [CHOICES[0], {**CHOICES[1], **row}])
    one_line(done, "choices.jsonl", said)


# rows without a text, in training data


def training(unfit, *solutions):
    """Training rows of these solutions, from a file that has them."""
    frame = pd.DataFrame({"problem": "1+1?", "solution": pd.Series(solutions, dtype=object)})
    given = {"rows_of": "training", "problem": "problem", "solution": "solution", "unfit": unfit}
    return training_rows(frame, source_settings(given), "a.jsonl")


MESSAGES = [{"role": "tool", "content": "2"}]


@pytest.mark.parametrize("unfit", [None, "drop"])
def test_rows_without_a_text_are_left_out_and_the_first_are_named(unfit, capsys):
    assert training(unfit, "", "2", None, " ", "3", "")["solution"].tolist() == ["2", "3"]
    said = "a.jsonl: 4 rows without a problem or a solution (row 1, 3, 4, ...)"
    assert capsys.readouterr().out == f"dropped: {said}\n"
    assert manifest.NOTES["dropped"] == {"rows": 4, "first": ["1", "3", "4"]}


def test_or_refused_in_one_line():
    with pytest.raises(StepError) as error:
        training("refuse", "2", "")
    assert str(error.value) == (
        "a.jsonl: 1 rows without a problem or a solution (row 2); mend them, or say "
        "training.unfit: drop"
    )


@pytest.mark.parametrize("unfit", [None, "refuse"])
def test_rows_of_messages_are_refused(unfit):
    with pytest.raises(StepError, match=r"a.jsonl: row 2: 'solution' is a list of chat messages"):
        training(unfit, "2", MESSAGES)


def test_or_dropped_where_the_study_says_so_unless_all_are(capsys):
    assert training("drop", "2", MESSAGES, "3")["solution"].tolist() == ["2", "3"]
    assert "1 rows without a problem or a solution (row 2)" in capsys.readouterr().out
    with pytest.raises(StepError, match="row 1: 'solution' is a list of chat messages"):
        training("drop", MESSAGES, MESSAGES)


def test_a_study_that_says_nothing_has_the_settings_that_it_had():
    """Its rows are what they were."""
    study = {"training": {"unfit": "refuse"}}
    for changed, expected in ((None, None), (study, "refuse")):
        mini = merge(read_yaml(ROOT / "config/mini.yaml"), changed or {})
        settings = SETTINGS["sample_rows"](load_study(mini), "training")
        assert settings.get("unfit") == expected
    of_base = SETTINGS["sample_rows"](load_study(mini), "pretraining/qwen2-mini")
    assert "unfit" not in of_base
    assert "unfit" not in SETTINGS["sample_rows"](load_study(mini), "benchmarks/six-steps")
