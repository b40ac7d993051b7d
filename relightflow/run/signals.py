"""Signals and deadlines: the first asks the run to leave within seconds, the second leaves at once.

After the first, nothing new is submitted and nothing accepted is polled; calls whose answer may
still come get a grace. What is cut then is unknown, and said to be.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from relightflow.errors import Exit
from relightflow.model.catalog import Model
from relightflow.model.summary import Issue
from relightflow.run.shutdown import Shutdown

_GRACE = 4.0
"""Seconds for calls in flight; with the summary it makes less than five."""
_EXITS = {signal.SIGINT: Exit.INTERRUPTED, signal.SIGTERM: Exit.TERMINATED}


@contextmanager
def handle_signals(shutdown: Shutdown, settle: Callable[[], None]) -> Iterator[None]:
    """`settle` waits for a commit under way; it is called before a second signal ends the process."""
    loop = asyncio.get_running_loop()
    asked = False  # a run may be leaving for other reasons: only a second signal is one

    def on_signal(number: signal.Signals) -> None:
        nonlocal asked
        code = _EXITS[number]
        if asked:
            settle()
            os._exit(code)
        asked = True
        shutdown.drain(Issue(code, "interrupted; what was accepted is collected by the next run"))
        loop.call_later(_GRACE, shutdown.abort)

    installed = []
    for number in _EXITS:
        try:
            loop.add_signal_handler(number, on_signal, number)
            installed.append(number)
        except (ValueError, RuntimeError, NotImplementedError):
            continue  # not the main thread: whoever embeds us deals with signals
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)


@contextmanager
def deadline(shutdown: Shutdown, seconds: float | None, model: Model) -> Iterator[None]:
    """Be done when `seconds` are over: the last submit leaves early enough for its answer to come,
    twice the model's typical time before."""
    if seconds is None:
        yield
        return
    loop = asyncio.get_running_loop()
    drain = 2 * (model.typical_seconds or 15.0)
    over = Issue(Exit.EARLY, "the time of --stop-after is over; run again to continue")
    handles = [
        loop.call_later(max(0.0, seconds - drain), shutdown.stop_new, over),
        loop.call_later(seconds, shutdown.drain, over),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.cancel()
