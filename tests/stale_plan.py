"""What has to be planned after a change in the finished study of stale_study.py: told by each job's
own command and inputs, before and after, and by following its outputs.
"""

import os

from small_study import inside
from stale_study import STUDY

RESULTS = "results/stale"
ALWAYS = {"all"}


def is_gate(file):
    """Whether a file only says that a model may be trained."""
    return file.startswith(f"{RESULTS}/checks/") and not file.endswith(".json")


def must_run(before, after, edited=frozenset()):
    """The jobs that a change decides: new ones, those whose own command or inputs have changed or
    that read or make an `edited` file, and all behind them.
    """
    found, made = set(), set(edited)
    due = True
    while due:
        due = {
            name
            for name, job in after.items()
            if name not in found
            and (
                name not in before
                or job.command != before[name].command
                or job.inputs != before[name].inputs
                or edited & job.outputs
                or made & {file for file in job.inputs if not is_gate(file)}
            )
        }
        found |= due
        made |= {file for name in due for file in after[name].outputs}
    new = {file for name in found for file in after[name].inputs if is_gate(file)}
    if not all(map(os.path.exists, new)):
        found.add(f"{RESULTS}/checks/.checked")
    return found | ALWAYS


def assert_planned(finished, before, study=STUDY, edited=frozenset()):
    """Hold the plan of one dry run against what must run; returns the latter."""
    after = finished.jobs(study=study)
    with inside(finished.folder):
        expected = must_run(before, after, edited)
    planned = {name for name, job in after.items() if job.planned}
    assert planned == expected, {
        "not planned": sorted(expected - planned),
        "planned for nothing": sorted(planned - expected),
    }
    return expected
