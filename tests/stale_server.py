"""Dry runs of the workflow, one for each line of JSON (the arguments) on standard input.

Each is answered with a line: the jobs of the DAG as [rule, outputs, inputs, command, planned], or
the text of what went wrong. Snakemake and this package are imported once, and each dry run is a
fork of that process: an edit of the package may change its files' content, but nothing that a dry
run does.
"""

import contextlib
import json
import os
import sys
import tempfile

import rectify.jobs.cards
import rectify.jobs.preflight
import rectify.jobs.settings_files
import rectify.reruns.verify  # noqa: F401
import smart_open  # noqa: F401
import snakemake.cli
import snakemake.dag
import snakemake.workflow
from rectify import STEPS
from rectify.paper.figure import figures
from rectify.step.code_files import code_files
from rectify.step.environment import step_files

snakemake.cli.get_argument_parser()  # imports the plugins
for step in STEPS:
    code_files(step)  # parses all modules
for figure in figures():
    step_files("plot_figure", figure)


def jobs(dag):
    """All jobs of a DAG as plain data."""
    for job in dag.jobs:
        files = [sorted(map(str, job.output)), sorted(map(str, job.input))]
        yield [job.rule.name, *files, job.shellcmd, dag.needrun(job)]


def dry_run(arguments, answer):
    """Write the jobs of a dry run to the file `answer`, and end this process."""

    async def told(dag, **_):
        with open(answer, "w") as file:
            json.dump(list(jobs(dag)), file)
        os._exit(0)

    snakemake.dag.DAG.postprocess = told
    with contextlib.suppress(SystemExit):
        snakemake.cli.main(["-n", "--cores", "2", "--nolock", *arguments])
    os._exit(1)


with tempfile.TemporaryDirectory() as folder:
    answer, said = os.path.join(folder, "answer"), os.path.join(folder, "said")
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            out = os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(out, 1)
            os.dup2(out, 2)
            dry_run(json.loads(line), answer)
        status = os.waitpid(child, 0)[1]
        with open(said if status else answer) as file:
            text = file.read()
        print(json.dumps(text) if status else text, flush=True)
