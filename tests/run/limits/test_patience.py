"""What keeps the records from being read is waited out: bounded, and told once."""

from __future__ import annotations

from random import Random

import pytest

from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.run.limits.patience import FAULTS, MOST_SECONDS, RecordsPatience

LIMITED = Failure(FailureKind.RATE_LIMITED, "slower", retry_after=60.0)
DOWN = Failure(FailureKind.UNAVAILABLE, "down")


class Clock:
    """A clock that jumps."""

    def __init__(self) -> None:
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.slept

    def wall(self) -> float:
        return self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


async def test_a_limit_that_says_when_it_ends_is_waited_out_and_told_once() -> None:
    clock, said = Clock(), list[str]()
    patience = RecordsPatience(clock, Random(1), said.append)
    for _ in range(10):
        await patience(LIMITED)
    assert clock.slept == 600.0
    assert len(said) == 1
    assert "slower" in said[0]


async def test_all_waiting_together_is_bounded() -> None:
    clock = Clock()
    patience = RecordsPatience(clock, Random(1), lambda _: None)
    for _ in range(int(MOST_SECONDS / 60)):
        await patience(LIMITED)
    with pytest.raises(CallFailed):
        await patience(LIMITED)
    assert clock.slept == MOST_SECONDS


@pytest.mark.parametrize("failure", [DOWN, Failure(FailureKind.RATE_LIMITED, "slower")])
async def test_what_does_not_end_is_given_up(failure: Failure) -> None:
    patience = RecordsPatience(Clock(), Random(1), lambda _: None)
    for _ in range(FAULTS):
        await patience(failure)
    with pytest.raises(CallFailed):
        await patience(failure)


async def test_what_a_wait_does_not_mend_is_not_waited_for() -> None:
    patience = RecordsPatience(Clock(), Random(1), lambda _: None)
    with pytest.raises(CallFailed):
        await patience(Failure(FailureKind.ACCOUNT, "the key"))
