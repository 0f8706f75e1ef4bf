"""Graders by name: `math`, this package's; `exact` and `choice`; or a function of the user's own.

A function of one's own takes (gold, response, row), the row as the file has it (numbers of JSON and
CSV as text, with all their digits), and returns True or False. It runs where mathematics is graded:
in workers that are killed past a limit.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

MATH, EXACT, CHOICE = NAMES = ("math", "exact", "choice")
RAISED = "raised"  # the status of a grader of one's own that failed: no scores are made of it


class GraderError(ValueError):
    """No such grader: one line that names it, and what there is."""


def grader_file(name: str) -> Path | None:
    """The file of a grader named `path/to/file.py:function`; None for another name."""
    file, colon, _ = name.rpartition(":")
    return Path(file) if colon else None


def check_grader(name: str) -> None:
    """Raise GraderError for a name that no grader has, or a function that is not there."""
    if grader_file(name):
        own(name)
    elif name not in NAMES:
        raise GraderError(
            f"no grader '{name}'; there are {', '.join(NAMES)}; one of your own is named "
            "path/to/file.py:function"
        )


@cache
def own(name: str) -> Callable[[str, str, dict[str, Any]], bool]:
    """The user's function of a name, loaded once in a process; the path is relative to the working
    folder. Raises GraderError naming what is not there.
    """
    file, function = grader_file(name), name.rpartition(":")[2]
    if file.suffix != ".py" or not file.is_file():
        raise GraderError(f"grader '{name}': no such Python file: {file}")
    spec = importlib.util.spec_from_file_location(f"grader_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a user's code: anything may happen in it
        raise GraderError(f"grader '{name}': {file} does not load: {said_by(error)}") from error
    if not inspect.isfunction(found := getattr(module, function, None)):
        raise GraderError(f"grader '{name}': no such function in {file}")
    try:
        inspect.signature(found).bind("gold", "response", {})
    except TypeError as error:
        raise GraderError(
            f"grader '{name}': {file}: {function}{inspect.signature(found)} does not take "
            "(gold, response, row)"
        ) from error
    return found


def said_by(error: BaseException) -> str:
    """An error in one line: its class, and the first line of its text."""
    try:
        text = str(error).strip()
    except Exception:  # its own __str__ is a user's code too
        text = ""
    return f"{type(error).__name__}: {(text or 'no text').splitlines()[0]}"


def needs_row(name: str) -> bool:
    """Whether a grader reads more of a problem's row than its gold answer."""
    return name not in (MATH, EXACT)
