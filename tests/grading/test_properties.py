"""Properties that hold for any text and any gold."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rectify.grading.statuses import STATUSES
from rectify.grading.verdict import grade

RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
LATEX = st.lists(
    st.sampled_from(
        [
            r"\frac",
            r"{",
            r"}",
            r"1",
            r"2",
            r"x",
            r"=",
            r",",
            r"(",
            r")",
            r"[",
            r"]",
            r"\{",
            r"\}",
            r"^",
            r"_",
            r"\sqrt",
            r"\pi",
            r"\text{",
            r"\le",
            r"<",
            r"\cup",
            r"\infty",
            r"+",
            r"-",
            r"/",
            r".",
            r"%",
            r"\$",
            r"\pm",
            r"&",
            r"\\",
            r"e",
            r"n",
            r"!",
            r"\in",
            r"\begin{pmatrix}",
            r"\end{pmatrix}",
            r"\left",
            r"\right",
            r"\boxed{",
            r"and",
            r"or",
            r"10",
            r"\times",
            r";",
            r"|",
            r"'",
            r"\circ",
            r"\%",
        ]
    ),
    max_size=25,
).map("".join)
GOLDS = [
    "42",
    "-3.5",
    r"\frac{14}{3}",
    "4.5e33",
    "1,-2",
    "(3,4]",
    r"3\sqrt{13}",
    "x=5",
    "52_8",
    r"\text{east}",
    r"\text{(C)}",
    "(6,31,-1)",
    r"$\frac{n(n+1)}{2}$",
    r"(-\infty, 2) \cup (3, \infty)",
    r"\begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix}",
    "y = 2x + 3",
    "62.5%",
    r"90^\circ",
]
WRAPPERS = [
    "{}",
    " {} ",
    "{}.",
    "${}$",
    r"\displaystyle {}",
    r"\({}\)",
    r"\,{}\;",
    r"\boxed{{{}}}",
    "= {}",
]


@RELAXED
@given(
    st.one_of(st.sampled_from(GOLDS), LATEX, st.text()),
    st.one_of(st.text(st.characters()), LATEX, LATEX.map(lambda t: rf"\boxed{{{t}}}")),
    st.sampled_from([None, "math_oai", "minerva_math", "olympiadbench"]),
)
def test_grading_never_raises(gold, response, benchmark):
    verdict = grade(gold, response, benchmark)
    assert verdict.status in STATUSES
    assert verdict.status == "ok" or not verdict.corrected


@RELAXED
@given(
    st.sampled_from(GOLDS),
    st.one_of(st.sampled_from(GOLDS), st.integers().map(str)),
    st.sampled_from(WRAPPERS),
)
def test_layout_never_changes_a_verdict(gold, answer, wrapper):
    plain = grade(gold, rf"\boxed{{{answer}}}")
    assert grade(gold, rf"\boxed{{{wrapper.format(answer)}}}").corrected == plain.corrected


@RELAXED
@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_integers_are_right_exactly_when_equal(gold, answer):
    assert grade(str(gold), rf"\boxed{{{answer:,}}}").corrected == (gold == answer)


@RELAXED
@given(st.fractions(max_denominator=10**6), st.integers(2, 9))
def test_fractions_in_any_form_are_equal_and_their_neighbours_are_not(value, factor):
    top, bottom = value.numerator, value.denominator
    gold = rf"\frac{{{top}}}{{{bottom}}}"
    for answer in (
        f"{top}/{bottom}",
        rf"\dfrac{{{factor * top}}}{{{factor * bottom}}}",
        rf"x = {gold}",
    ):
        assert grade(gold, rf"\boxed{{{answer}}}").corrected
    assert not grade(gold, rf"\boxed{{\frac{{{top + 1}}}{{{bottom}}}}}").corrected


@RELAXED
@given(st.lists(st.integers(-99, 99), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_lists_are_right_in_any_order_and_wrong_with_an_item_less(values, draw):
    gold = ",".join(map(str, values))
    draw.shuffle(values)
    assert grade(gold, rf"\boxed{{\{{{', '.join(map(str, values))}\}}}}").corrected
    assert not grade(gold, rf"\boxed{{{', '.join(map(str, values[:-1]))}}}").corrected


@RELAXED
@given(st.sampled_from(GOLDS))
def test_a_gold_is_right_as_its_own_answer_with_both_verdicts(gold):
    verdict = grade(gold, rf"Thus $\boxed{{{gold}}}$.", "math_oai")
    assert (verdict.corrected, verdict.harness) == (True, True)
