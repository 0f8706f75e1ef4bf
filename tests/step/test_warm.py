"""A step that starts warm is the step: its words, files, status and end, but for the imports."""

import ast
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from helpers import ROOT, step
from rectify.step import warm

STEP = [sys.executable, "-m", "rectify"]


@pytest.fixture(scope="module")
def servers():
    """A process that has started servers, as Snakemake does: its pid and the steps' environment."""
    code = (
        "import os, sys\nfrom rectify.step import warm\nwarm.start()\n"
        "print(os.environ[warm.FOLDER], flush=True)\nsys.stdin.read()"
    )
    given = {name: value for name, value in os.environ.items() if name != warm.FOLDER}
    given["PYTHONPATH"] = str(ROOT / "workflow")
    starter = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=given,
    )  # fmt: skip
    folder = starter.stdout.readline().strip()
    wait_for(lambda: os.listdir(folder) and len(os.listdir(folder)) == len(warm.LIBRARIES))
    yield starter, {**given, warm.FOLDER: folder}
    starter.kill()
    starter.wait()


def wait_for(found, seconds=60):
    """Wait until a function gives something true, and return that."""
    until = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.02)
    return value


def processor_seconds(words, environment):
    """What a step's own process takes, its children and imports included."""
    before = os.times()
    subprocess.run([*STEP, *words], env=environment, check=True, capture_output=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


@pytest.fixture
def waiting(tmp_path, servers):
    """A step that waits: for the settings, from a pipe that nobody has written to."""
    pipe = tmp_path / "settings.json"
    os.mkfifo(pipe)
    words = ["tabulate_scores", "--settings", pipe, "--out", "o"]
    process = subprocess.Popen([*STEP, *words], env=servers[1], stderr=subprocess.PIPE, text=True)
    writer = wait_for(lambda: opened(pipe))  # there is a reader now
    yield process, pipe
    os.close(writer)
    process.kill()
    process.wait()


def opened(pipe):
    """A pipe to write to, if a process reads it."""
    with contextlib.suppress(OSError):
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)


@pytest.mark.slow
def test_a_warm_step_says_and_returns_what_a_cold_one_does(servers, tmp_path):
    for words in (
        ["score", "--help"],
        ["score", "--out", "x"],
        ["tabulate_scores", "--settings", "none"],
    ):
        cold, hot = (
            subprocess.run([*STEP, *words], env=env, capture_output=True, text=True, cwd=tmp_path)
            for env in ({**servers[1], warm.FOLDER: ""}, servers[1])
        )
        assert (hot.returncode, hot.stdout, hot.stderr) == (
            cold.returncode, cold.stdout, cold.stderr
        )  # fmt: skip
    assert hot.returncode == 2


def test_a_servers_child_asks_no_server():
    """It would be handed the step again and again, where nothing else tells it from a client."""
    code = (
        "import os\nimport rectify.__main__ as door\nfrom rectify.step import warm\n"
        "door.main = lambda words: print(words, os.environ.get('OWN'), warm.FOLDER in os.environ)\n"
        "asked = {'words': ['score'], 'folder': '.', 'path': [], 'environment': dict(os.environ)}\n"
        "warm.work([os.dup(number) for number in (0, 1, 2, 2)], asked)"
    )
    given = {**os.environ, "PYTHONPATH": str(ROOT / "workflow"), warm.FOLDER: "x", "OWN": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True)
    assert done.stdout == "['score'] 1 False\n", done.stderr


@pytest.mark.slow
def test_what_is_imported_once_is_not_paid_for_again(servers):
    cold = processor_seconds(["score", "--help"], {**servers[1], warm.FOLDER: ""})
    processor_seconds(["score", "--help"], servers[1])
    assert processor_seconds(["score", "--help"], servers[1]) < cold / 2


def test_its_manifest_states_its_own_processor_time_memory_and_words(servers, tmp_path):
    problems = {"problem_id": [0], "problem": ["1 + 1"], "answer": ["2"]}
    pd.DataFrame(problems).to_parquet(tmp_path / "easy.parquet")
    ended = {"n_tokens": 5, "finish_reason": "stop", "text": r"\boxed{2}"}
    whose = {"benchmark": "easy", "checkpoint": 0, "problem_id": 0, "sample": 0}
    pd.DataFrame([whose | ended]).to_parquet(tmp_path / "samples.parquet")
    words = [
        "score",
        "--samples",
        "samples.parquet",
        "--benchmarks",
        "easy.parquet",
        "--out",
        "out",
    ]
    with (tmp_path / "score.log").open("w") as log:
        subprocess.run([*STEP, *words], env=servers[1], check=True, cwd=tmp_path, stdout=log)
    found = json.loads((tmp_path / "out.manifest.json").read_text())
    assert pd.read_parquet(tmp_path / "out")["correct"].all()
    assert (found["options"]["out"], found["log"]) == ("out", "score.log")
    assert 0 < found["cpu_seconds"] < 30
    assert 20 < found["max_rss"] < 2000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_step_whose_end_is_this_ones(waiting, number):
    process, _ = waiting
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == -number
    assert ("KeyboardInterrupt" in said) == (number == signal.SIGINT)


def test_a_step_ends_with_a_process_that_is_killed(waiting):
    process, pipe = waiting
    process.kill()
    wait_for(lambda: not opened(pipe))  # nobody reads it any more


def test_another_environment_starts_cold(servers, monkeypatch):
    """Libraries read variables as they are imported: threads, devices, kernels."""
    for name, value in servers[1].items():
        monkeypatch.setenv(name, value)
    assert warm.run(["score", "--help"]) == 0
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert warm.run(["score", "--help"]) is None
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_without_servers_or_with_ended_ones_steps_start_cold(monkeypatch, tmp_path):
    monkeypatch.delenv(warm.FOLDER, raising=False)
    assert warm.run(["score", "--help"]) is None
    monkeypatch.setenv(warm.FOLDER, str(tmp_path))
    assert warm.run(["score", "--help"]) is None
    assert step("score", "--help").returncode == 0


def test_the_server_has_imported_nothing_of_rectify():
    """So that a step's code is what lies there as it starts."""
    tree = ast.parse((ROOT / "workflow/rectify/step/warm.py").read_text())
    outermost = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [alias.name for node in outermost for alias in node.names]
    names += [node.module for node in outermost if isinstance(node, ast.ImportFrom)]
    assert not [name for name in names if name.startswith("rectify")]


def test_servers_end_with_the_process_that_started_them(servers):
    """Last: the others need them."""
    starter, environment = servers
    assert os.path.isdir(environment[warm.FOLDER])
    starter.kill()
    wait_for(lambda: not os.path.exists(environment[warm.FOLDER]))
