"""What a claim is tested on: a study's scores and its figures' points; one test of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from rectify.paper.figure import figures
from rectify.statistics.comparisons import Difference, compare, fewest_seeds
from rectify.statistics.retention import ACCURACY, TEXT
from rectify.statistics.row_names import row_name
from rectify.statistics.spread import Z
from rectify.step.errors import StepError

if TYPE_CHECKING:
    from rectify.paper.claims_file import Test


@dataclass(frozen=True)
class Result:
    """One test. `estimate` is positive where it speaks for the claim, with its 95 % interval and
    two-sided p value, or without them where nothing is drawn at random or no error is known.
    `holds` is set for the former alone, and not for a tie. A test with no estimate could not be
    run, for the `reason` or because the study does not have it. `seeds` are the training seeds of
    the method that has fewest; None if that is not known.
    """

    what: str
    unit: str = "points"
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    holds: bool | None = None
    seeds: int | None = None
    reason: str | None = None


@dataclass
class Evidence:
    """A study's results, as far as they are there.

    `scores` by (model, name of the row), see `row_name`; `figures` are the figures' CSV files by
    name, `seeds` how many training seeds a figure's methods have; `titles` are the models' titles,
    by which Figure 2 names them; `retained` is the table of rectify tabulate_retention.
    """

    scores: dict[tuple[str, str], pd.DataFrame]
    benchmarks: list[str]
    scoring: dict[str, str]
    figures: dict[str, pd.DataFrame]
    titles: dict[str, str]
    seeds: dict[str, dict[str, int]]
    retained: pd.DataFrame | None = None
    compared: dict[tuple[str, str, str], dict[str, Difference]] = field(default_factory=dict)

    def compare(self, model: str, method: str, than: str) -> dict[str, Difference]:
        """`rectify.statistics.comparisons.compare` of two rows of a model, once."""
        key = (model, method, than)
        if key not in self.compared:
            first, second = self.scores[model, method], self.scores[model, than]
            self.compared[key] = compare(first, second, self.benchmarks, self.scoring)
        return self.compared[key]

    def kept(self, model: str, method: str, benchmark: str) -> pd.Series | None:
        """A row's line of the retention table, if there is one."""
        if self.retained is None:
            return None
        lines = self.retained
        names = [row_name(*each) for each in zip(lines["method"], lines["setting"], strict=True)]
        own = (lines["model"] == model) & (pd.Series(names, lines.index) == method)
        found = lines[own & (lines["benchmark"] == benchmark)]
        return None if found.empty else found.iloc[0]

    def points(self, figure: str) -> pd.DataFrame:
        """A figure's points; none if the study does not have it."""
        return self.figures.get(figure, pd.DataFrame(columns=figures()[figure].COLUMNS))

    def seeds_in(self, figure: str, *methods: str) -> int | None:
        """Training seeds of the method that has fewest of some of a figure's."""
        known = self.seeds.get(figure, {})
        return fewest_seeds({method: known[method] for method in methods if method in known})


def normal_result(
    what: str, difference: float, stderr: float, seeds: int | None, unit: str = "points"
) -> Result:
    """A test of a difference whose error is about normal."""
    if not stderr > 0:  # 0, or none because of a single problem: nothing to tell it from chance
        return Result(what, unit, difference, seeds=seeds)
    half = stats.norm.ppf(0.975) * stderr
    p_value = float(2 * stats.norm.sf(abs(difference) / stderr))
    return Result(
        what, unit, difference, difference - half, difference + half, p_value, seeds=seeds
    )


def counted_result(what: str, difference: float, seeds: int | None) -> Result:
    """A test of a difference between shares of tokens, in percent, which has no error."""
    difference = round(difference, 9)  # sums of equal shares may differ in the last digits
    holds = difference > 0 if difference else None
    return Result(what, "% of tokens", difference, holds=holds, seeds=seeds)


