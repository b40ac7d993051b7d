"""A run while it goes on, in words: what `bar` draws on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from relightflow.model.callbacks import RunCallbacks
from relightflow.model.money import dollars
from relightflow.model.outcome import Outcome
from relightflow.model.progress import Progress
from relightflow.report import escape
from relightflow.report.text import duration, money

STEP, SOONEST, EVERY = 0.1, 2.0, 30.0
"""A plain line at each tenth of the jobs, though not within 2 s of the last, or after 30 s."""
FAILURES = 20
"""Failures that are told as they happen; the summary has them all."""


def line(now: Progress) -> str:
    """`137 of 256 done, 2 failed, 8 in flight, 6.85 of 12.80 USD, 1 min 12 s left`."""
    return ", ".join(
        part
        for part in (_done(now), failures(now), _in_flight(now), _cost(now), _tail(now))
        if part
    )


def short(now: Progress) -> str:
    """`137/256, 2 failed, 8 in flight, 6.85/12.80 USD, 1 min 12 s left`, for a terminal's line."""
    cost = _cost(now).replace(" of ", "/")
    done = f"{now.done:,}/{now.jobs:,}"
    return ", ".join(
        part for part in (done, failures(now), _in_flight(now), cost, _tail(now)) if part
    )


def _done(now: Progress) -> str:
    return f"{now.done:,} of {now.jobs:,} done"


def failures(now: Progress) -> str:
    """The part of `line` that a terminal shows in red; empty: none failed."""
    return f"{now.failed:,} failed" if now.failed else ""


def _in_flight(now: Progress) -> str:
    parts = [f"{now.in_flight:,} in flight"] if now.in_flight else []
    if now.waiting:
        parts.append(f"{now.waiting:,} waiting for the rate limit")
    return ", ".join(parts)


def _cost(now: Progress) -> str:
    if now.cap is not None:
        return f"{dollars(now.spent)} of {money(now.cap)}"
    return money(now.spent) if now.spent else ""


def _tail(now: Progress) -> str:
    """How long it will take."""
    left = now.seconds_left
    return "" if left is None or now.done + now.failed >= now.jobs else f"{duration(left)} left"


def failure(outcome: Outcome) -> str:
    """One job's failure on one line: the image, what happened, and whether it was billed."""
    assert outcome.failure
    name = escape.terminal(outcome.job.image.name)
    billed = f"billed: {outcome.failure.billed.value}"
    return f"{name} ({outcome.job.id}): {escape.terminal(outcome.failure.message)} ({billed})"


class LineInterval:
    """Decides when the next plain line is due; the clock is handed in."""

    def __init__(self) -> None:
        self._share = 0.0
        self._said = 0.0

    def start(self, now: Progress, clock: float) -> None:
        self._mark(now, clock)

    def due(self, now: Progress, clock: float) -> bool:
        """Whether to say something; if so, the next line counts from here."""
        ended = now.jobs > 0 and now.done + now.failed >= now.jobs
        if ended:  # the summary follows at once
            return False
        silent = clock - self._said
        moved = _share(now) - self._share >= STEP - 1e-9
        if silent < (SOONEST if moved else EVERY):
            return False
        self._mark(now, clock)
        return True

    def _mark(self, now: Progress, clock: float) -> None:
        # a line every tenth means: the tenth that was passed, not wherever the last line stood
        self._share = int(_share(now) / STEP + 1e-9) * STEP
        self._said = clock


def _share(now: Progress) -> float:
    return (now.done + now.failed) / now.jobs if now.jobs else 1.0


class _Plain:
    """Lines for logs and files. Callbacks come from the event loop's thread, `tick` from ours."""

    def __init__(
        self, name: str, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._say, self._clock = name, say, clock
        self._snapshot: Callable[[], Progress] | None = None
        self._pace = LineInterval()
        self._failures = 0
        self._lock = threading.Lock()

    def on_start(self, snapshot: Callable[[], Progress]) -> None:
        self._snapshot = snapshot
        now = snapshot()
        self._pace.start(now, self._clock())
        self._say(f"{self._name}: {line(now)}")

    def on_outcome(self, outcome: Outcome) -> None:
        if outcome.failure:
            self._failures += 1
            if self._failures <= FAILURES:
                self._say(f"failed: {failure(outcome)}")
        self.tick()

    def tick(self) -> None:
        if self._snapshot is None:
            return
        with self._lock:
            now = self._snapshot()
            due = self._pace.due(now, self._clock())
        if due:
            self._say(f"{self._name}: {line(now)}")


@contextmanager
def plain(name: str, say: Callable[[str], None]) -> Iterator[RunCallbacks]:
    """Lines through `say`, of a run that is called `name`."""
    shown = _Plain(escape.terminal(name), say)
    ended = threading.Event()

    def keep_telling() -> None:
        while not ended.wait(1.0):
            shown.tick()

    thread = threading.Thread(target=keep_telling, name="progress", daemon=True)
    thread.start()
    try:
        yield RunCallbacks(
            shown.on_start,
            shown.on_outcome,
            lambda text: say(f"note: {escape.terminal(text)}"),
        )
    finally:
        ended.set()
        thread.join()


@contextmanager
def silent() -> Iterator[RunCallbacks]:
    """For `--quiet`."""
    yield RunCallbacks()
