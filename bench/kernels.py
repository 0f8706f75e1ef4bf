"""What a training step's time goes to, kernel by kernel and operator by operator."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from transformers import TrainerCallback

SHOWN = 14  # rows of each kind


class Profile(TrainerCallback):
    """Profiles the second step (the first warms up); `found` gets `profile`, see `summary`."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def on_step_begin(self, args, state, control, **_: Any) -> None:  # noqa: ANN001
        """Begin."""
        if state.global_step == 1:
            self.profiler = profile(activities=list(activities()))
            self.profiler.start()
            self.started = time.perf_counter()

    def on_step_end(self, args, state, control, **_: Any) -> None:  # noqa: ANN001
        """End."""
        if state.global_step == 2:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds = time.perf_counter() - self.started
            self.profiler.stop()
            self.found["profile"] = summary(self.profiler.key_averages(), seconds)


def activities() -> list[ProfilerActivity]:
    """The operators, and the GPU's kernels where there is one."""
    found = [ProfilerActivity.CPU]
    return [*found, ProfilerActivity.CUDA] if torch.cuda.is_available() else found


def summary(events: Any, seconds: float) -> list[dict[str, Any]]:
    """Rows of the operators, then of the kernels, that take most of `seconds`, and their sum.

    An operator's time is that of the kernels that it starts itself; without a GPU it is its own.
    """
    gpu, cuda = torch.cuda.is_available(), torch.autograd.DeviceType.CUDA
    kinds: dict[str, dict[str, tuple[float, int]]] = {"operator": {}, "kernel": {}}
    for event in events:
        spent = event.self_device_time_total if gpu else event.self_cpu_time_total
        if spent and not event.is_user_annotation:  # a range that holds others
            kind = "kernel" if event.device_type == cuda else "operator"
            kinds[kind][event.key] = (spent / 1e6, event.count)
    rows = []
    for kind, spent in kinds.items():
        ranked = sorted(spent.items(), key=lambda item: -item[1][0])
        whole = sum(each for each, _ in spent.values()), sum(count for _, count in spent.values())
        for name, (each, count) in [("all", whole), *ranked[:SHOWN]] if ranked else []:
            share = round(100 * each / seconds, 2)
            rows.append(
                {kind: name[:90], "seconds": each, "percent_of_step": share, "calls": count}
            )
    return rows
