r"""Letters that stand for any value: constants of integration, integers in a general solution."""

import re
from itertools import permutations

from rectify.grading.answers.values import Formula
from rectify.grading.equality.scalars import DECIMAL, EXACT, REAL_POINTS, close
from rectify.grading.formulas.formula import UndecidedError, has_float, parsed, renamed_value, value

_TOKEN = re.compile(
    r"\\text\s*\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z](?:\s*_\s*(?:\{\s*\w+\s*\}|\w))?|.", re.DOTALL
)
_GOLD = re.compile(r"[cC](?:_\{?\d\}?)?")
_ANSWER = re.compile(r"[cCABDKk](?:_\{?\d\}?)?")
_INTEGERS = set("klmnptz")
_VARIABLES = {*"xyztsuv", r"\theta", "theta"}
MAX_CONSTANTS = 4  # all orders of them are tried


def rename(text: str, names: dict[str, str]) -> str:
    """`text` with its letters (`k`, `C_1`) renamed, all at once."""

    def put(match: re.Match[str]) -> str:
        plain = _plain(match[0])
        return names.get(plain, match[0]) if match[0][0].isalpha() else match[0]

    return _TOKEN.sub(put, text)


def names_in(text: str) -> set[str]:
    """The letters of a text (`k`, `C_1`)."""
    return {_plain(match[0]) for match in _TOKEN.finditer(text) if match[0][0].isalpha()}


def _plain(name: str) -> str:
    return re.sub(r"[{}\s]", "", name)


def same_family(gold: Formula, answer: Formula) -> bool:
    r"""Whether the formulas are equal with other letters for constants: c, C or A, C_1 and C_2 in
    either order, or k and n for an integer beside \pi.
    """
    ours, theirs = (
        {_plain(symbol.name): symbol.name for symbol in parsed(formula.latex).free_symbols}
        for formula in (gold, answer)
    )
    tolerance = DECIMAL if has_float(gold) or has_float(answer) else EXACT
    for names in _renamings(gold.latex, set(ours), set(theirs)):
        put = {theirs[old]: ours[new] for old, new in names.items()}
        try:
            if all(
                close(value(gold, point), renamed_value(answer, point, put), tolerance)
                for point in REAL_POINTS
            ):
                return True
        except UndecidedError:
            continue
    return False


def _renamings(latex: str, ours: set[str], theirs: set[str]) -> list[dict[str, str]]:
    lost, new = ours - theirs, theirs - ours
    if len(lost) == len(new) == 1 and r"\pi" in latex and lost <= _INTEGERS and new <= _INTEGERS:
        return [{new.pop(): lost.pop()}]
    constants = sorted(name for name in ours if _GOLD.fullmatch(name))
    if not constants or len(constants) > MAX_CONSTANTS or not ours & _VARIABLES:
        return []
    if not lost and not new:
        numbered = [name for name in constants if "_" in name]
        found = [dict(zip(numbered, order, strict=True)) for order in permutations(numbered)]
        return found[1:]
    others = sorted(
        name for name in theirs if _ANSWER.fullmatch(name) and (name in new or name in constants)
    )
    if not (lost <= set(constants) and new <= set(others)) or len(others) != len(constants):
        return []
    return [dict(zip(others, order, strict=True)) for order in permutations(constants)]
