"""Kinds of files and values: what is read, to the last digit, and what is refused by its row."""

import gzip
import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from rectify.data.fields import behind, numbers, texts
from rectify.data.row_files import read_file
from rectify.data.sample_rows import benchmark_rows, training_rows
from rectify.data.source import read_hub, source_settings
from rectify.step.errors import StepError

LONG = "12345678901234567"  # more digits than a float holds


def written(tmp_path, content, name="rows.jsonl"):
    """A file's path."""
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(tmp_path / name)


def golds(path):
    """The texts of a file's field `answer`."""
    return texts(read_file(path, None), "answer", path).tolist()


NUMBERS = [LONG, "0.5", "0.50", "2.0", "-0", "1e5", "1E-7", "1.50e3", "1e400", "9" * 5000]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_of_a_jsonl_file_is_the_text_that_the_file_has(tmp_path, number):
    lines = [f'{{"answer": {value}}}' for value in (number, "0.5", "null", f"[{number}]")]
    assert golds(written(tmp_path, "\n".join(lines))) == [number, "0.5", "", number]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([int(LONG), None]), [LONG, ""]),
        (pa.array([2**64 - 1, None], pa.uint64()), [str(2**64 - 1), ""]),
        (pa.array([Decimal("5.00"), Decimal("1e-7")], pa.decimal128(30, 9)),
         ["5.000000000", "0.000000100"]),
        (pa.array([0.1, 5.0], pa.float64()), ["0.1", "5.0"]),
        (pa.array([1e-7, 1.2345678901234568e16], pa.float64()),
         ["0.0000001", "12345678901234568"]),
        (pa.array([0.1, 1e10], pa.float32()), ["0.1", "10000000000.0"]),
        (pa.array([[int(LONG)], []], pa.list_(pa.int64())), [LONG, ""]),
        (pa.array(["0.50", None]), ["0.50", ""]),
        (pa.array([b"\xc3\xa9", b"2"]), ["é", "2"]),
        (pa.array(["7", "7"]).dictionary_encode(), ["7", "7"]),
    ],
)  # fmt: skip
def test_a_number_of_a_parquet_file_keeps_its_digits(tmp_path, column, expected):
    parquet.write_table(pa.table({"answer": column}), tmp_path / "a.parquet")
    assert golds(str(tmp_path / "a.parquet")) == expected


TURNS = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (TURNS, "is a list of chat messages"),
        (TURNS[:1], "is a list of chat messages"),
        ([{"from": "human", "value": "1+1?"}], "is a list of chat messages"),
        ({"value": 5}, "is a dictionary of value"),
        ([["2"]], "is a list within a list"),
        (["2", "3"], "is a list of 2 values"),
        ([{"a": 1}, {"b": 2}], "is a list of dictionaries"),
        ("\ud835", "holds half of a character, the lone surrogate '\\\\ud835'"),
        (["\ud835"], "holds half of a character"),
    ],
)
@pytest.mark.parametrize("field", ["problem", "solution", "answer"])
def test_what_is_no_text_is_refused_by_file_row_and_field(tmp_path, field, value, said):
    rows = [{"problem": "a?", "solution": "b", "answer": "1"} for _ in range(3)]
    rows[1][field] = value
    path = written(tmp_path, "\n".join(map(json.dumps, rows)))
    settings = {"problem": "problem", "solution": "solution", "answer": "answer"}
    make = benchmark_rows if field == "answer" else training_rows
    with pytest.raises(StepError, match=rf"rows\.jsonl: row 2: '{field}' {said}.*; make it one "):
        make(read_file(path, None), source_settings(settings), path)


def test_bytes_that_are_no_text_and_dates_are_refused(tmp_path):
    for value, said in ((b"\xff", "bytes that are not UTF-8"), (pd.Timestamp(0).date(), "a date")):
        parquet.write_table(pa.table({"answer": [value]}), tmp_path / "a.parquet")
        with pytest.raises(StepError, match=rf"row 1: 'answer' .*{said}"):
            golds(str(tmp_path / "a.parquet"))


def test_whole_characters_beyond_the_first_plane_are_text(tmp_path):
    """A pair of surrogates is one character; JSON's other line separators end no line."""
    assert golds(written(tmp_path, '{"answer": "\\ud835\\udc65 \u2028"}')) == ["\U0001d465 \u2028"]


