"""A figure is described by one module, and nothing else has to be told of it."""

import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from helpers import ROOT, settings_file
from rectify import STEPS
from rectify.paper.figure import FigureBlock, figures
from rectify.step.code_files import code_files
from rectify.step.environment import step_files
from small_study import STUDY

ROOM = "workflow/rectify/paper/figures"
NAMES = list(figures())
# all that is written to add a figure: one module, and one block in a study
MODULE = '''\
"""Solved problems: those that one answer of a method at least is right on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from rectify.paper.figure import FigureBlock
from rectify.step.blocks import Seeds

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rectify.jobs.layouts import Results
    from rectify.study.schema import Study

PLACE = 7
CAPTION = "Share of the problems that one answer at least is right on, a bar for each method."
COLUMNS = ["method", "benchmark", "share"]
KEYS = ["method", "benchmark"]


class Solved(FigureBlock):
    """The problems that a method solves at all."""

    model: str
    """the model shown"""
    methods: list[str] = Field(min_length=1)
    """the methods compared"""
    learning_rate: float | None = None
    """another than the study's"""
    seeds: Seeds | None = None
    """training seeds; all of the study's if not given"""

    def overrides(self) -> list[dict[str, Any]]:
        return [{"learning_rate": self.learning_rate}] if self.learning_rate else [{}]


BLOCK = Solved


def layout(figure: Solved, study: Study, results: Results) -> dict[str, Any]:
    (overrides,) = figure.overrides()
    lines = []
    for method in figure.methods:
        runs = results.runs(figure.model, method, figure.seeds, **overrides)
        lines.append({"method": method, "scores": results.scores(figure.model, runs)})
    return {"lines": lines}


def points(layout: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    from rectify.statistics.accuracy import read_scores

    found = []
    for line in layout["lines"]:
        solved = read_scores(line["scores"]).groupby(["benchmark", "problem_id"])["correct"].any()
        for benchmark, share in solved.groupby("benchmark").mean().items():
            found.append((line["method"], benchmark, share))
    return pd.DataFrame(found, columns=COLUMNS)


def draw(points: pd.DataFrame, layout: dict[str, Any]) -> Figure:
    import matplotlib.pyplot as plt

    from rectify.paper.style import style

    figure, axis = plt.subplots()
    for method, own in points.groupby("method"):
        axis.bar(own["benchmark"], own["share"], color=style(layout, method)["color"])
    return figure


def behind(layout: dict[str, Any], row: pd.Series, points: pd.DataFrame) -> list[str]:
    return next(each["scores"] for each in layout["lines"] if each["method"] == row["method"])
'''
BLOCK = {"model": "m", "methods": ["base", "dft"]}
WITHOUT = dict.fromkeys(NAMES)  # the miniature's other figures, left out
PLANNED = {
    "study": "planned", "extends": "config/smoke.yaml",
    "tables": {"table1": None, "table2": None, "table3": None},
    "figures": {
        **WITHOUT,
        "solved": {"model": "qwen2-mini", "methods": ["base", "dft"], "learning_rate": 0.0003},
    },
}  # fmt: skip


def test_every_module_says_all_that_a_figure_is():
    assert NAMES[:3] == ["figure1", "figure2", "figure3"]
    for name, figure in figures().items():
        assert issubclass(figure.BLOCK, FigureBlock), name
        assert figure.CAPTION.endswith("."), name
        assert set(figure.KEYS) < set(figure.COLUMNS), name
        assert {"accuracy", "share", "value"} & set(figure.COLUMNS), name
        for part in ("layout", "points", "draw", "behind"):
            assert callable(getattr(figure, part)), (name, part)


def test_figures_are_looked_up_without_what_computes_and_draws_them():
    """A study's keys need them, at every start of Snakemake."""
    heavy = ("numpy", "pandas", "scipy", "matplotlib", "torch")
    code = f"import sys; sys.modules |= dict.fromkeys({heavy})\n"
    code += "from rectify.study.schema import Study\n"
    code += "print(*Study.model_fields['figures'].annotation.model_fields)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
    )  # fmt: skip
    assert done.stdout.split() == NAMES, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_figures_module_is_a_rerun_input_of_that_figure_alone(name):
    own = step_files("plot_figure", name)
    assert {*code_files("plot_figure"), f"{ROOM}/{name}.py"} <= own.keys()
    assert [file for file in own if file.startswith(ROOM)] == [f"{ROOM}/{name}.py"]
    assert not [file for step in STEPS for file in code_files(step) if file.startswith(ROOM)]


