"""The errors that end a step in one line."""

from __future__ import annotations


class StepError(ValueError):
    """A step cannot go on: one line that names the file, key or row, and the remedy."""


def first_line(error: BaseException) -> str:
    """The first line of an exception's text, for one-line messages."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class Stopped(Exception):  # noqa: N818
    """Training was asked to stop, has saved a checkpoint, and is to be run again."""


class MissingSettingError(StepError, AttributeError):
    """SETTINGS lacks a key that the step needs."""
