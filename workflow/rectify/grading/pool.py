"""Grade many samples in worker processes that can be killed, each distinct answer once."""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import resource
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rectify.grading.graders import MATH
from rectify.grading.judges import judge_by
from rectify.grading.verdict import Verdict, extract, joined, judge

if TYPE_CHECKING:
    from pebble import ProcessPool

KILL_SECONDS = 120
"""By the wall clock, for a worker that sleeps or is deaf to the alarms of 5 s and 3 s. Those go by
processor time, so that honest work of 8 s gets here only on a machine with 15 times its load.
"""
MEMORY_BYTES = 3 * 2**30  # added to what the worker maps at its start
WINDOW = 512  # samples handed to the pool before the first is asked for: bounds memory, not speed
KILLED = -9

# (benchmark, problem text, gold, response), and where another grader than `math` judges, its name
# and the problem's row as JSON
Item = tuple[str | None, str, str, str] | tuple[str | None, str, str, str, str, str]


class Job(NamedTuple):
    """What a verdict depends on: samples that share it are graded once.

    `parts` and `published` are what `math` reads of the response; other graders read all of it.
    """

    benchmark: str | None
    problem: str
    gold: str
    parts: tuple[str, ...]
    published: str
    grader: str = MATH
    response: str = ""
    row: str = ""


def job_of(
    benchmark: str | None,
    problem: str,
    gold: str,
    response: str,
    grader: str = MATH,
    row: str = "",
) -> Job:
    """What the verdict of an item depends on."""
    if grader == MATH:
        return Job(benchmark, problem, gold, *extract(response, benchmark))
    return Job(benchmark, problem, gold, (), "", grader, response, row)


def grade_many(items: Iterable[Item], workers: int = 2, progress: bool = False) -> list[Verdict]:
    """Verdicts of items in input order; the same for any number of workers.

    Raises RuntimeError where gmpy2 is installed: its long calls outlast every limit.
    """
    return list(iter_grades(items, workers, progress))


def iter_grades(
    items: Iterable[Item], workers: int = 2, progress: bool = False
) -> Iterator[Verdict]:
    """As grade_many, one verdict at a time, so that a caller can keep what is done."""
    with open_pool(workers) as pool:
        yield from grade_in(pool, items, progress)


def open_pool(workers: int, initializer: Callable[[], None] | None = None) -> ProcessPool:
    """Worker processes that grade (each begins with `initializer`, by default limit_worker).

    Raises RuntimeError as grade_many does.
    """
    from pebble import ProcessPool

    check_environment()
    logging.getLogger("pebble").setLevel(logging.ERROR)
    # fork: workers start in milliseconds and need no importable __main__; the process that grades
    # holds no device and runs no threads of torch's (rectify.grading.serve is one for those that
    # do).
    context = multiprocessing.get_context("fork")
    return ProcessPool(
        max_workers=workers, initializer=initializer or limit_worker, context=context
    )


def grade_in(pool: ProcessPool, items: Iterable[Item], progress: bool = False) -> Iterator[Verdict]:
    """Verdicts in input order, by the workers of a pool."""
    from tqdm import tqdm

    verdicts: dict[Job, Verdict] = {}
    bar = tqdm(
        total=len(items) if hasattr(items, "__len__") else None,
        desc="grading",
        unit="sample",
        disable=not progress,
    )
    with bar:
        window: list[tuple[Job, object]] = []
        running: dict[Job, object] = {}
        for item in items:
            job = job_of(*item)
            if job not in verdicts and job not in running:
                running[job] = pool.schedule(judge_job, args=[job], timeout=KILL_SECONDS)
            window.append((job, running.get(job)))
            if len(window) >= WINDOW:
                yield _settle(*window.pop(0), verdicts, running)
                bar.update()
        for job, future in window:
            yield _settle(job, future, verdicts, running)
            bar.update()


def _settle(job: Job, future, verdicts: dict, running: dict) -> Verdict:  # noqa: ANN001
    """The verdict of a job, waiting for its worker if need be."""
    if job not in verdicts:
        verdicts[job] = _result(job, future)
        running.pop(job, None)
    return verdicts[job]


def _result(job: Job, future) -> Verdict:  # noqa: ANN001
    from pebble import ProcessExpired

    try:
        return future.result()
    except FutureTimeout:
        status = "timeout"
    except MemoryError:
        status = "memory"
    except ProcessExpired as death:
        status = "memory" if death.exitcode == KILLED else "crash"
    except Exception:
        status = "crash"
    return Verdict(joined(job.parts), False, False, status)


def judge_job(job: Job) -> Verdict:
    """What a worker runs."""
    if job.grader != MATH:
        return judge_by(job.grader, job.gold, job.response, job.row)
    return judge(job.gold, job.parts, job.published, job.benchmark, job.problem)


def limit_worker() -> None:
    """Bound a worker's memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def check_environment() -> None:
    """gmpy2 makes Python integers deaf to the alarm (measured: 15 s past its limit)."""
    if importlib.util.find_spec("gmpy2"):
        raise RuntimeError(
            "gmpy2 is installed, which defeats the grader's time limits; uninstall it"
        )
