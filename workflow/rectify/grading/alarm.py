"""An alarm by processor time, and imports that it does not interrupt."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class AlarmError(BaseException):
    """The alarm rang. No Exception, so that no library's `except Exception` swallows it."""


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise AlarmError after `seconds` of this process's processor time, all its threads together;
    what sleeps is not heard of (see rectify.grading.pool). Signals reach only the main thread;
    elsewhere there is no alarm, and the bounds on what is parsed have to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def paused() -> Iterator[None]:
    """Stop the alarm's clock in the block: for imports, of which an alarm would leave half a
    module.
    """
    left, _ = signal.setitimer(signal.ITIMER_PROF, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, left)
