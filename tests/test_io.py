"""Files appear whole or not at all; steps end with a line, not a traceback."""

import importlib

import pytest
from helpers import step
from rectify.io import replacing, write_json
from rectify.sources import sources


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_replaced_whole(tmp_path):
    path = tmp_path / "folder"
    for name in ("one", "two"):
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / name).touch()
    assert [file.name for file in path.iterdir()] == ["two"]
    assert list(tmp_path.iterdir()) == [path]


def test_missing_parents_are_made(tmp_path):
    write_json(tmp_path / "a" / "b.json", {"x": 1})
    assert (tmp_path / "a" / "b.json").read_text() == '{\n  "x": 1\n}\n'


STEPS = [
    "sample", "initialise", "fetch", "check", "train", "decode", "score", "histogram",
    "tabulate", "plot", "report", "rulegraph",
]  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_every_step_has_help_that_shows_its_command(name):
    text = importlib.import_module(f"rectify.{name}").parser().format_help()
    assert f"python -m rectify.{name}" in text


def test_help_from_the_command_line():
    done = step("study", "--help")
    assert done.returncode == 0
    assert "python -m rectify.study config/mini.yaml" in done.stdout


def test_a_steps_sources_are_the_modules_it_imports():
    def of(name):
        return {path.removeprefix("workflow/rectify/") for path in sources(name)}

    assert of("world") == {"world.py", "io.py"}
    assert {"train.py", "trainer.py", "loss.py", "objectives.py", "tokenizer.py"} < of("train")
    assert not of("train") & {"study/__init__.py", "runs.py", "decode.py", "engines.py"}
    assert not of("decode") & {"train.py", "objectives.py", "study/__init__.py"}
    assert {"score.py", "grade/__init__.py", "grade/compare.py"} < of("score")
    assert not of("sample") & {"grade/__init__.py"}
