"""What two runs of a study were made on, and how far their numbers may be expected to agree."""

from __future__ import annotations

from rectify.provenance.differences import own_fields
from rectify.provenance.manifests import Manifests

# groups of a manifest's fields (see `own_fields`) in words; notes are a step's findings
DECIDE = {
    "settings": "settings",
    "options": "options",
    "inputs": "input files",
    "code": "code",
    "versions": "packages",
}


def processors(manifests: Manifests) -> str:
    """A run's CPU models, with the instruction sets that torch used where stated, and its GPUs."""
    machines = [manifest["machine"] for manifest in manifests.values()]
    cpus = sorted({machine["cpu"] for machine in machines})
    kernels = sorted({stated for machine in machines if (stated := machine.get("kernels"))})
    gpus = sorted({gpu for machine in machines for gpu in machine["gpus"]})
    named = " and ".join(cpus) + (f" ({', '.join(kernels)})" if kernels else "")
    return " with ".join([named, *([" and ".join(gpus)] if gpus else [])])


def expected(first: Manifests, second: Manifests) -> str:
    """Whether two runs' processors are of one kind, and what may then be expected to agree.

    They are of one kind if every result that both runs have was made on the same models of CPU and
    GPU with the same instruction sets, as far as both manifests state them.
    """
    names = [name for name in first if name in second]
    if not names:
        return "processors: not known, as no result has a manifest in both"
    fields = [
        field
        for name in names
        for field in own_fields(first[name], second[name], lambda path: True)
    ]
    groups = {field.partition(":")[0].partition(".")[0].partition("[")[0] for field in fields}
    other = [word for group, word in DECIDE.items() if group in groups]
    apart = f", but for what follows from other {' and '.join(other)}" if other else ""
    if "machine" in groups:
        return (
            "processors: not of one kind; to be expected: other digits, as they round otherwise, "
            "and at most 5 % of the values with an interval beyond the joint one" + apart
        )
    return f"processors: of one kind; to be expected: every digit the same{apart}"
