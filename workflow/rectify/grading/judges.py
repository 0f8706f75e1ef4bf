"""The verdicts of the graders other than mathematics' own: exact, choice, a user's function."""

from __future__ import annotations

import json
from typing import Any

from rectify.grading.alarm import AlarmError, alarm
from rectify.grading.choice import chosen, letter_of, options_of
from rectify.grading.graders import CHOICE, EXACT, RAISED, own, said_by
from rectify.grading.plain import answer_in, plain
from rectify.grading.verdict import ALARM_SECONDS, Verdict


def judge_by(grader: str, gold: str, response: str, row: str) -> Verdict:
    """The verdict of another grader than `math`; there is no published one beside it, so that
    `harness` is the same. `row` is JSON, "" where the grader needs none.
    """
    try:
        with alarm(ALARM_SECONDS):
            answer, right = DECIDE.get(grader, own_decision)(
                grader, gold, response, json.loads(row or "{}")
            )
    except AlarmError:
        return Verdict(None, False, False, "timeout")
    except MemoryError:
        return Verdict(None, False, False, "memory")
    except BaseException as error:  # a user's code: anything may happen in it
        return Verdict(said_by(error), False, False, RAISED)
    return Verdict(answer, right, right, "no_answer" if answer is None else "ok")


def exact_decision(_: str, gold: str, response: str, row: dict[str, Any]) -> tuple:
    """What was answered, and whether it is the gold but for spelling."""
    answer = answer_in(response)
    return answer, answer is not None and plain(answer) == plain(gold)


def choice_decision(_: str, gold: str, response: str, row: dict[str, Any]) -> tuple:
    """The letter, and whether it is the gold's."""
    options = options_of(row)
    answer = chosen(response, options)
    return answer, answer is not None and answer == letter_of(gold, options)


def own_decision(grader: str, gold: str, response: str, row: dict[str, Any]) -> tuple:
    """The answer as `exact` would read it, for people to look at, and the function's verdict."""
    right = own(grader)(gold, response, row)
    if not isinstance(right, bool):
        raise TypeError(f"the function returns {right!r}, not True or False")
    return answer_in(response) or "", right


DECIDE = {EXACT: exact_decision, CHOICE: choice_decision}
