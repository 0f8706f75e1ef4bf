"""Garbage is not looked for among what stays."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage in the block, and never look again at what there is after it.

    Of what imports leave for good, collections would be a fifth of a step's start, and a third of
    the time until vLLM's engine is up.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
