"""Nothing a model writes hangs the grader, brings it down, or is executed."""

import multiprocessing
import os
import signal
import time

import pytest
from hostile import CODE, HOSTILE, LONG
from rectify.grading import pool, verdict
from rectify.grading.alarm import AlarmError, alarm, paused
from rectify.grading.answers import read
from rectify.grading.formulas import formula
from rectify.grading.notation import spelling
from rectify.grading.pool import grade_many
from rectify.grading.verdict import grade

GOLDS = ["42", r"$\frac{n(n+1)}{2}$", "1,-2"]


@pytest.mark.parametrize("name", HOSTILE)
def test_each_ends_within_its_limit_and_leaves_no_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for gold in GOLDS:
        for response in (rf"\boxed{{{HOSTILE[name]}}}", HOSTILE[name]):
            started = time.monotonic()
            assert not grade(gold, response).corrected
            assert time.monotonic() - started < verdict.ALARM_SECONDS + verdict.HARNESS_SECONDS + 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_pool_grades_the_sample_after_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    items = []
    for name, answer in HOSTILE.items():
        items += [
            (None, name, "42", rf"\boxed{{{answer}}}"),
            (None, f"after {name}", "42", r"\boxed{42}"),
        ]
    verdicts = grade_many(items, workers=2)
    assert all(v.corrected for v in verdicts[1::2])
    assert not any(v.corrected for v in verdicts[::2])
    assert list(tmp_path.iterdir()) == []


def test_an_answer_over_the_size_limit_is_refused_and_nothing_else_of_it():
    assert grade("42", rf"\boxed{{{LONG[: verdict.MAX_CHARS]}}}").corrected
    refused = grade("42", rf"\boxed{{{LONG}}}")
    assert (refused.corrected, refused.status) == (False, "unparsable")


@pytest.mark.parametrize(
    ("module", "limit", "gold", "before", "inner"),
    [(read, "MAX_DEPTH", "42", "", "42"), (spelling, "MAX_FORMULA_DEPTH", "x+1", "1+", "x")],
)
def test_brackets_over_the_depth_limit_are_refused(module, limit, gold, before, inner, monkeypatch):
    monkeypatch.setattr(module, limit, 5)

    def right(depth):
        return grade(gold, rf"\boxed{{{before}{'(' * depth}{inner}{')' * depth}}}").corrected

    assert [right(depth) for depth in (4, 5, 6)] == [True, True, False]


def test_a_formula_over_the_length_limit_is_refused(monkeypatch):
    monkeypatch.setattr(spelling, "MAX_FORMULA_CHARS", 7)
    assert grade("x+1", r"\boxed{1+x+y-y}").corrected
    assert not grade("x+1", r"\boxed{1+x+y-y+0}").corrected


@pytest.mark.parametrize("name", CODE)
def test_an_answer_that_is_code_is_not_run(name):
    """Whoever ran it would have the gold."""
    assert int(eval(CODE[name])) == 42
    found = grade("42", rf"\boxed{{{CODE[name]}}}", "math_oai")
    assert (found.corrected, found.harness) == (False, False)


def burn(seconds):
    """Take processor time, as a comparison does."""
    started = time.process_time()
    while time.process_time() - started < seconds:
        sum(range(100))
    return True


def test_an_import_takes_no_time_of_the_alarms():
    """Which would leave half a module, for all answers after this one."""
    done = []

    def work():
        with paused():
            done.append(burn(0.6))
        done.append(burn(0.1))
        done.append(burn(60))

    with pytest.raises(AlarmError), alarm(0.3):
        work()
    assert len(done) == 2


def failing(parser):
    """A stand-in for a formula's parser that fails, on x and a letter, as real ones might."""

    def parse(text, **options):
        if text == "x+d":  # deaf to the alarm, as a long call in C is
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})
        if text in ("x+s", "x+d"):
            burn(60)
        if text == "x+w":  # takes no processor time, by which the alarm goes
            time.sleep(60)
        if text == "x+m":
            return bytearray(64 * 2**30)
        if text == "x+k":
            os.kill(os.getpid(), signal.SIGUSR1)
        if text == "x+o":  # what the kernel does where memory runs out
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "x+r":
            return parse(text)
        if text == "x+e":
            raise ValueError(text)
        return parser(text, **options)

    return parse


FAILURES = {
    "x+s": "timeout",
    "x+d": "timeout",
    "x+w": "timeout",
    "x+m": "memory",
    "x+o": "memory",
    "x+k": "crash",
    "x+r": "unparsable",
    "x+e": "ok",
}


