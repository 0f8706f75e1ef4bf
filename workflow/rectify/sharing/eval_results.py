"""A model's scores as the hub's leaderboards read them: a file of `.eval_results/`.

The hub knows a score by a benchmark's data set there and by one of its tasks, which the data set
names in its `eval.yaml`: mostly as its configuration, or `default`. So these are named here.
"""

from __future__ import annotations

import yaml
from huggingface_hub import EvalResult, EvalResultEntry
from huggingface_hub import eval_result_entries_to_yaml as as_plain

FILE = ".eval_results/rectify.yaml"


def entries_of(
    results: list[EvalResult], date: str | None, source: str | None
) -> list[EvalResultEntry]:
    """The entries of those results of a card that are on whole data sets of the hub.

    `date`: when the scores were made, ISO 8601; `source`: the address of what they were made from.
    """
    return [
        EvalResultEntry(
            dataset_id=result.dataset_type,
            task_id=result.dataset_config or "default",
            value=result.metric_value,
            dataset_revision=result.dataset_revision,
            date=date,
            source_url=source,
            source_name="Samples and scores" if source else None,
            notes=result.metric_name,
        )
        for result in results
        if result.dataset_split  # that of a data set of the hub: see model_card.results_of
    ]


def left_out(results: list[EvalResult]) -> str | None:
    """One line that names the benchmarks without an entry; None if each has one."""
    names = [result.dataset_name for result in results if not result.dataset_split]
    if not names:
        return None
    are = "it is no whole data set" if len(names) == 1 else "they are no whole data sets"
    return f"no entry in {FILE} for {', '.join(names)}: {are} of the hub"


def text_of(entries: list[EvalResultEntry]) -> str:
    """The file that holds them."""
    return yaml.safe_dump(as_plain(entries), sort_keys=False, allow_unicode=True)
