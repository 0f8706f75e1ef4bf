"""Steps that start warm: forked from a process that has their libraries imported already.

Importing torch, transformers and vLLM takes 5 to 10 s of processor time, a third of a miniature's
training and nearly half of its decoding. Where Snakemake runs jobs on its own machine, it starts a
server for each of LIBRARIES (`start`). The server imports nothing before it is asked; `python -m
rectify STEP` asks it (`run`) to fork a child that runs the step, with this process's files, folder
and signals, and ends as the child does. So a job is still a process of its own, and reads rectify's
code at its start: the server has imported none of it. A step whose environment variables are not
those that the server was started with, such as other numbers of threads, starts cold.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = "RECTIFY_WARM"  # the environment variable that names the folder of the servers' sockets
LIBRARIES = {
    "tables": ("pandas", "pyarrow.parquet", "scipy.stats", "sympy"),
    "torch": ("transformers.trainer", "transformers.models.auto", "datasets", "peft", "pandas"),
    "vllm": ("vllm.entrypoints.llm", "transformers.models.auto", "pandas", "pyarrow.parquet"),
}
STEPS = {
    "score": "tables", "tabulate_scores": "tables", "summarise_scores": "tables",
    "tabulate_health": "tables", "plot_figure": "tables", "list_disagreements": "tables",
    "choose_model": "tables", "tabulate_retention": "tables",
    "check_model": "torch", "initialise_model": "torch", "measure_probabilities": "torch",
    "measure_divergence": "torch", "weigh_rows": "torch", "precheck": "torch",
    "train": "torch", "dpo": "torch", "grpo": "torch", "ppo": "torch",
    "decode": "vllm",
}  # fmt: skip
# variables that no library minds: a shell's, Python's own, and where temporary files go
OWN = {
    "_", "PWD", "OLDPWD", "SHLVL", "PATH", "PYTHONPATH", "PYTHONUNBUFFERED",
    "TMPDIR", "TMP", "TEMPDIR", "TEMP", FOLDER,
}  # fmt: skip
# which Snakemake sets in a job's environment, here as in one of one thread
THREADS = (
    "OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip
# that this process has started: each ends as its standard input, a pipe from here, does
SERVERS: list[subprocess.Popen] = []
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def environment() -> dict[str, str]:
    """The interpreter's folder, and the variables that libraries may read as they are imported."""
    read = {name: value for name, value in os.environ.items() if name not in OWN}
    return {"python": sys.prefix, **read}


def start() -> None:
    """Start the servers, for processes begun from here on; they end with this one.

    Does nothing where this process has been given servers, or where the system is not Linux and has
    no file descriptors of processes.
    """
    if FOLDER in os.environ or not hasattr(os, "pidfd_open"):
        return
    folder = tempfile.mkdtemp(prefix="rectify-")
    for name in LIBRARIES:
        command = [sys.executable, __file__, f"{folder}/{name}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        SERVERS.append(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, env=environment, start_new_session=True, **quiet
            )
        )
    os.environ[FOLDER] = folder


def run(words: list[str]) -> int | None:
    """Have a server run `rectify WORDS`: its exit status, or None if it is to be started cold.

    A step that a signal ended ends this process by the same one.
    """
    folder = os.environ.get(FOLDER)
    if not folder or words[0] not in STEPS:
        return None
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        server.connect(f"{folder}/{STEPS[words[0]]}")
    except OSError:
        return None
    asked = {
        "words": words, "folder": os.getcwd(), "path": sys.path,
        "libraries_see": environment(), "environment": dict(os.environ),
    }  # fmt: skip
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(asked).encode())
        file.flush()
        socket.send_fds(server, [b"run"], [0, 1, 2, file.fileno()])
    for number in FORWARDED:
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    status = server.recv(8)
    if status == b"cold":
        for number in FORWARDED:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return None
    if not status:
        print(f"rectify {words[0]}: the process it was run by has ended", file=sys.stderr)
        return 1
    code = os.waitstatus_to_exitcode(int.from_bytes(status))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def serve(address: Path) -> None:
    """Fork a child for each step that is asked for, until standard input ends."""
    given, imported = environment(), False
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(address))
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # none to be waited for
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        client, _ = listener.accept()
        asked_for, files, _, _ = socket.recv_fds(client, 8, 4)
        if not asked_for:  # it has ended meanwhile
            client.close()
            continue
        asked = json.loads(os.pread(files[3], 2**24, 0))
        if asked["libraries_see"] != given:
            client.send(b"cold")
        else:
            if not imported:
                imported = True
                warm_up(LIBRARIES[address.name])
            if os.fork() == 0:
                listener.close()
                watch(client, files, asked)
        client.close()
        for file in files:
            os.close(file)
    shutil.rmtree(address.parent, ignore_errors=True)


def warm_up(libraries: tuple[str, ...]) -> None:
    """Import; a library that cannot be is left to the steps, which say so."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")  # read by its import
    gc.disable()
    for name in libraries:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # what a child does not look at stays shared with it
    gc.enable()


def watch(client: socket.socket, files: list[int], asked: dict) -> None:
    """Run a step in a child; hand it the client's signals, and the client its status. Ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        client.close()
        work(files, asked)
        sys.exit()
    ended = os.pidfd_open(child)
    while client in select.select([client, ended], [], [])[0]:
        number = client.recv(1)
        # a client that was killed takes its step with it
        signal.pidfd_send_signal(ended, number[0] if number else signal.SIGKILL)
        if not number:
            os._exit(1)
    client.send(os.waitpid(child, 0)[1].to_bytes(4))
    os._exit(0)


def work(files: list[int], asked: dict) -> None:
    """Be `python -m rectify` in the client's folder, with its files.

    The process then ends as any other, with what libraries do at an end: workers are ended there.
    """
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.update(asked["environment"])
    del os.environ[FOLDER]  # it is the step: it asks nobody to run it
    tempfile.tempdir = None  # to be looked up there
    sys.path[:] = asked["path"]
    sys.argv = ["rectify", *asked["words"]]
    from rectify.__main__ import main

    main(asked["words"])


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
