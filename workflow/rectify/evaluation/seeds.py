"""Random streams: a seed for every sample, which no other benchmark or problem shares."""

from __future__ import annotations

import hashlib
import itertools

from rectify.step.errors import StepError


def first_seed(study_seed: int, benchmark: str) -> int:
    """Where a benchmark's seeds begin: a hash, so that no other benchmark has a say in it.

    31 bits: CPU generators keep only the low 32 bits of a seed.
    """
    digest = hashlib.sha256(f"{study_seed}/{benchmark}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def problem_seed(study_seed: int, benchmark: str, problem_id: int, samples: int) -> int:
    """The seed of a problem's first sample; sample j has this + j, so problems share no stream."""
    return first_seed(study_seed, benchmark) + problem_id * samples


def check_streams(study_seed: int, sizes: dict[str, int], samples: int) -> None:
    """Raise StepError if two benchmarks' seeds overlap (`sizes`: problems in each)."""
    starts = sorted((first_seed(study_seed, name), name) for name in sizes)
    for (start, name), (after, other) in itertools.pairwise(starts):
        if start + sizes[name] * samples > after:
            raise StepError(
                f"benchmarks '{name}' and '{other}' would share random streams under seed "
                f"{study_seed}; change the study's seed"
            )
