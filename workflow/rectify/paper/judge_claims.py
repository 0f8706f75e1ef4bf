"""Give each of the paper's claims a verdict on a study's results.

    rectify judge_claims --claims config/claims.yaml --settings SETTINGS --out claims.json

The claims are a YAML list: id, sentence, where (table or figure) and tests, all of which must hold.
A test is one of rectify.paper.claims_file's kinds with its keys; a row of a table is named by its
method, with the setting where that is not `sft` (`dft offline`). SETTINGS is a file of JSON:
scoring, benchmarks (names), rows (model, model_title, method, setting, scores: as in the tables'
layouts), figures (the CSV files of their points, by name), seeds (how many training seeds each
method has in a figure) and retention (the CSV file of rectify tabulate_retention; null for none).

The verdicts:

  reproduced     every test shows its difference, in the claim's direction: p < 0.05, and the
                 interval without 0 (no correction: all of them must)
  contradicted   some test shows the opposite: the same, with Holm's correction for its tests
  inconclusive   neither, or nothing shows the opposite but some tests could not be run
  not run        no test could be run

Shares of tokens, which have no p value, show what their numbers say; a tie, or a difference whose
error is not known, shows neither. A score file or a figure that cannot be read is named, and what
needs it is not run. The estimate, interval and p value of a claim are those of the test that speaks
most against it. Where a method has one training seed, errors are those of the problems alone: the
verdict is on the trained models, not on what another seed would give.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rectify.paper.claims_file import Claim, read_claims
from rectify.paper.evidence import Evidence, Result, run_test
from rectify.paper.figure import figures
from rectify.statistics.accuracy import read_scores
from rectify.statistics.comparisons import FLOOR, holm
from rectify.statistics.row_names import row_name
from rectify.step.command import Settings, settings_file, step_parser
from rectify.step.errors import StepError
from rectify.step.files import write_json
from rectify.step.tables import read_csv

LEVEL = 0.05
TEXTS = ("model", "method", "setting", "benchmark", "quantity")  # of the retention table
NUMBERS = ("value", "stderr", "difference", "difference_low", "difference_high", "n_seeds")


@dataclass(frozen=True)
class Verdict:
    """What became of a claim; `weakest` is the test that speaks most against it, if any was run."""

    id: str
    sentence: str
    where: str
    verdict: str
    weakest: Result | None
    missing: list[str]
    results: list[Result]


def shown(result: Result, opposite: float) -> bool | None:
    """Whether a test shows its difference (True), the opposite (False) or neither (None).

    `opposite` is its p value among the claim's tests, where the difference is the other way.
    """
    if result.p_value is None:
        return result.holds
    if result.estimate > 0 and result.p_value < LEVEL and result.low > 0:
        return True
    if result.estimate < 0 and opposite < LEVEL and result.high < 0:
        return False
    return None


def against(result: Result) -> tuple[bool, float, float]:
    """Sorts results by how much they speak against their claim: the way, the p value, how far."""
    p_value = (
        (0.0 if result.holds is not None else 1.0) if result.p_value is None else result.p_value
    )
    for_it = result.estimate > 0
    return (not for_it, p_value if for_it else 1 - p_value, -result.estimate)


def judge(claim: Claim, evidence: Evidence) -> Verdict:
    """A claim's verdict on the evidence."""
    results = [result for test in claim.tests for result in run_test(evidence, test)]
    run = [result for result in results if result.estimate is not None]
    opposite = [1.0 if r.p_value is None or r.estimate > 0 else r.p_value for r in run]
    states = [shown(result, p) for result, p in zip(run, holm(opposite), strict=True)]
    if not run:
        verdict = "not run"
    elif False in states:
        verdict = "contradicted"
    elif None in states or len(run) < len(results):
        verdict = "inconclusive"
    else:
        verdict = "reproduced"
    return Verdict(
        id=claim.id,
        sentence=claim.sentence,
        where=claim.where,
        verdict=verdict,
        weakest=max(run, key=against, default=None),
        missing=[
            f"{result.what} ({result.reason})" if result.reason else result.what
            for result in results
            if result.estimate is None
        ],
        results=results,
    )


def in_words(verdict: Verdict) -> str:
    """A line for a verdict."""
    line = f"{verdict.verdict}: {verdict.id} ({verdict.where})"
    if (weakest := verdict.weakest) is not None:
        line += f": {weakest.what}: {weakest.estimate:+.2f} {weakest.unit}"
        if weakest.p_value is not None:
            least = weakest.p_value <= FLOOR
            p_value = f"< {FLOOR:g}" if least else f"= {weakest.p_value:.2g}"
            line += f" [{weakest.low:+.2f}, {weakest.high:+.2f}], p {p_value}"
        if weakest.seeds == 1:
            line += "; one training seed: these models alone"
    if verdict.missing:
        line += f"; not run: {'; '.join(verdict.missing)}"
    return line


def gather(settings: Settings) -> Evidence:
    """The evidence that SETTINGS names; a file that cannot be read is named and left out."""
    scores, points, retained = {}, {}, None

    @contextlib.contextmanager
    def left_out() -> Iterator[None]:
        try:
            yield
        except StepError as error:
            print(f"{error}; what needs it is not run")

    for row in settings.rows:
        key = (row["model"], row_name(row["method"], row["setting"]))
        with left_out():
            scores[key] = scores[key] if key in scores else read_scores(row["scores"])
    for name, file in settings.figures.items():
        with left_out():
            points[name] = read_csv(file, others=tuple(figures()[name].COLUMNS))
    if settings.retention:
        with left_out():
            retained = read_csv(settings.retention, TEXTS, NUMBERS)
    titles = {row["model"]: row["model_title"] for row in settings.rows}
    parts = (settings.benchmarks, settings.scoring, points, titles, settings.seeds, retained)
    return Evidence(scores, *parts)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    claims = read_claims(Path(arguments.claims))
    evidence = gather(Settings(**arguments.settings))
    verdicts = [judge(claim, evidence) for claim in claims]
    write_json(arguments.out, [asdict(verdict) for verdict in verdicts])
    for verdict in verdicts:
        print(in_words(verdict))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("judge_claims", __doc__)
    options.add_argument("--claims", required=True, help="YAML file of claims")
    options.add_argument("--settings", required=True, type=settings_file, help="file of JSON")
    options.add_argument("--out", required=True, help="JSON file to write the verdicts to")
    return options