@pytest.fixture
def failing_parser(monkeypatch):
    monkeypatch.setattr(formula, "arithmetic", lambda text: None)  # leaves all to the parser
    assert grade("x+1", r"\boxed{1+x}").corrected  # a parser's first texts take it longest
    parser, *others = formula.load()
    monkeypatch.setattr(formula, "load", lambda: (failing(parser), *others))
    monkeypatch.setattr(verdict, "ALARM_SECONDS", 1)
    monkeypatch.setattr(pool, "KILL_SECONDS", 12)
    formula.tree.cache_clear()
    yield
    formula.tree.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("failing_parser")
def test_a_parser_that_fails_costs_one_sample_its_verdict_and_no_other():
    items = []
    for answer in FAILURES:
        items += [(None, answer, "x+1", rf"\boxed{{{answer}}}")]
        items += [(None, f"after {answer}", "x+1", r"\boxed{1+x}")]
    verdicts = grade_many(items, workers=1)
    assert dict(zip(FAILURES, (v.status for v in verdicts[::2]), strict=True)) == FAILURES
    assert [v.status for v in verdicts[1::2]] == ["ok"] * len(FAILURES)
    assert [v.corrected for v in verdicts] == [False, True] * len(FAILURES)
    assert [v.answer for v in verdicts[::2]] == [*FAILURES]


@pytest.mark.slow
@pytest.mark.usefixtures("failing_parser")
@pytest.mark.parametrize("answer", ["x+s", "x+r", "x+e"])
def test_a_parser_that_fails_is_borne_in_this_process(answer):
    found = grade("x+1", rf"\boxed{{{answer}}}")
    assert (found.corrected, found.status) == (False, FAILURES[answer])
    assert grade("x+1", r"\boxed{1+x}").corrected


def _sleep(job):
    if job.parts == ("slow",):
        time.sleep(60)
    if job.parts == ("hungry",):
        return bytearray(64 * 2**30)
    if job.parts == ("dying",):
        os._exit(3)
    return verdict.judge(job.gold, job.parts, job.published, job.benchmark)


@pytest.mark.slow
def test_a_worker_that_hangs_starves_or_dies_is_replaced(monkeypatch):
    monkeypatch.setattr(pool, "judge_job", _sleep)
    monkeypatch.setattr(pool, "KILL_SECONDS", 4)
    answers = ["slow", "42", "hungry", "42", "dying", "42"]
    items = [(None, str(k), "42", rf"\boxed{{{a}}}") for k, a in enumerate(answers)]
    verdicts = grade_many(items, workers=1)
    assert [v.status for v in verdicts] == ["timeout", "ok", "memory", "ok", "crash", "ok"]
    assert [v.corrected for v in verdicts] == [False, True] * 3
    assert verdicts[0].answer == "slow"


def test_an_alarm_is_counted_as_a_timeout(monkeypatch):
    monkeypatch.setattr(verdict, "ALARM_SECONDS", 0.05)
    monkeypatch.setattr(verdict, "_corrected", lambda *_: burn(5))
    assert grade("1", r"\boxed{1}").status == "timeout"
    monkeypatch.setattr(verdict, "HARNESS_SECONDS", 0.05)
    monkeypatch.setattr(verdict, "harness_equal", lambda *_: burn(5))
    assert not grade("1", r"\boxed{1}").harness


@pytest.mark.slow
def test_the_alarm_goes_by_processor_time_and_not_by_the_wall_clock(monkeypatch):
    monkeypatch.setattr(verdict, "ALARM_SECONDS", 0.3)
    monkeypatch.setattr(verdict, "HARNESS_SECONDS", 0.3)
    monkeypatch.setattr(verdict, "_corrected", lambda *_: time.sleep(0.6) or burn(0.05))
    monkeypatch.setattr(verdict, "harness_equal", lambda *_: time.sleep(0.6) or burn(0.05))
    assert grade("1", r"\boxed{1}") == verdict.Verdict("1", True, True, "ok")


@pytest.mark.slow
def test_a_busy_machine_changes_no_verdict(monkeypatch):
    """Twelve processes that spin beside a comparison on each core make it last longer than its
    limit, of which it takes half.
    """
    monkeypatch.setattr(verdict, "ALARM_SECONDS", 0.3)
    monkeypatch.setattr(verdict, "_corrected", lambda *_: burn(0.15))
    context = multiprocessing.get_context("fork")
    busy = [
        context.Process(target=burn, args=(60,), daemon=True)
        for _ in range(12 * len(os.sched_getaffinity(0)))
    ]
    for process in busy:
        process.start()
    try:
        started = time.monotonic()
        found = grade("1", r"\boxed{1}")
        lasted = time.monotonic() - started
    finally:
        for process in busy:
            process.kill()
            process.join()
    assert lasted > verdict.ALARM_SECONDS
    assert (found.corrected, found.status) == (True, "ok")


def test_gmpy2_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "gmpy2")
    with pytest.raises(RuntimeError, match="gmpy2"):
        grade_many([], workers=1)
