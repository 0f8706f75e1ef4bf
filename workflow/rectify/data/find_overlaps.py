r"""List the benchmark problems that overlap with training rows.

    rectify find_overlaps --rows training.parquet --benchmarks a.parquet b.parquet \
        --out contamination.csv

Compared are the benchmarks' problems, not their solutions (the question is what leaks), with the
problem and with the solution of every training row (a solution may hold a problem). Texts are
normalised: lower case; LaTeX spacing, markup, punctuation and [asy] drawings left out; numbers
(with their decimals) and operators kept as words of their own. Writes a line for each pair of a
problem and a row, as the first of these kinds that fits:

- exact: the same words and operators.
- near-duplicate: Jaccard similarity of the two problems' sets of 5-grams of at least 0.5. Such
  pairs are looked for by MinHash (datasketch, 42 bands of 3: one at 0.5 is missed once in 270) and
  checked exactly. Lee et al. 2022 (arXiv 2107.06499) take 5-grams, and 0.8 for documents; in a
  problem of 30 words, one changed number leaves 0.7, and a problem told anew 0.5.
- 13-gram: 13 words in a row, operators not counted, as in GPT-3 (Brown et al. 2020, arXiv
  2005.14165, appendix C), in the row's problem or its solution. `similarity` is the share of the
  problem's words in such runs. From 0.6 on, a pair counts as overlap; the others are listed with
  `overlaps` false, since competition problems share phrases of that length ("where m and n are
  relatively prime positive integers, find m + n"): 20 of the 70 problems of AIME24 and AMC23 share
  such phrases, and nothing else, with MATH's 7,500 training problems.

Problems of fewer than 13 words are compared whole: exact or, from 0.8 on, near-duplicate, since one
number is most of them. Rows are read in batches: memory does not grow with their number.

What counts is not always the same question: of the paper's five benchmarks, 35 problems overlap
with MATH's training problems, of which, by reading, 6 are the same, 26 variants (another number, or
another question about the same thing) and 3 others with a beginning or an appendix in common. The
list has both texts for that reason.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH
from tqdm import tqdm

from rectify.data.rows import read_benchmarks
from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_text
from rectify.step.tables import parquet_named

RUN = 13  # words of an n-gram that both have
SHINGLE = 5  # words and operators of an n-gram whose sets are compared
JACCARD, JACCARD_SHORT = 0.5, 0.8  # of near-duplicates; of problems that are shorter than RUN
COVERED = 0.6  # of a problem's words, in runs that a row has too
BANDS, BAND = 42, 3  # MinHash: a pair of similarity s is found with probability 1 - (1 - s^3)^42
EXCERPT = 300  # characters of a text in the list
BATCH = 1000  # rows in memory

# markup that one source writes and another does not
MARKUP = re.compile(
    r"\[asy\].*?\[/asy\]"
    r"|\\(?:left|right|bigg?[lr]?|displaystyle|textstyle|limits|q?quad"
    r"|text(?:bf|it|rm)?|math(?:rm|bf|it)|hspace|vspace)(?![a-z])"
    r"|\\[,;:!> ]",
    re.DOTALL,
)
FRACTION = re.compile(r"\\[dt](?=frac)")
TOKENS = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[-+*/=<>^!%|]")

Gram = tuple[str, ...]


class Overlap(NamedTuple):
    """A benchmark problem and a training row (numbered from 0) that have something in common."""

    benchmark: str
    problem_id: int
    row: int
    kind: str  # exact, near-duplicate, 13-gram
    where: str  # problem, solution: what of the row
    similarity: float  # 1, Jaccard similarity, share of the problem's words
    overlaps: bool  # enough for the problem to be left out
    shared: str  # the longest run of words that both have, if it is of 13 or more
    problem: str
    training: str  # the row's problem; both texts may be cut short


def tokens(text: str) -> list[str]:
    """A text's words, numbers and operators, normalised."""
    return TOKENS.findall(FRACTION.sub("", MARKUP.sub(" ", text.lower())))


def words(found: list[str]) -> list[str]:
    """The tokens without the operators."""
    return [token for token in found if token[0].isalnum()]


def grams(sequence: list[str], length: int) -> Iterable[Gram]:
    """All runs of `length` words, in order."""
    return zip(*(sequence[start:] for start in range(length)), strict=False)


def shingles(found: list[str]) -> frozenset[Gram]:
    """The set of a text's 5-grams; a shorter text is one by itself."""
    return frozenset(grams(found, min(SHINGLE, len(found)) or 1))


def sketch(found: frozenset[Gram]) -> MinHash:
    """A set's MinHash."""
    minhash = MinHash(num_perm=BANDS * BAND)
    minhash.update_batch([" ".join(gram).encode() for gram in found])
    return minhash


