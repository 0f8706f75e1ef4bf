"""Grade for another program, as long as it likes: python -m rectify.grading.serve [WORKERS]

Each line on standard input is a JSON list of [gold, response]; the line on standard output that
answers it is a list of true and false, the corrected verdicts. Online reinforcement learning
grades this way: the grader forks its workers, which is not safe in a process that holds a GPU or
runs torch's threads, so it lives in one that has neither. It ends when its input does.
"""

import json
import signal
import sys

from rectify.grading.pool import grade_in, limit_worker, open_pool


def deaf_worker() -> None:
    """A worker as limit_worker makes it that a SIGTERM to the whole job does not end.

    The training that asks saves at the end of its step, which needs this step's rewards.
    """
    limit_worker()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main() -> None:
    """Answer lines until there are no more."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with open_pool(int(sys.argv[1]) if sys.argv[1:] else 1, deaf_worker) as pool:
        for line in sys.stdin:
            items = [(None, "", gold, response) for gold, response in json.loads(line)]
            verdicts = [verdict.corrected for verdict in grade_in(pool, items)]
            print(json.dumps(verdicts), flush=True)


if __name__ == "__main__":
    main()
