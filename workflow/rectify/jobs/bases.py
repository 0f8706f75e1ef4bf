"""Base models that are kept: pretrained once, then taken as they are by everybody.

A pretraining from random weights is chaotic: on another processor, whose sums round otherwise, it
ends in another model. So the miniatures' are files of the repository. The folder that a study names
in `pretrain.kept` holds `<model>/base-seed0` and so on, the manifest of each beside it, and in
`manifests.jsonl` those of the rows and first weights that it was made from: `rectify keep_bases`
writes them.
"""

from __future__ import annotations

from pathlib import Path

from rectify.jobs.runs import BASE, base_names
from rectify.study.schema import Study


def kept_base(study: Study, model: str, base: str) -> Path | None:
    """The folder of a kept base model; None if it is to be pretrained, or comes from elsewhere."""
    pretraining = study.models[model].pretrain
    if pretraining is None or pretraining.kept is None:
        return None
    folder = Path(pretraining.kept) / model / base
    return folder if folder.is_dir() else None


def pretrained_bases(study: Study) -> list[tuple[str, str]]:
    """(model, base) of every base model that the study pretrains itself."""
    return [
        (model, base)
        for model, block in study.models.items()
        if block.pretrain
        for base in base_names(study, model)
        if not kept_base(study, model, base)
    ]


def seed_of(base: str) -> int:
    """The seed that a pretrained base model was made with: 2 of `base-seed2`."""
    return int(base.removeprefix(f"{BASE}-seed"))
