"""Which files of this package a step depends on: their hash is a parameter of its jobs.

A module started by `python -m` is invisible to Snakemake: without this, editing code would rerun
nothing. As inputs, some 30 of each job's, they would be a third of a dry run's time; by their hash
a fresh checkout reruns nothing either. The faces of rooms, `__init__.py`, are docstrings and decide
nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from rectify import STEPS

PACKAGE = Path(__file__).parents[1]
# what is kept beside a result, and whether it is taken from elsewhere, decides nothing in it
BESIDE = {"rectify.step.manifest", "rectify.step.reuse"}
KINDS = (".html", ".css", ".js")
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements hold others


def imported(statements: Iterable[ast.AST]) -> Iterator[str]:
    """Dotted names that statements import, at any depth, except for type checking alone.

    Of `from rectify.a import b` both `a` and `a.b`: which of them is a module is not known here.
    Expressions are not looked into: they import nothing.
    """
    for node in statements:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            yield from [name.name for name in node.names]
        for block in BLOCKS:
            yield from imported(getattr(node, block, ()))


@cache
def files_of(module: str) -> list[Path]:
    """A module's file, and what lies in its folder that is no module: templates and styles; nothing
    if it is none of this package.
    """
    path = PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return []
    beside = (file for file in path.parent.rglob("*.*") if file.suffix in KINDS)
    return [path, *beside]


@cache
def imported_by(file: Path) -> tuple[str, ...]:
    """Dotted names that a file imports; read once, as most steps share most modules."""
    if file.suffix != ".py":
        return ()
    return tuple(dict.fromkeys(imported(ast.parse(file.read_text(encoding="utf-8")).body)))


@cache
def files_behind(module: str) -> list[str]:
    """A module's file, and those of the modules that it imports, from the project's root."""
    found: set[Path] = set()
    waiting = [f"rectify.{module}"]
    while waiting:
        for file in files_of(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting += [name for name in imported_by(file) if name not in BESIDE]
    return sorted(str(file.relative_to(PACKAGE.parents[1])) for file in found)


def code_files(step: str) -> list[str]:
    """All package files that decide what a step makes."""
    return files_behind(f"{STEPS[step]}.{step}")
