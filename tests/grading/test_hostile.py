"""Nothing a model writes hangs the grader, brings it down, or is executed."""

import time

import pytest
from hostile import HOSTILE
from rectify.grading import pool, verdict
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


def _sleep(job):
    if job.parts == ("slow",):
        time.sleep(60)
    if job.parts == ("hungry",):
        return bytearray(64 * 2**30)
    if job.parts == ("dying",):
        import os

        os._exit(3)
    return verdict.judge(job.gold, job.parts, job.published, job.benchmark)


@pytest.mark.slow
def test_a_worker_that_hangs_starves_or_dies_is_replaced(monkeypatch):
    monkeypatch.setattr(pool, "judge_job", _sleep)
    monkeypatch.setattr(pool, "KILL_SECONDS", 2)
    answers = ["slow", "42", "hungry", "42", "dying", "42"]
    items = [(None, str(k), "42", rf"\boxed{{{a}}}") for k, a in enumerate(answers)]
    verdicts = grade_many(items, workers=1)
    assert [v.status for v in verdicts] == ["timeout", "ok", "memory", "ok", "crash", "ok"]
    assert [v.corrected for v in verdicts] == [False, True] * 3
    assert verdicts[0].answer == "slow"


def test_an_alarm_is_counted_as_a_timeout(monkeypatch):
    monkeypatch.setattr(verdict, "ALARM_SECONDS", 0.05)
    monkeypatch.setattr(verdict, "_corrected", lambda *_: time.sleep(5))
    assert grade("1", r"\boxed{2}").status == "timeout"


def test_gmpy2_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "gmpy2")
    with pytest.raises(RuntimeError, match="gmpy2"):
        grade_many([], workers=1)