def higher(
    evidence: Evidence, models: list[str], method: str, than: str, benchmarks: list[str]
) -> Iterator[Result]:
    """Tables: the method scores higher than another, for every model and benchmark named."""
    for model in models:
        for benchmark in benchmarks:
            what = f"{model}, {benchmark}: {method} - {than}"
            rows = {(model, method), (model, than)} <= evidence.scores.keys()
            if not rows or benchmark not in [*evidence.benchmarks, "mean"]:
                yield Result(what)
                continue
            try:
                found = evidence.compare(model, method, than)[benchmark]
            except StepError as error:
                yield Result(what, reason=str(error))
                continue
            seeds = fewest_seeds({method: found.n_seeds, than: found.than_seeds})
            spread = (found.difference, found.low, found.high, found.p_value)
            yield Result(what, "points", *spread, seeds=seeds)


def curve_of(evidence: Evidence, method: str, benchmark: str) -> pd.DataFrame:
    """Figure 1's points of a method's training on a benchmark; empty if there are none.

    Step 0 is the base model, of which no method's training can boast.
    """
    points = evidence.points("figure1")
    own = (points["method"] == method) & (points["benchmark"] == benchmark)
    return points[own & (points["step"] > 0)]


def lead_of(first: pd.DataFrame, second: pd.DataFrame) -> tuple[float, float] | None:
    """The highest of some points of Figure 1 - the highest of others, and its standard error.

    The points' errors are taken as independent, which is on the wide side: the problems are the
    same. Each best is that of noisy points, so somewhat high, more so among many points.
    """
    if first.empty or second.empty:
        return None
    one, two = (points.loc[points["accuracy"].idxmax()] for points in (first, second))
    return one["accuracy"] - two["accuracy"], np.hypot(one["stderr"], two["stderr"])


def peaks_by(evidence: Evidence, method: str, step: int) -> Iterator[Result]:
    """Figure 1: the method's best by this step is above its best later, as a mean over benchmarks.

    That stands for "on most benchmarks", as a count of them would take a lead by chance for one.
    """
    what = f"{method}'s best by step {step} - its best later, mean over the benchmarks"
    curves = [curve_of(evidence, method, name) for name in evidence.benchmarks]
    leads = [lead_of(curve[curve["step"] <= step], curve[curve["step"] > step]) for curve in curves]
    if not leads or None in leads:
        yield Result(what)
        return
    differences, errors = np.array(leads, dtype=float).T
    stderr = np.linalg.norm(errors) / len(errors)
    seeds = evidence.seeds_in("figure1", method)
    yield normal_result(what, float(differences.mean()), float(stderr), seeds)


def passes_best(evidence: Evidence, method: str, than: str, step: int) -> Iterator[Result]:
    """Figure 1: by this step the method's mean is above the other's best at any step."""
    what = f"{method}'s best by step {step} - {than}'s best"
    first, second = curve_of(evidence, method, "mean"), curve_of(evidence, than, "mean")
    lead = lead_of(first[first["step"] <= step], second)
    if lead is None:
        yield Result(what)
        return
    difference, stderr = map(float, lead)
    yield normal_result(what, difference, stderr, evidence.seeds_in("figure1", method, than))


def shares_of(evidence: Evidence, model: str, methods: tuple[str, str]) -> list[np.ndarray] | None:
    """Figure 2's shares of tokens in percent, from the lowest bin up, of two methods of a model."""
    points = evidence.points("figure2").sort_values("low")
    of_model = points[points["model"] == evidence.titles.get(model)]
    shares = [of_model[of_model["method"] == method]["share"].to_numpy() for method in methods]
    return [100 * share for share in shares] if all(len(share) for share in shares) else None


def shifted_up(evidence: Evidence, models: list[str], method: str, than: str) -> Iterator[Result]:
    """Figure 2: below every bin's edge the method has fewer tokens than the other.

    The estimate is the least by which it has fewer, in percent of all tokens.
    """
    for model in models:
        what = f"{model}: tokens that {method} has fewer than {than} below an edge, least"
        shares = shares_of(evidence, model, (method, than))
        if shares is None:
            yield Result(what)
            continue
        below = [share.cumsum()[:-1] for share in shares]
        least = float((below[1] - below[0]).min())
        yield counted_result(what, least, evidence.seeds_in("figure2", method, than))


