"""What a study's retention table is made of, as plain JSON: answers to the benchmarks of
`role: retention`, and how far the trained models are from the base models on a text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rectify.jobs import layouts, paths
from rectify.jobs.runs import BASE
from rectify.study.schema import Study

ROW = ("model", "model_title", "method", "method_title", "setting")  # what names a row


def retention_layout(study: Study) -> dict[str, Any]:
    """Every row of the study's tables once, for `rectify tabulate_retention --settings`; of base
    models no distance.
    """
    kept, rows = study.benchmarks_of("retention"), []
    for row in layouts.overlap_layout(study)["rows"]:
        runs = [Path(file).stem for file in row["scores"]]
        names = [run + paths.ENDINGS["retention"] for run in runs] if kept else []
        trained = row["method"] != BASE
        own = {key: row[key] for key in ROW}
        own["scores"] = paths.score_files(study, row["model"], names)
        own["divergence"] = paths.divergences(study, row["model"], runs) if trained else []
        rows.append(own)
    benchmarks = [{"name": name, "title": block.title} for name, block in kept.items()]
    margin, scoring = study.retention.margin, study.scoring.model_dump()
    return {"scoring": scoring, "margin": margin, "benchmarks": benchmarks, "rows": rows}


def scores_retained(study: Study) -> list[str]:
    """The scores on the benchmarks of `role: retention`."""
    if not study.retains:
        return []
    return [file for row in retention_layout(study)["rows"] for file in row["scores"]]


def diverged_runs(study: Study) -> list[tuple[str, str]]:
    """The (model, run name) whose distance from the base model is shown, each once."""
    if not study.retention.rows:
        return []
    shown = [layouts.figure_layout(study, name) for name in layouts.figure_names(study)]
    shown += [retention_layout(study)] if study.retains else []
    folder = paths.divergence_folder(study)
    files = [Path(file) for file in layouts.files_in(shown) if file.startswith(folder)]
    return list(dict.fromkeys((file.parent.name, file.stem) for file in files))
