"""One sample's verdict: what it answered, whether that is right, and how the grading went."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from rectify.boxed import boxed_answer
from rectify.grade.compare import equal
from rectify.grade.formula import load
from rectify.grade.harness import harness_equal
from rectify.grade.harness_text import harness_answer
from rectify.grade.normalise import normalise
from rectify.grade.read import read
from rectify.grade.values import MAX_CHARS, UnreadableError, Value

ALARM_SECONDS = 5.0
HARNESS_SECONDS = 3.0  # the published harness's own limit
STATUSES = ("ok", "no_answer", "unparsable", "timeout", "memory", "crash")


@dataclass(frozen=True)
class Verdict:
    """`answer`: the extracted text; `corrected`: the project's verdict; `harness`: the published
    harness's; `status`: one of STATUSES, and anything but ok has `corrected` False.
    """

    answer: str | None
    corrected: bool
    harness: bool
    status: str


class AlarmError(BaseException):
    """The alarm rang. No Exception, so that no library's `except Exception` swallows it."""


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise AlarmError after `seconds`. Signals reach only the main thread; elsewhere there is no
    alarm, and the bounds on what is parsed have to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def grade(gold: str, response: str, benchmark: str | None = None) -> Verdict:
    """Grade one response against one gold, in this process. Never raises; see grade_many for the
    limits that only another process can hold.
    """
    return judge(gold, *extract(response, benchmark), benchmark)


def extract(response: str, benchmark: str | None = None) -> tuple[str | None, str]:
    """(the boxed answer or None, the answer as the published harness extracts it)."""
    try:
        answer = boxed_answer(response)
    except Exception:  # not a text: judged as no answer
        return None, ""
    try:
        return answer, harness_answer(response, benchmark)
    except Exception:  # what breaks the harness is wrong to it
        return answer, ""


def judge(gold: str, answer: str | None, published: str, benchmark: str | None) -> Verdict:
    """The verdict on extracted answers: `answer` from the box, `published` as the harness reads
    it.
    """
    load()
    status, corrected = "no_answer", False
    if answer is not None:
        status, corrected = _guarded(ALARM_SECONDS, _corrected, gold, answer)
    _, harness = _guarded(HARNESS_SECONDS, harness_equal, gold, published, benchmark)
    return Verdict(answer, corrected and status == "ok", harness, status)


def _guarded(seconds: float, decide, *arguments) -> tuple[str, bool]:  # noqa: ANN001, ANN002
    try:
        with alarm(seconds):
            return "ok", bool(decide(*arguments))
    except UnreadableError:
        return "unparsable", False
    except AlarmError:
        return "timeout", False
    except MemoryError:
        return "memory", False
    except RecursionError:
        return "unparsable", False
    except Exception:
        return "crash", False


def _corrected(gold: str, answer: str) -> bool:
    if len(answer) > MAX_CHARS:
        raise UnreadableError(f"{len(answer)} characters")
    text = normalise(answer)
    if text == normalise_gold(gold):
        return True
    expected = read_gold(gold)
    return equal(expected, read(text, like=expected))


@lru_cache(maxsize=8192)
def normalise_gold(gold: str) -> str:
    """The gold's normalised text; cached, since each gold meets many answers."""
    return normalise(gold)


@lru_cache(maxsize=8192)
def read_gold(gold: str) -> Value:
    """The gold's value. Raises UnreadableError for a gold outside the grammar (none of the five
    files').
    """
    return read(normalise_gold(gold))
