"""`--minutes`: a verb that ends by itself, as if it were interrupted, while there is time to save."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

from pydantic import Field

from luxel import InputError

Minutes: TypeAlias = Annotated[float, Field(gt=0, le=1_000_000)]
TIME_IS_UP = 75
"""Exit code where the same command is to be given again: EX_TEMPFAIL of sysexits.h."""
GRACE_S, GRACE_SHARE = 30.0, 0.1
"""What is left of the time for ending a step and writing checkpoints: a tenth of it, at most 30 seconds."""


class TimeIsUp(Exception):
    """The verb has stopped since its time was up; the same command goes on."""


def stops_after_s(minutes: float) -> float:
    """When stopping begins, in seconds from the start."""
    return 60 * minutes - min(GRACE_S, GRACE_SHARE * 60 * minutes)


def is_interrupt(error: BaseException | None) -> bool:
    """Whether it comes of a KeyboardInterrupt: in a serializer of ours, pydantic makes a ValueError of one."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


@contextmanager
def time_limit(minutes: float | None) -> Iterator[None]:
    """Within, once the time is nearly up, the main thread is sent SIGTERM, which `main` has as Ctrl-C.

    So training ends its step and saves, tracing keeps its shards, and TimeIsUp is raised instead of KeyboardInterrupt.
    None: no limit. Raises InputError where SIGTERM is ignored.
    """
    if minutes is None:
        yield
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        raise InputError(
            f"minutes is {minutes:g}, but this process was started with SIGTERM ignored, which would stop it; start it "
            "otherwise, or leave minutes out"
        )
    is_up = threading.Event()
    main = threading.main_thread().ident
    assert main is not None

    def stop() -> None:
        is_up.set()
        signal.pthread_kill(main, signal.SIGTERM)

    timer = threading.Timer(stops_after_s(minutes), stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        if is_up.is_set() and is_interrupt(error):
            raise TimeIsUp(f"stopped as {minutes:g} minutes are nearly up") from None
        raise
    finally:
        timer.cancel()
