"""One sample's verdict: what it answered, whether that is right, and how the grading went."""

from dataclasses import dataclass

from rectify.grading.alarm import AlarmError, alarm
from rectify.grading.answers.values import Value
from rectify.grading.boxed import boxed_parts
from rectify.grading.equality.decide import gold_of, right
from rectify.grading.harness.equal import harness_equal
from rectify.grading.harness.text import harness_answer
from rectify.grading.notation.limits import MAX_CHARS, UnreadableError

ALARM_SECONDS = 5.0  # of processor time, as all limits here: a busy machine changes no verdict
HARNESS_SECONDS = 3.0  # the published harness's own limit


@dataclass(frozen=True)
class Verdict:
    """`answer`: the extracted text; `corrected`: the project's verdict; `harness`: the published
    harness's; `status`: one of STATUSES, and anything but ok has `corrected` False.
    """

    answer: str | None
    corrected: bool
    harness: bool
    status: str


def grade(gold: str, response: str, benchmark: str | None = None, problem: str = "") -> Verdict:
    """Grade one response against one gold, in this process. Never raises; see grade_many for the
    limits that only another process can hold, that by the wall clock among them. `problem`: the
    question, where it is at hand.
    """
    return judge(gold, *extract(response, benchmark), benchmark, problem)


def extract(response: str, benchmark: str | None = None) -> tuple[tuple[str, ...], str]:
    """(the parts of the boxed answer, none without one; the answer as the published harness
    extracts it).
    """
    try:
        parts = tuple(boxed_parts(response))
    except Exception:  # not a text: judged as no answer
        return (), ""
    try:
        return parts, harness_answer(response, benchmark)
    except Exception:  # what breaks the harness is wrong to it
        return parts, ""


def joined(parts: tuple[str, ...]) -> str | None:
    """The parts as one answer; None without any."""
    return ", ".join(parts) or None


def judge(
    gold: str, parts: tuple[str, ...], published: str, benchmark: str | None, problem: str = ""
) -> Verdict:
    """The verdict on extracted answers: `parts` from the box, `published` as the harness reads
    it.
    """
    status, corrected = "no_answer", False
    if parts:
        status, corrected = _guarded(ALARM_SECONDS, _corrected, gold, parts, problem)
    _, harness = _guarded(HARNESS_SECONDS, harness_equal, gold, published, benchmark)
    return Verdict(joined(parts), corrected and status == "ok", harness, status)


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


def _corrected(gold: str, parts: tuple[str, ...], problem: str) -> bool:
    if (size := sum(map(len, parts))) > MAX_CHARS:
        raise UnreadableError(f"{size} characters")
    return right(gold, parts, problem)


def read_gold(gold: str) -> Value:
    """The gold's value. Raises UnreadableError for a gold outside the grammar (none of the five
    files').
    """
    value = gold_of(gold).value
    if value is None:
        raise UnreadableError(gold)
    return value
