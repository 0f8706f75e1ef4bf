"""A study's claims as they are written down: read and checked without what judges them.

Snakemake checks them at its start, where rectify.paper.evidence would cost a second: it imports
scipy.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rectify.step.errors import StepError, first_line

KEYS = ("id", "sentence", "where", "tests")
TYPES = {
    "str": "text",
    "int": "a whole number",
    "list[str]": "a list of names",
    "list[float]": "a list of numbers",
}


@cache
def arguments_of_tests() -> dict[str, dict[str, str]]:
    """The kinds of tests in evidence.TESTS with each one's arguments and their types."""
    tree = ast.parse(Path(__file__).with_name("evidence.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    tests = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "TESTS"
    )
    return {
        key.value: {
            each.arg: ast.unparse(each.annotation) for each in functions[value.id].args.args[1:]
        }
        for key, value in zip(tests.keys, tests.values, strict=True)
    }


def read_claims(path: Path) -> list[dict[str, Any]]:
    """The claims of a YAML file; raises StepError naming the claim and the key at fault."""
    try:
        claims = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StepError(f"{path}: cannot be read as YAML: {first_line(error)}") from error
    if not isinstance(claims, list):
        raise StepError(f"{path}: not a list of claims; each is an item with {', '.join(KEYS)}")
    for number, claim in enumerate(claims, start=1):
        where = f"{path}: claim {number}"
        if not isinstance(claim, dict) or set(claim) != set(KEYS):
            raise StepError(f"{where} must have the keys {', '.join(KEYS)} and no others")
        for key in KEYS[:3]:
            if not fits(claim[key], "str"):
                raise StepError(f"{where}: `{key}` must be text; it is {claim[key]!r}")
        if not isinstance(claim["tests"], list) or not claim["tests"]:
            raise StepError(f"{where} ({claim['id']}): `tests` must be a list of tests")
        for test in claim["tests"]:
            check_test(test, f"{where} ({claim['id']})")
    ids = [claim["id"] for claim in claims]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise StepError(f"{path}: two claims have the id '{repeated[0]}'; rename one")
    return claims


def fits(value: Any, kind: str) -> bool:
    """Whether a value is of one of TYPES; a list must have something in it."""
    if kind.startswith("list["):
        each = kind.removeprefix("list[").removesuffix("]")
        return isinstance(value, list) and bool(value) and all(fits(item, each) for item in value)
    types = {"str": str, "int": int, "float": (int, float)}
    return isinstance(value, types[kind]) and not isinstance(value, bool)


def check_test(test: Any, where: str) -> None:
    """Raise StepError for an unknown kind of test, or for arguments that it does not take."""
    tests = arguments_of_tests()
    kind = test.get("kind") if isinstance(test, dict) else None
    if not isinstance(kind, str) or kind not in tests:
        raise StepError(f"{where}: no kind of test '{kind}'; there are {', '.join(tests)}")
    wanted = tests[kind]
    if set(test) - {"kind"} != set(wanted):
        raise StepError(f"{where}: a test '{kind}' takes {', '.join(wanted)}; it has {test}")
    for key, type_ in wanted.items():
        if not fits(test[key], type_):
            raise StepError(f"{where}: `{key}` must be {TYPES[type_]}; it is {test[key]!r}")
