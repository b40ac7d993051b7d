"""What is learned of a limit, against servers that count in each of the usual ways."""

from __future__ import annotations

import itertools
from random import Random
from statistics import mean

import pytest

from benchmarks.rates import RESETS, TRIPS, Bucket, Fixed, Sliding, grid, simulate
from relightflow.model.recipe import Rate
from relightflow.run.limits.rate_policy import RatePolicy

TOLD = RESETS[:2]
WINDOWS = ("fixed windows", "sliding window")


@pytest.mark.parametrize("reset", TOLD)
def test_a_short_window_is_used_fully_though_resets_have_whole_seconds(reset: str) -> None:
    found = grid("50 in 5 s", reset, TRIPS[:1])
    assert mean(used for used, _, _ in found["fixed windows"]) >= 0.95
    for name in WINDOWS:
        assert min(found[name])[0] >= 0.9
        assert max(share for _, _, share in found[name]) <= 0.035


@pytest.mark.parametrize("reset", RESETS)
def test_five_calls_a_minute_are_used_fully_and_rarely_refused(reset: str) -> None:
    found = grid("5 in 60 s", reset)
    for name in WINDOWS:
        assert min(found[name])[0] >= 0.92
        assert max(refused for _, refused, _ in found[name]) <= (12 if reset == "none" else 8)
    assert mean(used for used, _, _ in found["token bucket"]) >= 0.9


@pytest.mark.parametrize(("reset", "average", "worst"),
                         [("exact", 0.93, 0.75), ("whole seconds", 0.88, 0.7), ("none", 0.91, 0.76)])  # fmt: skip
def test_a_short_window_is_used_with_long_round_trips(
    reset: str, average: float, worst: float
) -> None:
    found = grid("50 in 5 s", reset, TRIPS[1:])
    assert mean(used for used, _, _ in found["fixed windows"]) >= average
    assert mean(used for used, _, _ in found["sliding window"]) >= average - 0.01
    assert mean(used for used, _, _ in found["token bucket"]) >= 0.9
    for name in WINDOWS:
        assert min(found[name])[0] >= worst


def test_with_short_round_trips_few_submits_are_refused() -> None:
    """Three in flight at a time are as quick as any limit, and no more are refused by it."""
    for limit in ("50 in 5 s", "50 in 60 s"):
        for name in WINDOWS:
            assert max(refused for _, refused, _ in grid(limit, "exact", TRIPS[:1])[name]) <= 5


@pytest.mark.parametrize("reset", RESETS)
def test_windows_that_are_not_usual_are_used_too(reset: str) -> None:
    for limit in ("20 in 7 s", "40 in 90 s"):
        for name, cases in grid(limit, reset, (0.02, 0.2)).items():
            assert mean(used for used, _, _ in cases) >= 0.8, (limit, name)


def test_a_limit_that_was_met_slowly_is_looked_for_soon() -> None:
    """Ten calls a second were let in for ten seconds: many windows of a second or five may have passed,
    and the present one may end at any moment, not only thirty or sixty seconds after the first call."""
    policy = RatePolicy(None, Random(0))
    for call in range(100):
        permit = policy.leave(call / 10)
        policy.answered(permit, call / 10 + 0.05)
    now, waits = 10.0, []
    for _ in range(6):
        policy.limited(policy.leave(now), None, now)
        waits.append(policy.wait(now))
        now += waits[-1]
    assert waits[:5] == pytest.approx([0.5, 0.5, 1.0, 2.0, 4.0])
    assert 30 <= now <= 31


def test_a_burst_that_was_refused_is_tried_at_the_usual_moments() -> None:
    policy, now, tried = RatePolicy(None, Random(0)), 0.1, []
    policy.answered(policy.leave(0.0), 0.05)
    for _ in range(6):
        policy.limited(policy.leave(now), None, now)
        now += policy.wait(now)
        tried.append(round(now))
    assert tried == [1, 2, 5, 10, 30, 60]


class Shut:
    """Fixed windows, and an hour in which every call is refused with a reset that is not true."""

    def __init__(self) -> None:
        self.open = Fixed(50, 60.0)

    def take(self, now: float) -> float | None:
        return 1.0 if 200 <= now < 3800 else self.open.take(now)


@pytest.mark.parametrize("reset", ["exact", "none"])
def test_an_hour_of_refusals_is_waited_out_with_few_and_is_not_taken_for_the_window(
    reset: str,
) -> None:
    story = simulate(Shut(), 500, 0.2, reset)
    assert story.refused <= 150
    assert story.seconds <= 5000


@pytest.mark.parametrize("limit", ["50 in 60 s", "300 in 60 s"])
@pytest.mark.parametrize("reset", RESETS)
def test_minutes_are_used_fully_whatever_the_round_trip(limit: str, reset: str) -> None:
    found = grid(limit, reset)
    for name in WINDOWS:
        assert mean(used for used, _, _ in found[name]) >= 0.9
        assert min(found[name])[0] >= 0.7
    assert mean(used for used, _, _ in found["token bucket"]) >= 0.95


def test_a_reset_beyond_the_learned_window_makes_the_window_longer() -> None:
    """A window of 57.9 s was learned, and a reset is 59 s away: the limit stays 5 calls, not 1."""
    policy = RatePolicy(None, Random(0))
    for now in range(5):
        policy.answered(policy.leave(now / 10), now / 10 + 0.01)
    policy.limited(policy.leave(0.6), 57.3, 0.6)
    policy.answered(policy.leave(57.9), 57.91)
    assert policy.learned
    assert (policy.learned.calls, round(policy.learned.seconds, 1)) == (5, 57.9)
    for now in range(4):
        policy.answered(policy.leave(58 + now), 58.01 + now)
    policy.limited(policy.leave(116.5), 59.0, 116.5)
    policy.answered(policy.leave(175.5), 175.6)
    assert policy.learned.calls == 5
    assert policy.learned.seconds == pytest.approx(175.5 - 57.9)


def test_a_pause_without_a_reset_grows_no_longer_than_a_quarter_of_an_hour() -> None:
    policy, now, waits = RatePolicy(None, Random(0)), 0.0, []
    for _ in range(60):
        policy.limited(policy.leave(now), None, now)
        waits.append(policy.wait(now))
        now += waits[-1]
    assert max(waits) == pytest.approx(900)
    assert waits[0] < 1.1


def test_a_submit_that_did_not_leave_makes_room_for_another() -> None:
    policy = RatePolicy(Rate(1, 3600.0), Random(0))
    permit = policy.leave(0.0)
    assert policy.wait(1.0) > 3000
    policy.withdrawn(permit)
    assert policy.wait(1.0) <= 0
    policy.leave(1.0)
    assert policy.wait(2.0) > 3000


def test_a_submit_that_is_refused_late_counts_nowhere() -> None:
    policy = RatePolicy(None, Random(0))
    slow = [policy.leave(0.0), policy.leave(0.0)]
    assert policy.wait(1.5) <= 0
    policy.answered(slow[0], 2.0)
    policy.limited(slow[1], 8.0, 2.0)
    policy.answered(policy.leave(10.0), 10.1)
    assert policy.learned
    assert (policy.learned.calls, policy.learned.seconds) == (1, 10.0)


@pytest.mark.parametrize("server", [Fixed, Sliding, Bucket])
@pytest.mark.parametrize(("trip", "seed"), [*itertools.product(TRIPS[:3], range(2))])
def test_a_given_rate_is_never_refused(server: type[Fixed], trip: float, seed: int) -> None:
    story = simulate(server(50, 5.0), 320, trip, rate=Rate(50, 5.0), seed=seed)
    assert story.refused == 0
