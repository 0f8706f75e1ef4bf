"""The counts that stand beside every table."""

from rectify.grade import Verdict, grade
from rectify.grade.tables import disagreements, status_counts, status_note


def test_statuses_are_counted_and_many_timeouts_flagged():
    ok, late = Verdict("1", True, True, "ok"), Verdict("1", False, False, "timeout")
    assert status_counts([ok, late])["timeout"] == 1
    assert status_note(status_counts([ok] * 200)) == "all ok of 200 samples"
    assert "TIMEOUTS" not in status_note(status_counts([ok] * 198 + [late]))
    assert "TIMEOUTS" in status_note(status_counts([ok] * 95 + [late] * 5))


def test_disagreements_are_named_counted_and_directed():
    samples = [
        ("minerva_math", "4.5e33", r"\boxed{4.5\times 10^{33}}"),
        ("minerva_math", "4.5e33", r"\boxed{4.5 \cdot 10^{33}}"),
        ("math_oai", "10", r"\boxed{1000}"),
        ("math_oai", "10", "it is 10"),
        ("math_oai", "(3,4]", r"\boxed{[3,4]}"),
        ("math_oai", "10", r"\boxed{10}"),
    ]
    table = disagreements((b, g, grade(g, r, b)) for b, g, r in samples)
    assert [(row.kind, row.accepts, row.count) for row in table] == [
        ("power of ten", "corrected", 2),
        ("list, set or interval", "harness", 1),
        ("no box", "harness", 1),
        ("x100 or /100", "harness", 1),
    ]
    assert r"4.5e33 <- 4.5\times 10^{33}" in table[0].examples
