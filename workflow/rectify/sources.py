"""Which files of this package a step depends on, so that Snakemake can list them as its inputs.

A module started by `python -m` is invisible to Snakemake: without this, editing code would rerun
nothing. Files are compared by content, so a fresh checkout reruns nothing either.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
BESIDE = {"manifest"}  # written beside a result: decides nothing in it, so it reruns nothing
KINDS = (".py", ".html", ".css", ".js")


def imported(tree: ast.AST) -> Iterator[str]:
    """Names after `rectify.` that a module imports, except for type checking alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "rectify":
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rectify."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            names = [name.name.split(".") for name in node.names]
            yield from (parts[1] for parts in names if parts[0] == "rectify" and parts[1:])
        yield from imported(node)


def files_of(module: str) -> list[Path]:
    """A module's file, or all files of a folder of modules: their templates and styles too."""
    folder = PACKAGE / module
    files = [file for file in folder.glob("*.*") if file.suffix in KINDS]
    return sorted(files) if folder.is_dir() else [PACKAGE / f"{module}.py"]


@cache
def imported_by(file: Path) -> tuple[str, ...]:
    """Names after `rectify.` that a file imports; read once, as most steps share most modules."""
    if file.suffix != ".py":
        return ()
    return tuple(dict.fromkeys(imported(ast.parse(file.read_text(encoding="utf-8")))))


@cache
def sources(step: str) -> list[str]:
    """All package files that decide what `rectify.<step>` makes, from the project's root: itself
    and those it imports.
    """
    found: set[Path] = set()
    waiting = [step]
    while waiting:
        for file in files_of(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting += [name for name in imported_by(file) if name not in BESIDE]
    return sorted(str(file.relative_to(PACKAGE.parents[1])) for file in found)
