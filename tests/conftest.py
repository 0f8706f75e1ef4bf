"""Fixtures: rows of the world, a tiny model folder, the default study, a copy of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from helpers import ROOT, SHAPE

LONGEST = (  # the longest first
    "test_stale", "test_workflow", "test_distributed", "test_verify", "test_table3", "test_decode",
    "test_thousand", "test_trainer", "test_bad_input", "test_own",
)  # fmt: skip


def pytest_collection_modifyitems(config, items):
    """Fast files first; where two processes share them (make test), first those of minutes."""
    place = {name: index for index, name in enumerate(LONGEST)}
    sign = 1 if hasattr(config, "workerinput") else -1
    items.sort(key=lambda item: sign * place.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session", autouse=True)
def no_cluster(tmp_path_factory):
    """The folder of a scontrol that has no controller and says so at once.

    Every call of Snakemake runs it, and SLURM's own waits for a controller for 9 s (findings).
    """
    folder = tmp_path_factory.mktemp("no-cluster")
    (folder / "scontrol").write_text("#!/bin/sh\nexit 1\n")
    (folder / "scontrol").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def warm_steps(no_cluster):
    """Steps and Snakemake's jobs start warm, with libraries that are imported once."""
    from rectify.step import warm

    warm.start()


@pytest.fixture(scope="session")
def rows():
    """Expert rows of the world."""
    from rectify.data.world import make_rows

    return pd.DataFrame(make_rows("tests", 160, "expert", (1, 3)))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory, rows):
    """A random Qwen2 with a tokenizer of the world; do not write to it."""
    import torch
    from rectify.models.initialise_model import build_model, build_tokenizer

    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    tokenizer = build_tokenizer((rows["problem"] + "\n" + rows["solution"]).tolist(), 400)
    build_model("qwen2", SHAPE, tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def model_copy(tmp_path, model_folder):
    """A copy of the model folder that a test may break."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


@pytest.fixture
def always_finished(monkeypatch):
    """Answers count as finished wherever they end: a random model hardly ever draws a stop."""
    from rectify.models.stops import Completion
    from rectify.rl import rewards

    monkeypatch.setattr(rewards, "finish", lambda tokens, stops: Completion(tokens, "stop"))


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """The folder of a finished study (see small_study.py); do not write to it."""
    from small_study import make

    folder = tmp_path_factory.mktemp("small")
    make(folder)
    return folder


@pytest.fixture
def study_copy(tmp_path, small_study):
    """A copy of that folder, with the files' times, that a test may change."""
    return Path(shutil.copytree(small_study, tmp_path / "copy", symlinks=True))


@pytest.fixture(scope="module")
def prompts(model_folder, rows):
    """Token ids of 16 of the world's problems."""
    from rectify.models.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(model_folder)
    return [tokenizer.encode(text) for text in rows["problem"].head(16)]


@pytest.fixture
def mini():
    """The default study as plain data."""
    return yaml.safe_load((ROOT / "config" / "mini.yaml").read_text())


@pytest.fixture
def at_root(monkeypatch):
    """The project's root as working folder: studies are named from there."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project's files in which results may be made and code edited."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if name.startswith("tests/") or not source.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def page_study(tmp_path_factory):
    """The layout and folder of a made-up study with all that its page shows; do not write to it."""
    from report_study import made_up

    folder = tmp_path_factory.mktemp("study")
    return made_up(folder), folder


@pytest.fixture
def broken(page_study, tmp_path):
    """A copy of it that a test may break."""
    from report_study import copied

    return page_study[0], copied(page_study[1], tmp_path / "study")