def test_a_field_that_is_not_used_may_hold_anything(tmp_path):
    path = written(tmp_path, json.dumps({"answer": "1", "messages": TURNS, "id": "\ud835"}))
    assert golds(path) == ["1"]


ROWS = [{"problem": 'a, "b"\n?', "answer": "0.50"}, {"problem": "c", "answer": LONG}]
ARRAY = f'[{{"problem": "a, \\"b\\"\\n?", "answer": 0.50}},\n{{"problem": "c", "answer": {LONG}}}]'
CSV = f'\ufeffproblem,answer\r\n"a, ""b""\n?",0.50\r\nc,{LONG}\r\n'


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", ARRAY),
        ("rows.json", ARRAY.replace("[{", " [\n  {")),
        ("rows.csv", CSV),
        ("rows.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("rows.json", "\ufeff" + ARRAY),
        ("rows.jsonl", "\ufeff" + "\n".join(map(json.dumps, ROWS))),
    ],
)
def test_arrays_csv_and_gzipped_files_are_read(tmp_path, name, content, packed):
    data = gzip.compress(content.encode(), mtime=0) if packed else content
    for suffix in (".gz", "") if packed else ("",):  # a gzipped file may be named without
        frame = read_file(written(tmp_path, data, name + suffix), None)
        assert frame.to_dict("records") == ROWS


def test_a_parquet_file_by_another_name_is_read(tmp_path):
    pd.DataFrame(ROWS).to_parquet(tmp_path / "rows.jsonl")
    assert read_file(str(tmp_path / "rows.jsonl"), None).to_dict("records") == ROWS


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", '[{"answer": 1}, 2]', "row 2 of its JSON array is not an object"),
        ("a.json", '[{"answer": 1},\n{oops}]', "a JSON array that does not parse: .* line 2"),
        ("a.json", "[]", "no rows in it"),
        ("a.json", '{\n"answer": 1}', "line 1 is not JSON: .*; wanted is JSONL, a JSON array of"),
        ("a.jsonl", "problem,answer\na,1\n", "line 1 is not JSON: .*; wanted is JSONL"),
        ("a.jsonl", '{"answer": ' + "[" * 10**5, "line 1 is not JSON: nested too deeply"),
        ("a.csv", "problem,answer\na,1\nb\n", "ends at line 3 has not the 2 fields"),
        ("a.csv", "problem,answer\na,1,2\n", "ends at line 2 has not the 2 fields"),
        ("a.csv", b"problem\n\xff\n", "not CSV in UTF-8"),
        ("a.csv", "problem,answer\n", "no rows in it"),
        (
            "a.jsonl.gz",
            gzip.compress(b'{"answer": 1}\n' * 99, mtime=0)[:-9],
            "gzipped, but damaged",
        ),
        ("a.parquet", "text", "not a Parquet file"),
    ],
)
def test_a_file_of_no_known_kind_says_what_is_wanted(tmp_path, name, content, said):
    with pytest.raises(StepError, match=rf"{name}: .*{said}"):
        read_file(written(tmp_path, content, name), None)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("####", "48/2 = 24\n#### 72", "72"),
        ("####", "#### 1\n#### 1,000 ", "1,000"),
        ("####", "no mark", ""),
        (r"The answer is:?", "The answer is 4. The answer is: 5", "5"),
        (r"answer is (\S+?)\.?(?:\s|$)", "The answer is 5. It fits.", "5"),
        (r"\(([A-D])\)$", "so (B) or rather (C)", "C"),
    ],
)
def test_a_gold_behind_a_mark(pattern, text, expected):
    assert behind(pattern)(text) == expected


def gold_rows(tmp_path, make, **settings):
    """GSM8K's kind of rows, the last without its mark, through `make`."""
    rows = [{"question": f"{n}?", "answer": f"so\n#### {n},000"} for n in range(2)]
    path = written(tmp_path, "\n".join(map(json.dumps, [*rows, {"question": "?", "answer": "2"}])))
    settings = {"problem": "question", "solution": "answer", "answer": "answer", **settings}
    return make(read_file(path, None), source_settings(settings), path)


