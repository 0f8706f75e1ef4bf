"""Check the paper's printed numbers against each other.

    rectify audit config/published.csv --out audit.csv

Reads that CSV (table, model, method, setting, benchmark, accuracy, source) and, beside it, what the
text prints (published-text.csv). A line for each finding, then a summary. The kinds of findings:

  average       a printed average is not the mean of its row
  count         no count of right samples gives the value, however it is rounded
  cut off       a count gives it only if the digits that follow were cut off, not rounded
  two values    the same model, method and data stand with another value in an earlier table
  text          the text prints a value, difference or gain ratio that its table does not give

Findings are the result, not an error: the exit status is 0 with them, 2 for unreadable input.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd

from rectify.paper.attainable import digits, neighbours, rounded, ways_to_print
from rectify.paper.published import COLUMNS, PROBLEMS, read_printed
from rectify.statistics.row_names import row_name
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_text

TEXT_COLUMNS = ("kind", "table", "model", "method", "setting", "than", "benchmark", "value")
TEXT_KINDS = ("value", "difference", "gain_ratio")
# tables whose trained rows are other trainings than those of the rest (data, adapters)
OTHER_TRAINING = ("openr1", "lora")


@dataclass(frozen=True)
class Finding:
    """A printed number that does not agree with others, and what would have."""

    kind: str
    table: str
    cell: str
    printed: str
    expected: str


def name_of(row: pd.Series) -> str:
    """A cell as findings name it."""
    return f"{row['model']}, {row_name(row['method'], row['setting'])}, {row['benchmark']}"


def half_unit(printed: Decimal) -> Fraction:
    """How far from the printed value the exact one can be."""
    return Fraction(1, 2 * 10 ** digits(printed))


def wrong_averages(published: pd.DataFrame) -> Iterator[Finding]:
    """Averages that the printed values of their row cannot have, allowing for their rounding."""
    for _, row in published.groupby(["table", "model", "method", "setting"], sort=False):
        parts = row[row["benchmark"] != "avg"]["accuracy"]
        for _, average in row[row["benchmark"] == "avg"].iterrows():
            if parts.empty:
                continue
            mean = sum(map(Fraction, parts)) / len(parts)
            slack = sum(map(half_unit, parts)) / len(parts) + half_unit(average["accuracy"])
            if abs(mean - Fraction(average["accuracy"])) > slack:
                shown = rounded(mean, digits(average["accuracy"]))
                yield Finding(
                    "average", average["table"], name_of(average), str(average["accuracy"]),
                    f"the mean of its row is {shown}",
                )  # fmt: skip


def wrong_counts(published: pd.DataFrame) -> Iterator[Finding]:
    """Values that 16 runs over a benchmark of its size do not give."""
    for _, row in published[published["benchmark"].isin(list(PROBLEMS))].iterrows():
        printed, problems = row["accuracy"], PROBLEMS[row["benchmark"]]
        ways = ways_to_print(printed, problems)
        below, above = neighbours(printed, problems)
        cell = (row["table"], name_of(row), str(printed))
        if not 0 <= printed <= 100:
            yield Finding("count", *cell, "it is no percentage: outside 0 to 100")
        elif not ways:
            yield Finding("count", *cell, f"the nearest that counts give are {below} and {above}")
        elif ways == {"cut_off"}:
            yield Finding("cut off", *cell, f"rounded, it would be {above}")


def two_values(published: pd.DataFrame) -> Iterator[Finding]:
    """Cells that a later table prints with another value."""
    other = published["table"].isin(OTHER_TRAINING) & (published["method"] != "base")
    experiment = published["table"].where(other, "")
    keys = ["experiment", "model", "method", "setting", "benchmark"]
    for _, cells in published.assign(experiment=experiment).groupby(keys, sort=False):
        first = cells.iloc[0]
        for _, row in cells.iloc[1:].iterrows():
            if row["accuracy"] != first["accuracy"]:
                yield Finding(
                    "two values", row["table"], name_of(row), str(row["accuracy"]),
                    f"{first['table']} prints {first['accuracy']}",
                )  # fmt: skip


def wrong_text(published: pd.DataFrame, text: pd.DataFrame) -> Iterator[Finding]:
    """Numbers of the text that the table they speak of does not give.

    A gain ratio is (method - base) / (than - base), a difference method - than. Raises StepError
    for a row of another kind, and for one whose cells the table has not.
    """
    cells = published.set_index(["table", "model", "method", "setting", "benchmark"])["accuracy"]

    def printed(line: int, row: pd.Series, method: str) -> Decimal:
        setting = "-" if method == "base" else row["setting"]
        key = (row["table"], row["model"], method, setting, row["benchmark"])
        if key not in cells.index:
            raise StepError(
                f"published text, line {line}: no cell {', '.join(key)} in the published numbers"
            )
        return cells.loc[[key]].iloc[0]

    for line, (_, row) in enumerate(text.iterrows(), start=2):
        if row["kind"] not in TEXT_KINDS:
            raise StepError(
                f"published text, line {line}: unknown kind '{row['kind']}'; "
                f"there are {', '.join(TEXT_KINDS)}"
            )
        names = {
            "value": [row["method"]],
            "difference": [row["method"], row["than"]],
            "gain_ratio": [row["method"], row["than"], "base"],
        }[row["kind"]]
        low, high, middle = value_from([printed(line, row, name) for name in names])
        slack = half_unit(row["value"])
        if not low - slack <= Fraction(row["value"]) <= high + slack:
            what = row["kind"].replace("_", " ")
            versus = f" over {row['than']}" if row["than"] else ""
            shown = rounded(middle, max(digits(row["value"]), 2))
            yield Finding(
                "text", row["table"], f"{name_of(row)}{versus}: {what}", str(row["value"]),
                f"{row['table']} gives {shown}",
            )  # fmt: skip


def value_from(printed: list[Decimal]) -> tuple[Fraction, Fraction, Fraction]:
    """Lowest, highest and plain value, allowing for the cells' rounding, of a cell, of the
    difference of two, or of the ratio of two differences from a third.
    """
    plain = [Fraction(value) for value in printed]
    slack = half_unit(printed[0])
    if len(plain) == 1:
        return plain[0], plain[0], plain[0]  # the text repeats the table's digits
    if len(plain) == 2:
        difference = plain[0] - plain[1]
        return difference - 2 * slack, difference + 2 * slack, difference
    gain, other = plain[0] - plain[2], plain[1] - plain[2]
    if other <= 2 * slack:
        raise StepError(f"published text: no ratio to a gain of {float(other):.2f}; leave it out")
    ends = [
        (gain + a) / (other + b) for a in (-2 * slack, 2 * slack) for b in (-2 * slack, 2 * slack)
    ]
    return min(ends), max(ends), gain / other


def roundings(published: pd.DataFrame) -> str:
    """Which ways of rounding account for the printed values, counted."""
    known = published[published["benchmark"].isin(list(PROBLEMS))]
    ways = [
        ways_to_print(row.accuracy, PROBLEMS[row.benchmark]) - {"cut_off"}
        for row in known.itertuples()
    ]
    count = Counter(tuple(sorted(way)) for way in ways)
    return (
        f"{len(known)} values on benchmarks of known size: {count['exact', 'per_run']} agree with "
        f"the mean of all samples and with that of runs rounded to 0.1, {count['exact',]} only "
        f"with the former, {count['per_run',]} only with the latter, {count[()]} with neither"
    )


def audit(published: pd.DataFrame, text: pd.DataFrame) -> list[Finding]:
    """All findings, check by check, in the order of the tables."""
    return [
        *wrong_averages(published),
        *wrong_counts(published),
        *two_values(published),
        *wrong_text(published, text),
    ]


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    path = Path(arguments.published)
    published = read_printed(path, COLUMNS, "accuracy")
    beside = path.with_name(f"{path.stem}-text.csv")
    text = (
        read_printed(beside, TEXT_COLUMNS, "value")
        if beside.exists()
        else pd.DataFrame(columns=list(TEXT_COLUMNS))
    )
    findings = audit(published, text)
    for found in findings:
        print(f"{found.kind}: {found.table}: {found.cell}: {found.printed}; {found.expected}")
    kinds = Counter(found.kind for found in findings)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    print(f"{len(published)} printed numbers and {len(text)} of the text: {counted or 'all agree'}")
    print(roundings(published))
    if arguments.out:
        columns = list(Finding.__dataclass_fields__)
        table = pd.DataFrame([asdict(found) for found in findings], columns=columns)
        write_text(arguments.out, table.to_csv(index=False))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("audit", __doc__)
    options.add_argument(
        "published", nargs="?", default="config/published.csv", help="CSV of printed numbers"
    )
    options.add_argument("--out", help="CSV to write the findings to")
    return options
