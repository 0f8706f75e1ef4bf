"""Shared by the grader's tests: the benchmark files."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from gold_files import data_folder


@pytest.fixture
def benchmark_files() -> Path:
    """The folder of the five benchmark files; the test is skipped where they are absent."""
    folder = data_folder()
    if folder is None:
        pytest.skip("no benchmark files: set RECTIFY_DATA to their folder")
    return folder
