"""What the report says of what training has not hurt."""

from __future__ import annotations

from typing import Any

from rectify.report.page.sections import named
from rectify.statistics.retention import KL, MEANING, TEXT
from rectify.statistics.row_names import row_name
from rectify.step.errors import StepError
from rectify.step.tables import known, read_csv

ROW = ["model", "method", "setting"]
NUMBERS = ("value", "stderr", "low", "high", "difference", "difference_low", "difference_high")


def retention(layout: dict[str, Any]) -> dict[str, Any]:
    """Every row's accuracy on the benchmarks that training should not hurt, the difference to the
    base model and the verdict on it; and its KL.

    Raises StepError naming the file that is missing or does not fit.
    """
    file, margin = layout["retention"]["csv"], layout["retention"]["margin"]
    table = read_csv(file, (*ROW, "benchmark", "quantity"), NUMBERS, ("verdict",))
    titles = layout["retention"]["benchmarks"]
    titles = titles | ({"mean": "Mean"} if titles else {})
    if odd := {*table["benchmark"]} - {*titles, TEXT}:
        raise StepError(f"{file}: no benchmark '{min(odd)}' in this study; run the study again")
    if (table["quantity"] == KL).any():
        titles[TEXT] = "KL, nats per token"
    rows = []
    for (model, method, setting), own in table.groupby(ROW, sort=False):
        title = named(layout, model, row_name(method, setting), file)
        by_name = {line["benchmark"]: line for line in own.to_dict("records")}
        cells = [cell(by_name.get(name)) for name in titles]
        rows.append({"model": title[0], "method": title[1], "cells": cells})
    return {
        "columns": list(titles.values()),
        "meaning": MEANING.format(margin=margin),
        "rows": rows,
    }


def cell(line: dict[str, Any] | None) -> dict[str, Any] | None:
    """A line of the table for the template; None where a row has none."""
    if line is None:
        return None
    numbers = {key: known(line[key]) for key in NUMBERS}
    judged = numbers["difference"] is not None
    return numbers | {
        "digits": 4 if line["quantity"] == KL else 2,
        "verdict": line["verdict"] if judged else None,
    }
