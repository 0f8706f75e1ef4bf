"""Files appear whole or not at all; steps end with a line, not a traceback."""

import ast
import subprocess
import sys

import pandas as pd
import pytest
from helpers import ROOT, one_line, settings_file, step
from rectify import STEPS
from rectify.step.code_files import PACKAGE, code_files, files_behind, imported
from rectify.step.command import Settings
from rectify.step.errors import StepError
from rectify.step.files import replacing, sha256, write_json
from rectify.step.tables import read_parquet


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


def test_help_from_the_command_line():
    done = step("study", "--help")
    assert done.returncode == 0
    assert "rectify study config/mini.yaml" in done.stdout


def test_a_steps_code_files_are_the_modules_it_imports():
    def behind(module):
        return {path.removeprefix("workflow/rectify/") for path in files_behind(module)}

    def of(step):
        return behind(f"{STEPS[step]}.{step}")

    assert code_files("train") == files_behind("training.train")
    assert behind("data.world") == {"data/world.py", "step/errors.py"}
    train = {"train", "trainer", "batches", "callbacks"}
    assert {f"training/{name}.py" for name in train} < of("train")
    assert {"objectives/loss.py", "objectives/built_in.py", "models/encoding.py"} < of("train")
    study = {"study/schema.py", "jobs/runs.py"}
    assert not of("train") & {*study, "evaluation/decode.py", "evaluation/engines.py"}
    assert not of("decode") & {*study, "training/train.py", "objectives/built_in.py"}
    assert {"evaluation/score.py", "grading/pool.py", "grading/equality/equal.py"} < of("score")
    page = ("sections.py", "templates/page.html", "templates/style.css", "templates/sort.js")
    assert {f"report/page/{name}" for name in page} < of("render_report")
    assert not of("sample_rows") & {"grading/verdict.py", "grading/equality/equal.py"}
    assert not of("judge_claims") & {f"report/page/{name}" for name in page}


def test_a_rooms_face_is_a_docstring_and_decides_nothing():
    for face in PACKAGE.rglob("__init__.py"):
        body = ast.parse(face.read_text(encoding="utf-8")).body
        own = [node for node in body if not isinstance(node, ast.Expr)]
        assert not own or face.parent == PACKAGE, face
    assert not [file for step in STEPS for file in code_files(step) if "__init__" in file]


def test_a_parquet_input_that_is_missing_or_odd_is_named(tmp_path):
    with pytest.raises(StepError, match=r"gone\.parquet: no such file"):
        read_parquet(tmp_path / "gone.parquet")
    (tmp_path / "a.parquet").write_text("text")
    with pytest.raises(StepError, match=r"a\.parquet: not a Parquet file"):
        read_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(StepError, match=r"a\.parquet: no column 'b'; there are a"):
        read_parquet(tmp_path / "a.parquet", "a", "b")


def test_of_a_parquet_file_some_columns_alone_may_be_read(tmp_path):
    file = tmp_path / "a.parquet"
    pd.DataFrame({"a": [1], "b": ["text"], "c": [2]}).to_parquet(file)
    assert list(read_parquet(file)) == ["a", "b", "c"]
    assert list(read_parquet(file, "a", only=("c", "a", "d"))) == ["a", "c"]
    with pytest.raises(StepError, match=r"a\.parquet: no column 'd'; there are a, b, c"):
        read_parquet(file, "a", "d", only=("a", "d"))


def test_a_reader_that_stops_early_gets_no_traceback():
    command = f"{sys.executable} -m rectify study config/mini.yaml | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "study: mini\n"
    assert done.stderr == ""


def test_every_way_to_import_a_module_is_seen():
    code = "import rectify.a\nfrom rectify import b\nfrom rectify.c.d import e\nimport os\n"
    typed = "if TYPE_CHECKING:\n    from rectify.f import g\n"
    own = ["rectify.a", "rectify", "rectify.b", "rectify.c.d", "rectify.c.d.e"]
    assert list(imported(ast.parse(code + typed).body)) == [*own, "os"]


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    for x in y:\n        import a",
        "class C:\n    def f(self):\n        with x:\n            import a",
        "try:\n    pass\nexcept E:\n    import a",
        "try:\n    pass\nfinally:\n    import a",
        "if x:\n    pass\nelse:\n    import a",
        "match x:\n    case 1:\n        import a",
    ],
)
def test_an_import_is_seen_wherever_it_stands(code):
    assert list(imported(ast.parse(code).body)) == ["a"]


@pytest.mark.slow
def test_a_setting_that_is_missing_is_named(tmp_path):
    done = step(
        "train", "--settings", settings_file({}), "--rows", "a", "--model", tmp_path, "--out", "b"
    )
    one_line(done, "tokenizer.json: no such file")
    settings = Settings(world=None)
    with pytest.raises(StepError, match="no 'prompt' in it"):
        _ = settings.prompt
    assert getattr(settings, "file", None) is None


@pytest.mark.parametrize("lock", ["cpu", "gpu"])
def test_a_conda_environment_is_made_anew_for_a_new_lock(lock):
    """Snakemake hashes the YAML file, not the lock that it leads to; `make lock` writes both."""
    assert sha256(ROOT / "envs" / f"{lock}.lock") in (ROOT / "envs" / f"{lock}.yaml").read_text()