def test_a_benchmark_s_golds_behind_a_mark(tmp_path):
    with pytest.raises(StepError, match=r"row 3 has no answer: nothing behind '####' in 'answer'"):
        gold_rows(tmp_path, benchmark_rows, boxed=False, answer_after="####")
    with pytest.raises(StepError, match=r"row 1 has no answer: no \\boxed\{\} in 'answer'"):
        gold_rows(tmp_path, benchmark_rows, boxed=True)
    rows = gold_rows(tmp_path, benchmark_rows, boxed=False, answer_after="####|^")
    assert rows["answer"].tolist() == ["0,000", "1,000", "2"]


def test_training_golds_behind_a_mark_are_what_own_answers_are_graded_by(tmp_path):
    from rectify.data.list_questions import questions

    rows = gold_rows(tmp_path, training_rows, answer_after="####")
    assert rows["answer"].tolist() == ["0,000", "1,000", ""]
    asked = questions(rows)
    assert asked["answer"].tolist() == ["0,000", "1,000"]
    assert asked["problem_id"].tolist() == [0, 1]
    assert "answer" not in gold_rows(tmp_path, training_rows)


def test_rewards_may_be_written_in_any_way(tmp_path):
    path = written(tmp_path, '{"r": 0.25}\n{"r": "1e-1"}\n{"r": 2}\n{"r": true}\n')
    assert numbers(read_file(path, None), "r", path).tolist() == [0.25, 0.1, 2.0, 1.0]


@pytest.fixture
def with_configurations(tmp_path):
    """A folder in the hub's format of two configurations, GSM8K's way; its settings."""
    for name in ("main", "socratic"):
        (tmp_path / name).mkdir()
        rows = {"question": [f"{name}?"], "answer": pa.array([int(LONG)])}
        parquet.write_table(pa.table(rows), tmp_path / name / "train.parquet")
    lines = [f"- config_name: {name}\n  data_files: {name}/*.parquet" for name in
             ("main", "socratic")]  # fmt: skip
    (tmp_path / "README.md").write_text("---\nconfigs:\n" + "\n".join(lines) + "\n---\n")
    return {"hub": str(tmp_path), "split": "train", "problem": "question", "answer": "answer"}


def test_a_configuration_of_a_hub_data_set_is_named(with_configurations):
    for name in ("main", "socratic"):
        frame = read_hub(source_settings({**with_configurations, "name": name}))
        assert texts(frame, "question", "").tolist() == [f"{name}?"]
        assert texts(frame, "answer", "").tolist() == [LONG]


def test_other_columns_than_the_fields_are_named_and_not_read(tmp_path):
    """Their names are for the line that says which there are."""
    pd.DataFrame({"answer": ["1"], "messages": [TURNS]}).to_parquet(tmp_path / "a.parquet")
    frame = read_file(str(tmp_path / "a.parquet"), None, {"answer"})
    assert frame.to_dict("list") == {"answer": ["1"], "messages": [None]}
    with pytest.raises(StepError, match="no field 'solution'; there are answer, messages"):
        texts(frame, "solution", "a.parquet")


@pytest.mark.parametrize("given", [{}, {"name": "mian"}])
def test_without_one_they_are_listed(with_configurations, given):
    with pytest.raises(StepError, match=r"name one of its configurations in `name`: main, socrat"):
        read_hub(source_settings({**with_configurations, **given}))


@pytest.mark.parametrize("number", [LONG, f"0.{LONG}", "1234567890123456789012"])
def test_digits_that_the_hubs_reader_loses_are_refused(tmp_path, number):
    """Beside a 0.5 it makes floats of whole numbers; the file itself is read to the last digit."""
    lines = [f'{{"problem": "a", "answer": {value}}}' for value in ("0.5", "27.0", number)]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    given = {"hub": str(tmp_path), "split": "train", "problem": "problem", "answer": "answer"}
    settings = source_settings(given)
    with pytest.raises(StepError, match=r"row 3: 'answer' is read as .* may have lost digits"):
        read_hub(settings)
    assert golds(str(tmp_path / "train.jsonl"))[2] == number
    (tmp_path / "train.jsonl").write_text("\n".join(lines[:2]))
    assert texts(read_hub(settings), "answer", "").tolist() == ["0.5", "27.0"]
