"""The command line of a step: `rectify STEP --help`, and errors in one line."""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from rectify.step import manifest, reuse
from rectify.step.errors import MissingSettingError, StepError, Stopped, first_line

LARGER = (
    "training: lower micro_batch_size, set gradient_checkpointing, or take more GPUs with "
    "sharding: full; decoding: raise tensor_parallel"
)
STOPPED = 75  # exit status after a SIGTERM: EX_TEMPFAIL of sysexits.h, try again


class Settings(SimpleNamespace):
    """A step's SETTINGS; a key that is not there is named in one line."""

    def __getattr__(self, key: str) -> NoReturn:
        raise MissingSettingError(f"--settings: no '{key}' in it; see --help for what it holds")


@contextlib.contextmanager
def while_read() -> Iterator[None]:
    """Write to standard output in the block; it ends in silence where the reader, such as `head`,
    has seen enough.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_step(
    main: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    words: list[str] | None = None,
) -> None:
    """Parse a command line and run a step; bad input ends it with one line and status 2.

    A training run that was asked to stop ends with status 75. What a step has made gets a manifest;
    what another study has made of the same things is taken from there.
    """
    arguments = parser.parse_args(words)
    step = parser.prog.removeprefix("rectify ")
    try:
        with while_read(), manifest.kept(step, arguments):
            if not reuse.take(step, arguments):
                main(arguments)
        reuse.offer(step, arguments)
    except StepError as error:
        fail(parser, str(error))
    except Stopped as stop:
        print(f"{parser.prog}: {stop}", file=sys.stderr)
        sys.exit(STOPPED)
    except Exception as error:
        if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
            fail(parser, f"out of GPU memory: {first_line(error)}; {LARGER}")
        if not (full := full_disk(error, arguments)):
            raise
        fail(parser, f"{full}; nothing half-written is kept: free space, run again")


def full_disk(error: BaseException | None, arguments: argparse.Namespace) -> str | None:
    """One line if a step failed for want of disk space, else None.

    safetensors and torch have errors of their own for it, mostly with the system's words somewhere
    in them or in what caused them; torch.save's have not, but leave the disk full.
    """
    words = os.strerror(errno.ENOSPC)
    while error is not None:
        for line in str(error).splitlines():
            if words in line:
                return line.strip()
        error = error.__cause__ or error.__context__
    for key in ("state", "out"):
        folder = Path(getattr(arguments, key, None) or ".").absolute()
        while not folder.exists():
            folder = folder.parent
        if shutil.disk_usage(folder).free < 2**20:
            return f"{words}: {folder}"
    return None


def fail(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """End the step with one line on standard error."""
    print(f"{parser.prog}: {message}", file=sys.stderr)
    sys.exit(2)


def step_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """An argument parser for `rectify NAME` that shows the module's docstring."""
    return argparse.ArgumentParser(
        prog=f"rectify {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def settings_file(name: str) -> dict[str, Any]:
    """What a file of settings holds, a JSON object: the type of a step's --settings.

    A file, since Linux takes no argument of more than 128 KiB.
    """
    try:
        settings = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or first_line(error)
        raise argparse.ArgumentTypeError(f"{name}: no file of JSON: {said}") from error
    if not isinstance(settings, dict):
        raise argparse.ArgumentTypeError(f"{name}: no JSON object")
    return settings
