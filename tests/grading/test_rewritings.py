"""Error rates on the rewritings of the golds, on both sides of the split."""

import pytest
from rewritings import cases, held_out, report

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("benchmark_files")]
FALSE_NEGATIVES, FALSE_POSITIVES = 0.003, 0.001


@pytest.mark.parametrize(("holdout", "every"), [(False, 4), (True, 1)])
def test_error_rates(holdout, every):
    """On all of the golds that were kept unseen, and on every fourth case of the others."""
    errors, totals = report(list(cases(holdout))[::every], None)
    assert totals[True, "all"] > 4000
    assert totals[False, "all"] > 1500
    assert errors[True, "all"] <= FALSE_NEGATIVES * totals[True, "all"]
    assert errors[False, "all"] <= FALSE_POSITIVES * totals[False, "all"]


def test_the_rewritings_are_the_same_every_time_and_split_by_gold():
    first = list(cases(True))
    assert first == list(cases(True))
    assert {case.gold for case in first}.isdisjoint(case.gold for case in cases(False))
    assert all(held_out(case.gold) for case in first)
