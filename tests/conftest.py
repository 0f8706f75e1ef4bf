"""Fixtures: rows of the world, a tiny model folder."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from helpers import SHAPE


@pytest.fixture(scope="session")
def rows():
    """Expert rows of the world."""
    from rectify.world import make_rows

    return pd.DataFrame(make_rows("tests", 160, "expert", (1, 3)))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory, rows):
    """A random Qwen2 with a tokenizer of the world; do not write to it."""
    import torch
    from rectify.initialise import build_model, build_tokenizer

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
    from rectify import rewards
    from rectify.engines import Completion

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
