"""The rooms, who may import whom, and the one door to all steps."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest
from helpers import ROOT, step
from rectify import STEPS
from rectify.__main__ import contents
from rectify.provenance.manifests import load_manifests
from rectify.step.code_files import code_files
from rectify.step.manifest import FORMER_STEPS


def python(*words, folder=ROOT / "workflow"):
    """Run Python with a package folder."""
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *words], env={**os.environ, "PYTHONPATH": path}, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def package(tmp_path):
    """A copy of the package that a test may edit."""
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "workflow/rectify", tmp_path / "rectify", ignore=without)
    return tmp_path


def lint(folder):
    """What `make lint` says of the imports in a package folder."""
    main = "from importlinter.cli import lint_imports_command as main; main()"
    done = python("-c", main, "--no-cache", "--config", str(ROOT / "pyproject.toml"), folder=folder)
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    return done


@pytest.mark.slow
@pytest.mark.parametrize(
    ("room", "module", "line", "said"),
    [
        ("models", "folder", "from rectify.jobs import runs", "models.folder -> rectify.jobs.runs"),
        ("paper", "audit", "from rectify.paper import judge_claims", "audit -> rectify.paper.j"),
        ("step", "files", "from rectify.grading import boxed", "files -> rectify.grading.boxed"),
        ("grading/notation", "signs", "from rectify.grading.answers import units",
         "notation.signs -> rectify.grading.answers.units"),
    ],
)  # fmt: skip
def test_an_import_upwards_and_one_of_a_step_by_a_step_fail_the_lint(
    package, room, module, line, said
):
    done = lint(package)
    assert done.returncode == 0, done.stdout
    file = package / "rectify" / room / f"{module}.py"
    file.write_text(f"{file.read_text()}\n{line}\n")
    done = lint(package)
    assert done.returncode == 1
    assert said in re.sub(r"\s+", " ", done.stdout)


def test_a_room_has_3_to_12_modules_and_a_face_with_a_line_for_each():
    rooms = [file.parent for file in (ROOT / "workflow/rectify").rglob("*/__init__.py")]
    for room in rooms:
        own = {file.stem for file in room.glob("*.py")} - {"__init__"}
        inner = {path.name for path in room.iterdir() if path.is_dir()} - {"__pycache__"}
        assert 3 <= len(own) <= 12 or (inner and not own), room
        said = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
        what, lines = said.split("\n\n", 1)  # what the room is for, then its modules
        assert what.endswith("."), room
        if room.name == "figures":  # each by its module alone
            continue
        listed = [line.split()[0].removesuffix("/") for line in lines.splitlines() if line.strip()]
        assert sorted(set(listed) - {"*"}) == sorted(own | inner), room
        assert len(listed) - ("*" in listed) == len(own | inner), room


def test_the_lint_knows_every_step():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    own = next(c for c in contracts["contracts"] if c["type"] == "independence")
    assert own["modules"] == [f"rectify.{room}.{name}" for name, room in STEPS.items()]


@pytest.mark.parametrize("name", STEPS)
def test_every_step_has_help_that_shows_its_command(name):
    module = import_module(f"rectify.{STEPS[name]}.{name}")
    assert callable(module.main)
    assert f"rectify {name}" in module.parser().format_help()


def test_alone_the_door_lists_the_steps_by_room_in_the_pipelines_order():
    lines = "\n".join(contents()).splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(STEPS)
    rooms = [line.split("/:")[0].replace("/", ".") for line in lines if "/: " in line]
    assert rooms == list(dict.fromkeys(STEPS.values()))
    assert all(len(line.split(maxsplit=1)[1]) > 20 for line in lines if line.startswith("  "))
    done = python("-m", "rectify")
    assert done.stdout.splitlines() == lines
    assert python("-m", "rectify", "--help").stdout == done.stdout


def test_a_reader_that_has_seen_enough_of_the_list_ends_it_in_silence():
    writing = [sys.executable, "-m", "rectify"]
    with subprocess.Popen(writing, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("tabulate_score", "tabulate_scores"),
        ("measure_probability", "measure_probabilities"),
        ("contamination", "find_overlaps"),  # as it was called
        ("decode_benchmarks", "decode?"),  # a rule's name
        ("train_model", "train?"),
        ("pretrain_model", "train?"),
        ("train_ppo", "ppo?"),
        ("xyz", None),
    ],
)
def test_an_unknown_step_is_one_line_that_names_what_is_near(word, near):
    done = step(word)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"rectify: no step '{word}'; ")
    assert (f"do you mean {near}" in done.stderr) == bool(near)


@pytest.mark.parametrize("name", ["doctor", "study", "launch", "verify", "grade"])
def test_a_light_step_starts_without_torch(name):
    code = (
        f"import sys; sys.argv = ['rectify', '{name}', '--help']\n"
        "from rectify.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: print({'torch', 'pandas', 'matplotlib', 'transformers', 'trl'}"
        " & {*sys.modules})"
    )
    assert python("-c", code).stdout.splitlines()[-1] == "set()"


def test_a_rule_of_the_grader_reruns_no_table_by_itself():
    rule = "workflow/rectify/grading/equality/equal.py"
    assert rule in code_files("score")
    for name in ("tabulate_scores", "tabulate_overlaps", "summarise_scores", "render_report"):
        assert "workflow/rectify/grading/statuses.py" in code_files(name) or "overlaps" in name
        assert rule not in code_files(name)


def test_manifests_with_the_former_names_of_steps_are_read():
    assert set(FORMER_STEPS.values()) <= set(STEPS)
    assert not set(FORMER_STEPS) & set(STEPS)
    kept = load_manifests(ROOT / "results/reference/mini")
    assert "tabulate_scores" in {manifest["step"] for manifest in kept.values()}
    assert {manifest["step"] for manifest in kept.values()} <= set(STEPS)
