"""The counts that stand beside every table."""

from rectify.grading.disagreements import disagreements
from rectify.grading.statuses import status_note, too_many_timeouts
from rectify.grading.verdict import grade


def test_statuses_are_noted_and_many_timeouts_flagged():
    assert status_note({"ok": 200, "timeout": 0}) == "all ok of 200 samples"
    assert status_note({"ok": 5, "no_answer": 2, "timeout": 1}) == (
        "2 no_answer, 1 timeout of 8 samples"
    )
    assert not too_many_timeouts({"ok": 198, "timeout": 1})
    assert too_many_timeouts({"ok": 95, "timeout": 5})


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
