"""Set two runs of a study side by side, by the tables' cells and the figures' points.

    rectify compare results/mini results/reference/mini

A and B are folders of results with tables/*.csv or figures/*.csv. Prints first, from the runs'
manifests, which processors they were made on, whether these are of one kind, and what may then be
expected to agree: on one kind, with the same code, packages and settings, every digit; on two, at
most 5 % of the values with an interval beyond the joint one. Then how many cells of each file are
identical, within the joint interval, or different; each that is not identical with both values; and
for it the likely cause: the first field that differs in the manifests behind the cell, looked for
from the sources on and only where a step made something else in the two runs.

- identical: every column that both files have is the same (0.0001 is 0.000100), but for the
  paper's number.
- within: the 95 % interval of the difference holds 0. It is put together from the two cells' own
  (low and high, or 1.96 standard errors) by squares of their distances (Zou and Donner 2008), as
  of independent runs. Two runs answer the same problems, so of cells that differ by chance alone
  fewer than one in twenty is beyond it.
- different: it does not.
- no interval: not identical, and the file says no standard error (Figure 2, say).

Last comes the share of the values with an interval that are beyond the joint one. Ends with status
0, or as diff does with 1 if a cell is different, or has no counterpart in the other run's file.
Where manifests are missing the comparison is still made, and says so.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rectify.provenance.cells import behind, keys_of, kind_of, same
from rectify.provenance.differences import likely_cause
from rectify.provenance.manifests import Manifests, load_manifests
from rectify.provenance.processors import expected, processors
from rectify.statistics.spread import Z
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.tables import read_texts

FILES = ("tables/*.csv", "figures/*.csv")
VALUES = (
    "accuracy",
    "share",
    "value",
    "count",
)  # the first of these; the columns before it name it
VERDICTS = ("identical", "within", "different", "no interval", "only in A", "only in B")
IDENTICAL, WITHIN, DIFFERENT, UNJUDGED, ONLY_A, ONLY_B = VERDICTS
SHOWN = 40  # cells of a file; beyond, those with a verdict alone: a curve may have thousands


@dataclass(frozen=True)
class Compared:
    """A cell or point of two runs: what names it, its verdict, whether both runs have an interval
    of it, its rows (None where it is not).
    """

    key: tuple[str, ...]
    verdict: str
    judged: bool
    first: pd.Series | None
    second: pd.Series | None


def value_column(table: pd.DataFrame, path: Path) -> str:
    """The column that holds a file's numbers; raises StepError if there is none."""
    found = [column for column in VALUES if column in table]
    if not found:
        raise StepError(f"{path}: has none of the columns {', '.join(VALUES)}; not of a study")
    return found[0]


def interval_of(row: pd.Series, value: str) -> tuple[float, float, float] | None:
    """(low, value, high) of a cell, None if it has no standard error.

    Without a standard error, low and high are the ends of a histogram's bin.
    """
    try:
        middle, reach = float(row[value]), Z * float(row["stderr"])
        low, high = (
            float(row.get(*end)) for end in (("low", middle - reach), ("high", middle + reach))
        )
    except (KeyError, ValueError):
        return None
    return (low, middle, high) if math.isfinite(low + middle + high) else None


def verdict(first: pd.Series, second: pd.Series, value: str) -> str:
    """How two cells of the same key compare; see the module."""
    shared = [column for column in first.index.intersection(second.index) if column != "published"]
    if all(same(first[column], second[column]) for column in shared):
        return IDENTICAL
    pair = interval_of(first, value), interval_of(second, value)
    if None in pair:
        return UNJUDGED
    (_, lower, up), (down, upper, _) = sorted(pair, key=lambda each: each[1])
    return WITHIN if upper - lower <= math.hypot(up - lower, upper - down) else DIFFERENT


def plain(text: str) -> str:
    """A number as it is spelt shortest, so that 16.000000 names what 16 does; else the text."""
    try:
        return f"{float(text):.12g}"
    except ValueError:
        return text


def rows_of(table: pd.DataFrame, path: Path) -> dict[tuple[str, ...], pd.Series]:
    """A CSV's rows by what names them; raises StepError if two have the same name."""
    keys = list(table.columns[: table.columns.get_loc(value_column(table, path))])
    rows = {tuple(map(plain, row[keys])): row for _, row in table.iterrows()}
    if len(rows) < len(table):
        raise StepError(f"{path}: two rows have the same {', '.join(keys)}")
    return rows


def compare(a: Path, b: Path) -> list[Compared]:
    """The cells of two CSV files, in A's order; raises StepError if one is not of a study."""
    tables = read_texts(a), read_texts(b)
    value = value_column(tables[0], a)
    first, second = rows_of(tables[0], a), rows_of(tables[1], b)
    found = []
    for key in dict.fromkeys([*first, *second]):
        one, two = first.get(key), second.get(key)
        if one is None or two is None:
            found.append(Compared(key, ONLY_B if one is None else ONLY_A, False, one, two))
        else:
            judged = None not in (interval_of(one, value), interval_of(two, value))
            found.append(Compared(key, verdict(one, two, value), judged, one, two))
    return found


def said(row: pd.Series | None, value: str) -> str:
    """A cell as text: its number, with the standard error if there is one."""
    if row is None:
        return "-"
    return f"{row[value]} ± {row['stderr']}" if row.get("stderr") else str(row[value])


