"""What the report says of the training rows as they were before any training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rectify.statistics.regimes import COLUMNS
from rectify.step.errors import StepError, first_line


def precheck(entry: dict[str, str]) -> dict[str, Any]:
    """What `rectify precheck` found with a model; entry: its title, model, and the file, json.

    model, say, sentence, reasons, uncertainty, facts, as it says them; columns, and rows of classes
    of tokens: name, tokens, cells (numbers, in the columns' order). Raises StepError naming the
    file that is missing or is none of its.
    """
    file = entry["json"]
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
        said = {key: found["verdict"][key] for key in ("say", "sentence", "reasons", "uncertainty")}
        rows = [
            {
                "name": name,
                "tokens": int(own["tokens"]),
                "cells": [float(own[key]) for key in COLUMNS],
            }
            for name, own in found["classes"].items()
        ]
        return {
            "model": entry["model"],
            **said,
            "facts": list(found["facts"]),
            "columns": list(COLUMNS.values()),
            "rows": rows,
        }
    except OSError as error:
        raise StepError(f"{file}: {error.strerror or first_line(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepError(f"{file}: not of rectify precheck: {first_line(error)}") from error
