"""The files that hand jobs their settings."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import ROOT, step
from rectify.jobs.settings_files import RULES, settings_file, study_file
from rectify.step.files import write_once
from rectify.study.load import load_study
from small_study import inside

STUDIES = sorted(
    file.name for file in (ROOT / "config").glob("*.yaml") if not file.name.startswith("claims")
)


@pytest.fixture
def study(at_root):
    return load_study("config/mini.yaml")


def test_a_file_is_named_by_what_it_holds(study, tmp_path):
    with inside(tmp_path):
        name = settings_file(study, "train_model", {"seed": 0, "path": "ü"}, write=True)
        assert name.startswith("results/mini/settings/train_model-")
        assert json.loads((tmp_path / name).read_text()) == {"seed": 0, "path": "ü"}
        assert settings_file(study, "train_model", {"seed": 0, "path": "ü"}, write=True) == name
        others = ({"seed": 1, "path": "ü"}, {"path": "ü", "seed": 0})  # the order may count
        assert all(settings_file(study, "train_model", o, write=False) != name for o in others)
        assert [file.name for file in (tmp_path / name).parent.iterdir()] == [name.split("/")[-1]]


def test_an_equal_file_is_left_alone_and_a_damaged_one_made_again(tmp_path):
    file = tmp_path / "new" / "a.json"
    write_once(file, "{}\n")
    made = file.stat()
    write_once(file, "{}\n")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (made.st_ino, made.st_mtime_ns)
    file.write_text("{")
    write_once(file, "{}\n")
    assert file.read_text() == "{}\n"


def test_many_writers_of_a_file_leave_one_whole_file(tmp_path):
    """Nodes of a cluster may all find that it is not there yet."""
    text = "x" * 2**20
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: write_once(tmp_path / "a.json", text), range(64)))
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == text


def test_what_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_once(tmp_path / "a.json", "{}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_the_same_read_from_its_file(at_root, name, monkeypatch, tmp_path):
    study = load_study(f"config/{name}")
    monkeypatch.setattr("rectify.jobs.paths.results", lambda study: str(tmp_path))
    assert load_study(study_file(study, write=True)) == study


def test_show_settings_prints_what_is_in_the_file(study, tmp_path):
    done = step("show_settings", "config/mini.yaml", "tabulate_scores", "table1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == RULES["tabulate_scores"](study, "table1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ('{"seed": 0', "Expecting"),
        ("[1]", "no JSON object"),
    ],
)
def test_what_is_no_file_of_settings_is_said(tmp_path, text, said):
    file = tmp_path / "settings.json"
    if text is not None:
        file.write_text(text)
    words = ("--rows", "a", "--model", "b", "--out", tmp_path / "out")
    done = step("train", "--settings", file, *words)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("rectify train: ")]
    assert "--settings" in line
    assert "settings.json" in line
    assert said in line
