"""The file that each job has its settings from, named by what it holds.

A change of settings is another file, so another parameter of the job, and Snakemake runs it again;
equal settings are the same file, in a fresh checkout too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import yaml

from rectify.jobs import layouts, paths, retention, sweeps
from rectify.jobs.cards import card_layout
from rectify.jobs.settings import SETTINGS
from rectify.step.files import write_once
from rectify.study.schema import Study

# by rule; each takes the study and the names of what the job makes
RULES: dict[str, Callable[..., dict[str, Any]]] = {
    **SETTINGS,
    "tabulate_scores": layouts.table_layout,
    "tabulate_health": layouts.health_layout,
    "tabulate_overlaps": layouts.overlap_layout,
    "tabulate_retention": retention.retention_layout,
    "tabulate_rates": sweeps.rates_layout,
    "choose_model": sweeps.choice_settings,
    "plot_figure": layouts.figure_layout,
    "summarise_scores": layouts.summary_layout,
    "judge_claims": layouts.claims_layout,
    "render_report": layouts.report_layout,
    "write_cards": card_layout,
}


def settings_file(study: Study, rule: str, settings: dict[str, Any], write: bool) -> str:
    """The file with a job's settings; written, if it is to be, where it is not there already."""
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    return named(paths.settings(study, f"{rule}-{{}}.json"), text, write)


def study_file(study: Study, write: bool) -> str:
    """The file with the study itself, as it was resolved."""
    text = yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return named(paths.settings(study, "study-{}.yaml"), text, write)


def named(pattern: str, text: str, write: bool) -> str:
    """A file whose name has the beginning of its content's hash."""
    file = pattern.format(hashlib.sha256(text.encode()).hexdigest()[:16])
    if write:
        write_once(file, text)
    return file