def chain_of(
    manifests: Manifests, name: str, table: pd.DataFrame, row: pd.Series
) -> Callable[[str], bool]:
    """Says of a file whether it is in the chain of a row; of all, where rows share theirs."""
    if name in manifests and keys_of(kind := kind_of(manifests[name])):
        return behind(kind, manifests[name]["settings"], table, row)
    return lambda path: True


def report_cells(
    file: str, cells: list[Compared], folders: tuple[Path, Path], manifests: tuple[Manifests, ...]
) -> list[str]:
    """The lines on a file's cells that are not identical, with their likely causes."""
    table = read_texts(folders[0] / file)
    value, name = value_column(table, Path(file)), str(Path(file).with_suffix(".manifest.json"))
    lines, causes, hidden = [], Counter(), 0
    for cell in cells:
        if cell.verdict == IDENTICAL:
            continue
        if cell.verdict in (WITHIN, DIFFERENT) or len(lines) < SHOWN:
            both = f"{said(cell.first, value)} | {said(cell.second, value)}"
            lines.append(f"  {','.join(cell.key)}: {both}  {cell.verdict}")
        else:
            hidden += 1
        if cell.verdict not in (ONLY_A, ONLY_B) and all(manifests):
            wanted = chain_of(manifests[0], name, table, cell.first)
            causes[likely_cause(*manifests, name, wanted)] += 1
    lines += [f"  and {hidden} more without an interval or a counterpart"] if hidden else []
    lines += [f"  likely cause of {count}: {cause}" for cause, count in causes.items()]
    return [f"\n{file}: A | B", *lines] if lines else []


def study_in(manifests: Manifests, folder: Path) -> str | None:
    """The study that a folder's results are of; None without manifests.

    Raises StepError if they are of several.
    """
    studies = sorted({each["study"] for each in manifests.values() if each["study"]})
    if len(studies) > 1:
        raise StepError(f"{folder}: holds results of several studies: {', '.join(studies)}")
    return studies[0] if studies else None


def check_common(cells: dict[str, list[Compared]], folders: tuple[Path, Path]) -> None:
    """Raise StepError if two runs have no model, or no benchmark, in common.

    Every study has means, and the miniatures share a model: one that is the same is not enough.
    """
    rows = [
        [row for each in cells.values() for cell in each if (row := getattr(cell, run)) is not None]
        for run in ("first", "second")
    ]
    for key in ("model", "benchmark"):
        first, second = ({row[key] for row in own if key in row} - {"mean"} for own in rows)
        if first and second and not first & second:
            raise StepError(
                f"{folders[1]}: a results folder of another study: its {key}s are "
                f"{', '.join(sorted(second))}, not {', '.join(sorted(first))}"
            )


def main(arguments: argparse.Namespace) -> None:
    """Run the command."""
    folders = Path(arguments.a), Path(arguments.b)
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise StepError(f"{folder}: no such folder of results; finish the study first")
        found.append({str(f.relative_to(folder)) for glob in FILES for f in folder.glob(glob)})
        if not found[-1]:
            raise StepError(f"{folder}: no {' or '.join(FILES)} in it; not a study's results")
    manifests = tuple(load_manifests(folder) for folder in folders)
    studies = [study_in(*pair) for pair in zip(manifests, folders, strict=True)]
    for folder, study in zip(folders, studies, strict=True):
        if study is None:
            print(f"{folder}: no manifests; causes cannot be told")
    if None not in studies and studies[0] != studies[1]:
        raise StepError(
            f"{folders[1]}: a results folder of another study ('{studies[1]}', not '{studies[0]}')"
        )
    cells = {f: compare(*(each / f for each in folders)) for f in sorted(found[0] & found[1])}
    check_common(cells, folders)
    if not any(cell.verdict not in (ONLY_A, ONLY_B) for each in cells.values() for cell in each):
        raise StepError(f"{folders[1]}: not a cell in common; a results folder of another study")
    for name, folder, own in zip("AB", folders, manifests, strict=True):
        print(f"{name}: {folder}" + (f": {processors(own)}" if own else ""))
    print(f"{expected(*manifests)}\n")
    counts = pd.DataFrame(
        [[sum(c.verdict == v for c in each) for v in VERDICTS] for each in cells.values()],
        index=list(cells),
        columns=VERDICTS,
    )
    counts.loc["all"] = counts.sum()
    print(counts.to_string())
    for index, name in enumerate("AB"):
        if files := sorted(found[index] - found[1 - index]):
            print(f"only in {name}: {', '.join(files)}")
    for file, each in cells.items():
        for line in report_cells(file, each, folders, manifests):
            print(line)
    judged = sum(cell.judged for each in cells.values() for cell in each)
    if judged:
        beyond = counts.loc["all", DIFFERENT]
        share = f"{beyond} of {judged} values with an interval ({100 * beyond / judged:.1f} %)"
        print(f"\nbeyond the joint interval: {share}")
    alone = counts.loc["all", ONLY_A] + counts.loc["all", ONLY_B]
    if alone:
        print(f"\ncells without a counterpart in the other run's files: {alone}")
    sys.stdout.flush()
    if alone or counts.loc["all", DIFFERENT]:
        sys.exit(1)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("compare", __doc__)
    options.add_argument("a", metavar="A", help="a folder of results, such as results/mini")
    options.add_argument("b", metavar="B", help="another of the same study")
    return options
