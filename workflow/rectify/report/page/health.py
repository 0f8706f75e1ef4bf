"""What the report says of the answers themselves: their length, their ends, their variety."""

from __future__ import annotations

from typing import Any

from rectify.report.page.sections import benchmark_title, named
from rectify.statistics.health import MEANING, NUMBERS, QUANTITIES
from rectify.statistics.row_names import row_name
from rectify.step.errors import StepError
from rectify.step.tables import known, read_csv

ROW = ["model", "method", "setting"]


def health(layout: dict[str, Any]) -> dict[str, Any]:
    """The quantities of every row, for the mean over the benchmarks and for each on its own.

    Raises StepError naming the file that is missing or does not fit.
    """
    file = layout["health"]
    table = read_csv(file, (*ROW, "benchmark", "quantity"), NUMBERS)
    parts = []
    for name, cells in table.groupby("benchmark", sort=False):
        rows = []
        for (model, method, setting), own in cells.groupby(ROW, sort=False):
            title = named(layout, model, row_name(method, setting), file)
            by_quantity = {cell["quantity"]: cell for cell in own.to_dict("records")}
            if lost := QUANTITIES.keys() - by_quantity:
                raise StepError(f"{file}: no {min(lost)} of {model}, {method}; run the study again")
            shown = [
                {key: known(by_quantity[quantity][key]) for key in NUMBERS}
                for quantity in QUANTITIES
            ]
            rows.append({"model": title[0], "method": title[1], "cells": shown})
        parts.append({"title": benchmark_title(layout, name, file), "rows": rows})
    return {
        "columns": list(QUANTITIES.values()),
        "meaning": MEANING,
        "mean": parts[-1],  # as the table has it: behind the benchmarks
        "benchmarks": parts[:-1],
    }
