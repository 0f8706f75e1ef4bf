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
KINDS = (".html", ".css", ".js")


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names after `rectify.` that a module imports, except for type checking alone.

    Of `from rectify.a import b` both `a` and `a.b`: which of them is a module is not known here.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        names = []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            module = node.module or ""
            names = [module, *(f"{module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        yield from (n.removeprefix("rectify.") for n in names if n.startswith("rectify."))
        yield from imported(node)


def files_of(module: str) -> list[Path]:
    """A module's file, those of the folders that it is in, and what lies beside it that is no
    module: templates and styles; none if there is no such module.
    """
    path = PACKAGE.joinpath(*module.split("."))
    if path.is_dir():
        path = path / "__init__"
    if not path.with_suffix(".py").is_file():
        return []
    inner = [folder for folder in path.parents if PACKAGE in folder.parents]
    faces = [folder / "__init__.py" for folder in inner]
    beside = [file for folder in inner[:1] for file in folder.rglob("*.*") if file.suffix in KINDS]
    return sorted({path.with_suffix(".py"), *faces, *beside})


@cache
def imported_by(file: Path) -> tuple[str, ...]:
    """Names after `rectify.` that a file imports; read once, as most steps share most modules."""
    if file.suffix != ".py":
        return ()
    return tuple(dict.fromkeys(imported(ast.parse(file.read_text(encoding="utf-8")))))


@cache
def code_files(step: str) -> list[str]:
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
