"""The table of golds: what each gold of the five files is read as.

    PYTHONPATH=workflow python tests/grading/golds.py > tests/grading/golds.csv

writes the committed table anew; read its difference before committing it.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from gold_files import golds

HEADER = ["benchmark", "row", "gold", "type", "parsed", "at_probe"]


def table() -> Iterator[list[str]]:
    """One line per distinct gold of each benchmark: its first row, text, type, parsed value, and
    for a formula its value at probe 0.
    """
    from rectify.grading.verdict import read_gold

    seen = set()
    for benchmark, row, gold in golds():
        if (benchmark, gold) in seen:
            continue
        seen.add((benchmark, gold))
        value = read_gold(gold)
        yield [benchmark, str(row), gold.strip(), type(value).__name__, show(value), probe(value)]


def show(value: object) -> str:
    """A value as one line of text."""
    from rectify.grading.answers import values as v
    from rectify.grading.answers.numbers import Number
    from rectify.grading.formulas.formula import tree

    if isinstance(value, Number):
        return (
            f"{value.value}{'%' if value.percent else ''}{f' [{value.unit}]' if value.unit else ''}"
        )
    if isinstance(value, v.Words):
        return value.text
    if isinstance(value, v.Based):
        return f"{value.digits} in base {value.base}"
    if isinstance(value, v.Matrix):
        return "; ".join(" ".join(show(cell) for cell in row) for row in value.rows)
    if isinstance(value, v.Union):
        return " union ".join(map(show, value.parts))
    if isinstance(value, v.Relation):
        signs = [*value.signs, ""]
        return " ".join(
            f"{show(s)} {sign}" for s, sign in zip(value.sides, signs, strict=True)
        ).strip()
    if isinstance(value, v.Items):
        left, right = value.brackets or "  "
        return f"{left}{', '.join(map(show, value.items))}{right}".strip()
    if r"\infty" in value.latex:
        return value.latex.replace("\\infty", "oo")
    return f"{tree(value.latex)}{f' [{value.unit}]' if value.unit else ''}"


def probe(value: object) -> str:
    """The value of a formula at probe 0, to 12 digits; "" for what is no formula."""
    import mpmath
    from rectify.grading.answers.values import Formula
    from rectify.grading.formulas.formula import value as evaluate

    return mpmath.nstr(evaluate(value, 0), 12) if isinstance(value, Formula) else ""


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(table())
