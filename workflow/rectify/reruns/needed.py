"""The results that are needed, each after what it is made from."""

from __future__ import annotations

import os
from collections.abc import Iterable

from rectify.reruns.expected import (
    Result,
    base_results,
    precheck_results,
    row_results,
    run_results,
    score_results,
    shown_results,
)
from rectify.step.errors import StepError
from rectify.study.schema import Study


def results_of(study: Study, targets: Iterable[str] = ()) -> list[Result]:
    """What a study makes, each after what it is made from: all that its pages, tables, figures and
    cards need, or what some of its results (`targets`) do.

    Raises StepError for a target that the study does not make.
    """
    found = list(row_results(study))
    for model in study.models:
        found += base_results(study, model)
    found += [*precheck_results(study), *run_results(study), *score_results(study)]
    found += shown_results(study)
    shown = [*run_results(study), *shown_results(study)]
    shown += [result for result in found if result.step == "check_model"]
    by_output = {file: index for index, result in enumerate(found) for file in result.outputs}
    waiting = [os.path.relpath(target) for target in targets]
    for file in waiting:
        if by_output.keys().isdisjoint((file, os.path.dirname(file))):
            raise StepError(
                f"{file}: no result of study {study.study}; name one of its, or none for all"
            )
    waiting = waiting or [file for result in shown for file in result.outputs]
    needed: set[int] = set()
    while waiting:
        file = waiting.pop()
        index = by_output.get(file, by_output.get(os.path.dirname(file)))  # it, or its folder
        if index is not None and index not in needed:
            needed.add(index)
            waiting += found[index].inputs
    return ordered([result for index, result in enumerate(found) if index in needed])


def ordered(results: list[Result]) -> list[Result]:
    """The results, each after those that it is made from, else as they are."""
    by_output = {file: result for result in results for file in result.outputs}
    found: dict[int, Result] = {}

    def add(result: Result) -> None:
        if id(result) not in found:
            for file in result.inputs:
                source = by_output.get(file, by_output.get(os.path.dirname(file)))
                if source and source is not result:
                    add(source)
            found[id(result)] = result

    for result in results:
        add(result)
    return list(found.values())
