"""rectify grade: anybody's rows, a summary, and one clear line for what is wrong."""

import json
import subprocess
import sys

import pytest


def run(source, target):
    return subprocess.run(
        [sys.executable, "-m", "rectify", "grade", str(source), str(target), "--workers", "1"],
        capture_output=True,
        text=True,
        check=False,
    )


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


GOOD = {"gold": "1/2", "response": r"\boxed{0.5}", "id": 7}


def test_rows_gain_four_fields_and_keep_their_own(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(
        "\n".join(
            map(json.dumps, [GOOD, {"gold": "2", "response": "3 \ud800", "benchmark": "amc23"}])
        )
    )
    done = run(source, target)
    assert done.returncode == 0, done.stderr
    assert rows(target)[0] == GOOD | {
        "answer": "0.5",
        "corrected": True,
        "harness": True,
        "status": "ok",
    }
    assert rows(target)[1]["status"] == "no_answer"
    assert done.stdout == (
        "2 rows: corrected 1 (50.00%), harness 1 (50.00%); 1 no_answer of 2 samples\n"
    )
    assert "grading" in done.stderr  # the progress bar


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"response": "x"}', "row 2: gold is missing"),
        ('{"gold": "x"}', "row 2: response is missing"),
        ('{"gold": 5, "response": "x"}', "row 2: gold is no text"),
        ('{"gold": "5", "response": null}', "row 2: response is no text"),
        ('{"gold": "5", "response": "", "benchmark": 3}', "row 2: benchmark is no text"),
        ("[1]", "row 2: not an object"),
        ("{broken", "row 2: not JSON"),
        ("\udcff", "row 2: not JSON"),
    ],
)
def test_a_bad_row_is_named_and_the_rows_before_it_are_kept(tmp_path, line, message):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    text = "\n".join([json.dumps(GOOD), line, json.dumps(GOOD)])
    source.write_bytes(text.encode("utf-8", "surrogateescape"))
    done = run(source, target)
    assert done.returncode == 2
    assert f"{source} {message}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert [row["corrected"] for row in rows(target)] == [True]


def test_a_byte_order_mark_and_other_line_ends_do_no_harm(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\r\n")
    assert run(source, target).returncode == 0
    assert [row["corrected"] for row in rows(target)] == [True]


def test_a_folder_or_no_file_is_named(tmp_path):
    for source in (tmp_path, tmp_path / "absent.jsonl"):
        done = run(source, tmp_path / "out.jsonl")
        assert done.returncode == 2
        assert str(source) in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
    done = run(_write(tmp_path / "in.jsonl"), tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl"]


def _write(path):
    path.write_text(json.dumps(GOOD))
    return path
