"""The run as it stands, counted as it goes; `snapshot` is what progress displays show."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from relightflow.model.failure import Failure, FailureKind
from relightflow.model.money import Micros
from relightflow.model.outcome import Outcome
from relightflow.model.progress import Progress
from relightflow.run.clock import Clock
from relightflow.run.limits.budget import Budget


class _Gauge(AbstractContextManager[None]):
    """How many are in its `with` block at the moment."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def __enter__(self) -> None:
        self.value += 1

    def __exit__(self, *_: object) -> None:
        self.value -= 1


class Counters:
    def __init__(
        self,
        jobs: int,
        budget: Budget,
        clock: Clock,
        seconds_by_rate: Callable[[int], float] = lambda _: 0.0,
    ) -> None:
        """`seconds_by_rate`: how long the rate limit takes to let that many calls leave."""
        self.jobs = jobs
        self.reused = 0
        self.made = 0
        self.failed = 0
        self.unknown = 0
        self.pending = 0
        self.working = _Gauge()
        """Around the whole life of a job."""
        self.waiting = _Gauge()
        """Around a job's wait for the rate limit, an outage or an expiring result."""
        self.calls = 0
        self.retries = 0
        self.balance: Micros | None = None
        """Of the account, before the first call."""
        self._budget = budget
        self._clock = clock
        self._seconds_by_rate = seconds_by_rate
        self._begun = clock.monotonic()

    @property
    def spent(self) -> int:
        """By this run, in micro-dollars, as the provider reported it."""
        return self._budget.spent

    @property
    def seconds(self) -> float:
        return self._clock.monotonic() - self._begun

    @property
    def in_flight(self) -> int:
        """Jobs that are worked on and do not wait for their turn."""
        return self.working.value - self.waiting.value

    def count(self, outcome: Outcome) -> None:
        if outcome.result:
            self.made += 1
        elif _unknown(outcome.failure):
            self.unknown += 1
        elif outcome.failure and outcome.failure.kind is FailureKind.PENDING:
            self.pending += 1
        else:
            self.failed += 1

    def count_late(self, outcome: Outcome) -> None:
        """A doubt that was settled at the end of the run and collected after all."""
        if outcome.result:
            self.unknown -= 1
            self.made += 1

    @property
    def not_started(self) -> int:
        seen = self.reused + self.made + self.failed + self.unknown + self.pending
        return max(0, self.jobs - seen)

    def snapshot(self) -> Progress:
        left = self.not_started
        pace = self.made / self.seconds if self.made and self.seconds > 0 else 0.0
        by_pace = left / pace if pace else None
        by_rate = self._seconds_by_rate(max(0, left - self.in_flight))
        return Progress(
            jobs=self.jobs,
            done=self.reused + self.made,
            failed=self.failed + self.unknown + self.pending,
            in_flight=self.in_flight,
            waiting=self.waiting.value,
            spent=self.spent,
            cap=self._budget.cap,
            seconds_left=None if by_pace is None else max(by_pace, by_rate),
        )


def _unknown(failure: Failure | None) -> bool:
    return failure is not None and failure.kind in (FailureKind.UNKNOWN, FailureKind.EXPIRED)