def polarised(evidence: Evidence, models: list[str], method: str, than: str) -> Iterator[Result]:
    """Figure 2: the method has more tokens than the other in the lowest bin and in the highest."""
    for model in models:
        shares = shares_of(evidence, model, (method, than))
        for end, bin_ in (("lowest", 0), ("highest", -1)):
            what = f"{model}: tokens in the {end} bin, {method} - {than}"
            if shares is None:
                yield Result(what)
                continue
            more = float(shares[0][bin_] - shares[1][bin_])
            yield counted_result(what, more, evidence.seeds_in("figure2", method, than))


def higher_at(
    evidence: Evidence, setting: str, values: list[float], method: str, than: str
) -> Iterator[Result]:
    """Figure 3: the method's mean is above the other's at each of these values of the setting.

    The points' errors are taken as independent, which is on the wide side.
    """
    points = evidence.points("figure3")
    points = points[points["setting"] == setting]
    for value in values:
        what = f"{setting} {value:g}: {method} - {than}"
        at_value = np.isclose(points["value"].astype(float), value, atol=0)
        rows = points[at_value].set_index("method")
        if not {method, than} <= set(rows.index):
            yield Result(what)
            continue
        difference = float(rows.loc[method, "accuracy"] - rows.loc[than, "accuracy"])
        errors = np.hypot(rows.loc[method, "stderr"], rows.loc[than, "stderr"])
        seeds = evidence.seeds_in("figure3", method, than)
        yield normal_result(what, difference, float(errors), seeds)


def kept(
    evidence: Evidence, models: list[str], method: str, benchmarks: list[str], margin: float
) -> Iterator[Result]:
    """Retention: the method has lost less than a margin of the base model's accuracy.

    The p value is that of the difference's interval, taken for a normal one.
    """
    for model in models:
        for benchmark in benchmarks:
            what = f"{model}, {benchmark}: {method} - base + {margin:g}"
            line = evidence.kept(model, method, benchmark)
            if line is None or line["quantity"] != ACCURACY or pd.isna(line["difference"]):
                yield Result(what)
                continue
            stderr = (line["difference_high"] - line["difference_low"]) / (2 * Z)
            seeds = int(line["n_seeds"])
            found = normal_result(what, float(line["difference"]) + margin, float(stderr), seeds)
            low, high = (float(line[f"difference_{end}"]) + margin for end in ("low", "high"))
            yield found if found.low is None else replace(found, low=low, high=high)


def closer(evidence: Evidence, models: list[str], method: str, than: str) -> Iterator[Result]:
    """Retention: the method's models are closer to the base models than another's, by KL.

    The errors are taken as independent, which is on the wide side: the text is the same.
    """
    for model in models:
        what = f"{model}: KL(base || {than}) - KL(base || {method})"
        lines = [evidence.kept(model, name, TEXT) for name in (method, than)]
        if any(line is None for line in lines):
            yield Result(what)
            continue
        own, other = lines
        stderr = float(np.hypot(own["stderr"], other["stderr"]))
        seeds = int(min(own["n_seeds"], other["n_seeds"]))
        difference = float(other["value"] - own["value"])
        yield normal_result(what, difference, stderr, seeds, "nats per token")


TESTS: dict[str, Callable[..., Iterator[Result]]] = {
    "higher": higher,
    "peaks_by": peaks_by,
    "passes_best": passes_best,
    "shifted_up": shifted_up,
    "polarised": polarised,
    "higher_at": higher_at,
    "kept": kept,
    "closer": closer,
}


def run_test(evidence: Evidence, test: Test) -> list[Result]:
    """The results of a claim's test, which names one of TESTS and its arguments."""
    arguments = test.model_dump(exclude={"kind"})
    return list(TESTS[test.kind](evidence, **arguments))