class Benchmarks:
    """The benchmarks' problems (columns benchmark, problem_id, problem), indexed by their n-grams,
    for training rows to be held against one by one.
    """

    def __init__(self, problems: pd.DataFrame) -> None:
        self.problems = list(problems.itertuples())
        found = [tokens(problem.problem) for problem in self.problems]
        self.words = [words(part) for part in found]
        self.shingles = [shingles(part) for part in found]
        self.whole: dict[Gram, list[int]] = defaultdict(list)
        self.runs: dict[Gram, list[tuple[int, int]]] = defaultdict(list)  # (problem, first word)
        self.similar = MinHashLSH(num_perm=BANDS * BAND, params=(BANDS, BAND))
        for index, part in enumerate(found):
            self.whole[tuple(part)].append(index)
            for start, gram in enumerate(grams(self.words[index], RUN)):
                self.runs[gram].append((index, start))
            if self.shingles[index]:
                self.similar.insert(index, sketch(self.shingles[index]))

    def shared_runs(self, text: list[str]) -> dict[int, list[int]]:
        """The problems that share 13-grams with some words, and where these begin in them."""
        if self.runs.keys().isdisjoint(grams(text, RUN)):
            return {}
        starts: dict[int, set[int]] = defaultdict(set)
        for gram in grams(text, RUN):
            for index, start in self.runs.get(gram, ()):
                starts[index].add(start)
        return {index: sorted(found) for index, found in starts.items()}

    def near_duplicates(self, text: list[str]) -> dict[int, float]:
        """The problems with much the same 5-grams as a text, and their Jaccard similarity."""
        own = shingles(text)
        candidates = self.similar.query(sketch(own)) if own else []
        jaccard = {
            index: len(own & self.shingles[index]) / len(own | self.shingles[index])
            for index in candidates
        }
        return {
            index: value
            for index, value in jaccard.items()
            if value >= (JACCARD if len(self.words[index]) >= RUN else JACCARD_SHORT)
        }

    def against(self, row: int, problem: str, solution: str) -> Iterator[Overlap]:
        """The row's overlaps, one for each problem, in the benchmarks' order."""
        asked = tokens(problem)
        found: dict[int, tuple[str, str, float]] = {}
        shared: dict[int, str] = {}
        for where, text in (("problem", words(asked)), ("solution", words(tokens(solution)))):
            for index, starts in self.shared_runs(text).items():
                share, run = coverage(self.words[index], starts)
                if index not in found or share > found[index][2]:
                    found[index], shared[index] = ("13-gram", where, share), run
        for index, jaccard in self.near_duplicates(asked).items():
            found[index] = ("near-duplicate", "problem", jaccard)
        for index in self.whole.get(tuple(asked), []) if asked else []:
            found[index] = ("exact", "problem", 1.0)
        for index, (kind, where, similarity) in sorted(found.items()):
            yield Overlap(
                self.problems[index].benchmark,
                self.problems[index].problem_id,
                row,
                kind,
                where,
                similarity,
                kind != "13-gram" or similarity >= COVERED,
                shared.get(index, ""),
                self.problems[index].problem[:EXCERPT],
                problem[:EXCERPT],
            )


def coverage(problem: list[str], starts: list[int]) -> tuple[float, str]:
    """The share of a problem's words in the 13-grams that begin at `starts` (in order), and the
    longest run of such words.
    """
    runs: list[list[int]] = []  # first and last word + 1
    for start in starts:
        if runs and start <= runs[-1][1] - RUN + 1:
            runs[-1][1] = start + RUN
        else:
            runs.append([start, start + RUN])
    covered = {word for first, end in runs for word in range(first, end)}
    first, end = max(runs, key=lambda run: run[1] - run[0])
    return len(covered) / len(problem), " ".join(problem[first:end])


def stream_rows(path: str) -> Iterator[tuple[str, str]]:
    """(problem, solution) of every row, a batch at a time, under a progress bar.

    The solution of a benchmark's problem is its answer. Raises StepError for a file that is not
    there, is no Parquet, or lacks a column.
    """
    with parquet_named(path):
        file = pq.ParquetFile(path)
    with (
        file,
        tqdm(total=file.metadata.num_rows, unit="row", disable=not sys.stderr.isatty()) as bar,
    ):
        names = file.schema_arrow.names
        columns = ["problem", "answer" if "problem_id" in names else "solution"]
        for column in columns:
            if column not in names:
                raise StepError(f"{path}: no column '{column}'")
        for batch in file.iter_batches(BATCH, columns=columns):
            yield from zip(*(batch[column].to_pylist() for column in columns), strict=True)
            bar.update(len(batch))


def overlaps(problems: pd.DataFrame, rows: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Columns of Overlap, in the benchmarks' order.

    `problems` (benchmark, problem_id, problem) are held against training rows (problem, solution).
    """
    index = Benchmarks(problems)
    found = [
        overlap
        for row, (problem, solution) in enumerate(rows)
        for overlap in index.against(row, problem, solution)
    ]
    table = pd.DataFrame(found, columns=Overlap._fields)
    order = {name: place for place, name in enumerate(problems["benchmark"].unique())}
    return table.sort_values(
        ["benchmark", "problem_id", "row"],
        key=lambda column: column.map(order) if column.name == "benchmark" else column,
        ignore_index=True,
    )


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    problems = read_benchmarks(arguments.benchmarks)
    rows = itertools.chain.from_iterable(map(stream_rows, arguments.rows))
    table = overlaps(problems, rows)
    write_text(arguments.out, table.to_csv(index=False, float_format="%.4f"))
    print(f"{len(problems)} problems, {len(table)} pairs")
    counted = table.groupby(["benchmark", "kind", "overlaps"], sort=False)
    print(counted.agg(problems=("problem_id", "nunique"), pairs=("row", "size")).to_string())


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("find_overlaps", __doc__)
    options.add_argument(
        "--rows", required=True, nargs="+",
        help="Parquet files with columns problem, solution, or of problems; numbered on from one "
        "to the next",
    )  # fmt: skip
    options.add_argument("--benchmarks", required=True, nargs="+", help="Parquet files of problems")
    options.add_argument("--out", required=True, help="CSV file to write")
    return options
