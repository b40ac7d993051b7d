"""The run as it stands, counted as it goes; `snapshot` is what progress displays show."""

from __future__ import annotations

from relightflow.model.failure import Failure, FailureKind
from relightflow.model.money import Micros
from relightflow.model.outcome import Outcome
from relightflow.model.progress import Progress
from relightflow.run.clock import Clock
from relightflow.run.limits.budget import Budget


class Counters:
    def __init__(self, jobs: int, budget: Budget, clock: Clock) -> None:
        self.jobs = jobs
        self.reused = 0
        self.made = 0
        self.failed = 0
        self.unknown = 0
        self.pending = 0
        self.in_flight = 0
        self.calls = 0
        self.retries = 0
        self.waiting = ""
        self.balance: Micros | None = None
        """Of the account, before the first call."""
        self._budget = budget
        self._clock = clock
        self._begun = clock.monotonic()
        self._spent_before = budget.spent

    @property
    def spent(self) -> int:
        """By this run, in micro-dollars."""
        return self._budget.spent - self._spent_before

    @property
    def seconds(self) -> float:
        return self._clock.monotonic() - self._begun

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
        return Progress(
            jobs=self.jobs,
            done=self.reused + self.made,
            failed=self.failed + self.unknown + self.pending,
            in_flight=self.in_flight,
            spent=self.spent,
            cap=self._budget.cap,
            waiting=self.waiting,
            seconds_left=left / pace if pace else None,
        )


def _unknown(failure: Failure | None) -> bool:
    return failure is not None and failure.kind in (FailureKind.UNKNOWN, FailureKind.EXPIRED)
