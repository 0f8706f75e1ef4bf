"""The processes that train one model together."""

from __future__ import annotations

import torch
from accelerate import PartialState


def processes() -> PartialState:
    """Those that torchrun started (NCCL on GPUs, gloo on CPUs), or this one alone."""
    return PartialState(cpu=not torch.cuda.is_available())