class Tree:
    """A copy of the project with the finished small study, and what has been written into it."""

    def __init__(self, folder, small_study):
        self.folder, self.written = folder, []
        shutil.copytree(small_study, folder, symlinks=True, dirs_exist_ok=True)

    def write(self, name, text):
        """Write a file."""
        (self.folder / name).write_text(text)
        self.written.append(name)

    def run(self, *words):
        """Run Python in it with its own package; returns what it said, in a string."""
        done = subprocess.run(
            [sys.executable, *map(str, words)], cwd=self.folder, capture_output=True, text=True,
            check=False, env={**os.environ, "PYTHONPATH": str(self.folder / "workflow")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def step(self, *words):
        """Run a step."""
        return self.run("-m", "rectify", *words)

    def differing(self):
        """The files that are not the project's, but for results."""
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        names = [file.relative_to(self.folder) for file in files if "__pycache__" not in file.parts]
        return sorted(
            str(name)
            for name in names
            if name.parts[0] in ("workflow", "Snakefile", "config", "pyproject.toml")
            and not (
                (ROOT / name).is_file()
                and (ROOT / name).read_bytes() == (self.folder / name).read_bytes()
            )
        )


@pytest.fixture(scope="module")
def tree(checkout, small_study):
    """The project with a figure added, and the study that shows it finished but for that."""
    tree = Tree(checkout, small_study)
    tree.write(f"{ROOM}/solved.py", MODULE)
    study = STUDY | {"figures": {**STUDY["figures"], "solved": BLOCK}}
    tree.write("config/small.yaml", yaml.safe_dump(study))
    tree.write("config/planned.yaml", yaml.safe_dump(PLANNED))
    return tree


@pytest.fixture(scope="module")
def drawn(tree):
    """Its points, once they have been drawn as the rule draws them."""
    code = "import json; from rectify.jobs import layouts; from rectify.study.load import *\n"
    code += "study = load_study('config/small.yaml')\n"
    code += "print(json.dumps(layouts.figure_layout(study, 'solved')))"
    out = "results/small/figures/solved"
    given = settings_file(json.loads(tree.run("-c", code)))
    tree.step("plot_figure", "solved", "--settings", given, "--out", out)
    return tree.folder / f"{out}.csv"


@pytest.mark.slow
def test_one_module_and_one_block_are_all_that_is_written(tree):
    assert tree.differing() == sorted(tree.written)


def test_an_added_figures_block_is_in_the_schema_and_in_the_reference_of_keys(tree):
    schema = json.loads(tree.step("study", "--schema"))
    assert schema["$defs"]["Figures"]["properties"]["solved"]["anyOf"][0] == {
        "$ref": "#/$defs/Solved"
    }
    assert set(schema["$defs"]["Solved"]["properties"]) == {
        "model", "methods", "learning_rate", "seeds"
    }  # fmt: skip
    keys = tree.step("study", "--keys")
    assert "### Solved\n\nThe problems that a method solves at all.\n" in keys
    assert "    solved     Solved problems: those that" in tree.step("plot_figure", "--help")


def test_an_added_figures_mistakes_are_named(tree):
    code = "import sys; from rectify.study.load import load_study, read_yaml, merge\n"
    code += "from rectify.step.errors import StepError\n"
    code += "study = read_yaml('config/small.yaml')\n"
    code += "for block in ({'model': 'gpt'}, {'seeds': [7]}, {'learning_rat': 1}):\n"
    code += "    try: load_study(merge(study, {'figures': {'solved': block}}))\n"
    code += "    except StepError as error: print(error)\n"
    said = tree.run("-c", code).splitlines()
    assert len(said) == 3
    assert "figures.solved.model: no model 'gpt'" in said[0]
    assert "figures.solved.seeds: 'dft' is not trained with seed 7" in said[1]
    assert "figures.solved.learning_rat: no such key; did you mean 'learning_rate'?" in said[2]


def test_an_added_figures_runs_are_planned(tree):
    """Two base models, and a training of DFT at the rate that only this figure asks for."""
    said = tree.step("plan", "config/planned.yaml")
    counts = {line.split()[0]: line.split()[1] for line in said.splitlines() if "_" in line}
    assert counts["pretrain_model"] == "2"
    assert counts["train_model"] == "1"


@pytest.mark.slow
def test_an_added_figures_jobs_are_in_the_dag(tree):
    said = tree.run("-m", "snakemake", "-n", "--configfile", "config/planned.yaml")
    for line in ("train_model 1", "decode_benchmarks 2", "score_samples 2", "plot_figure 1"):
        assert f"\n{line.replace(' ', '  ')}" in "\n".join(
            "  ".join(row.split()) for row in said.splitlines()
        )
    assert "dft-lr0.0003-seed0" in said


@pytest.mark.slow
def test_an_added_figures_points_are_drawn(drawn):
    points = pd.read_csv(drawn).set_index(["method", "benchmark"])["share"]
    scores = drawn.parents[1] / "scores" / "m"
    for method, runs in (("base", ["base"]), ("dft", ["dft-seed0", "dft-seed1"])):
        right = pd.concat([pd.read_parquet(scores / f"{run}.parquet") for run in runs])
        solved = right[right["correct"]].groupby("benchmark")["problem_id"].nunique() / 3
        assert points[method].to_dict() == pytest.approx(solved.to_dict(), abs=1e-8)
    assert drawn.with_suffix(".png").stat().st_size > 1000
    assert drawn.with_suffix(".pdf").stat().st_size > 1000


@pytest.mark.slow
def test_an_added_figure_is_on_the_page_with_its_caption(tree, drawn):
    tree.step("render_report", "config/small.yaml")
    page = (tree.folder / "results/small/report.html").read_text()
    assert page.count("Share of the problems that one answer at least is right on") == 2
    assert page.count("data:image/png;base64,") == 2


@pytest.mark.slow
def test_an_added_figures_points_are_traced_to_their_own_files(tree, drawn):
    said = tree.step("trace", drawn.relative_to(tree.folder), "--cell", "dft,easy")
    scores = {line.strip() for line in said.splitlines() if line.strip().startswith("results/")}
    assert {f"results/small/scores/m/dft-seed{seed}.parquet" for seed in (0, 1)} <= scores
    assert "results/small/models/m/dft-seed1" in scores
    assert "results/small/scores/m/base.parquet" not in scores
    assert "    solved     METHOD,BENCHMARK" in tree.step("trace", "--help")


@pytest.mark.slow
def test_claims_are_judged_on_an_added_figures_points_too(tree, drawn):
    code = "from rectify.jobs import layouts; from rectify.study.load import load_study\n"
    code += "from rectify.paper.judge_claims import gather\n"
    code += "from rectify.step.command import Settings\n"
    code += "layout = layouts.claims_layout(load_study('config/small.yaml'))\n"
    code += "print(gather(Settings(**layout)).points('solved').to_csv(index=False))"
    assert tree.run("-c", code).strip() == drawn.read_text().strip()


def test_an_edit_of_an_added_figure_leaves_it_alone_stale(tree, drawn):
    manifest = json.loads(drawn.with_suffix(".manifest.json").read_text())
    assert f"{ROOM}/solved.py" in manifest["code"]["files"]
    code = "from rectify.reruns.needed import results_of\n"
    code += "from rectify.reruns.stale import Verifier\n"
    code += "from rectify.study.load import load_study\n"
    code += "figures = [result for result in results_of(load_study('config/small.yaml'))\n"
    code += "           if result.step == 'plot_figure']\n"
    code += "print([Verifier().judge(result) for result in figures])"
    assert tree.run("-c", code).strip() == "[None, None]"
    file = tree.folder / ROOM / "solved.py"
    file.write_text(f"{MODULE}# edited\n")
    try:
        assert tree.run("-c", code).strip() == f"[None, 'made with other code: {ROOM}/solved.py']"
    finally:
        file.write_text(MODULE)
