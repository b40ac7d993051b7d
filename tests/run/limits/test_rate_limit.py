"""The gate against servers that count in each of the usual ways, in virtual time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rates import Anchored, Bucket, Fixed, Server, Sliding
from relightflow.errors import EarlyStop
from relightflow.model.recipe import Rate
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.testing.clock import VirtualClock, run

CALLS, SECONDS, JOBS = 50, 5.0, 320


@dataclass
class Story:
    """What a simulated run came to."""

    sent: list[float]
    refused: int
    done: int
    arrivals: list[float]

    @property
    def seconds(self) -> float:
        return self.sent[-1] - self.sent[0]

    @property
    def share(self) -> float:
        return self.refused / len(self.sent)


def simulate(
    server: Server,
    *,
    jobs: int = JOBS,
    flight: int = 8,
    latency: tuple[float, float] = (0.02, 0.12),
    rate: Rate | None = None,
    work: float = 0.0,
    told: Callable[[float], float | None] = lambda seconds: seconds,
    seed: int = 0,
) -> Story:
    """`jobs` through a gate to `server`. `latency`: of a round trip; `work`: of a taken call;
    `told`: what the answer says of the seconds until the reset."""
    rng = Random(seed)
    story = Story([], 0, 0, [])

    async def main(clock: VirtualClock) -> None:
        rate_limiter = RateLimiter(clock, rate, Random(seed + 1))
        room = asyncio.Semaphore(flight)

        async def job() -> None:
            async with room:
                while True:
                    permit = await rate_limiter.enter()
                    story.sent.append(clock.monotonic())
                    trip = rng.uniform(*latency)
                    there = trip * rng.uniform(0.3, 0.7)
                    await clock.sleep(there)
                    story.arrivals.append(clock.monotonic())
                    wait = server.take(clock.monotonic())
                    if wait is None:
                        await clock.sleep(trip - there + work)
                        rate_limiter.answered(permit)
                        story.done += 1
                        return
                    story.refused += 1
                    said = told(wait)
                    await clock.sleep(trip - there)
                    rate_limiter.limited(permit, said)

        await asyncio.gather(*(job() for _ in range(jobs)))

    run(main)
    return story


@pytest.mark.parametrize("flight", [8, 64])
@pytest.mark.parametrize("seed", range(3))
def test_an_unknown_limit_is_met_rarely_and_used_fully(flight: int, seed: int) -> None:
    story = simulate(Fixed(CALLS, SECONDS), flight=flight, seed=seed)
    assert story.done == JOBS
    assert story.share <= 0.03
    assert 6 * SECONDS / story.seconds >= 0.95


@pytest.mark.parametrize("server", [Fixed, Anchored, Sliding, Bucket])
@pytest.mark.parametrize("seed", range(3))
def test_a_rate_that_is_given_is_never_refused(server: type[Fixed], seed: int) -> None:
    story = simulate(server(CALLS, SECONDS), rate=Rate(CALLS, SECONDS), flight=64, seed=seed)
    assert story.refused == 0
    assert 6 * SECONDS / story.seconds >= 0.95


@given(
    calls=st.integers(1, 40),
    seconds=st.floats(0.1, 60),
    flight=st.integers(1, 64),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_no_window_holds_more_submits_than_the_rate(
    calls: int, seconds: float, flight: int, seed: int
) -> None:
    open_house = Bucket(10**9, 1.0)
    story = simulate(open_house, jobs=100, flight=flight, rate=Rate(calls, seconds), seed=seed)
    for first, beyond in zip(story.sent, story.sent[calls:], strict=False):
        assert beyond - first >= seconds - 1e-6


@pytest.mark.parametrize("server", [Fixed, Anchored, Sliding])
def test_any_way_of_counting_windows_is_learned(server: type[Fixed]) -> None:
    stories = [simulate(server(CALLS, SECONDS), seed=seed) for seed in range(6)]
    assert mean(story.share for story in stories) <= 0.03
    assert max(story.share for story in stories) <= 0.055
    assert min(6 * SECONDS / story.seconds for story in stories) >= 0.95


@pytest.mark.parametrize("seed", range(3))
def test_a_token_bucket_is_learned_nearly_as_well(seed: int) -> None:
    story = simulate(Bucket(CALLS, SECONDS), seed=seed)
    assert story.share <= 0.06
    assert (JOBS - CALLS) / CALLS * SECONDS / story.seconds >= 0.9


@pytest.mark.parametrize("said", [None, math.nan, -3.0, 0.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_useless_reset_costs_time_and_loses_nothing(said: float | None, seed: int) -> None:
    story = simulate(Fixed(CALLS, SECONDS), told=lambda _: said, seed=seed)
    assert story.done == JOBS
    assert story.share <= 0.15
    assert story.seconds <= 60


def test_after_a_reset_one_scout_goes_before_the_others() -> None:
    async def main(clock: VirtualClock) -> None:
        rate_limiter = RateLimiter(clock)
        rate_limiter.limited(await rate_limiter.enter(), 10.0)
        waiters = [asyncio.ensure_future(rate_limiter.enter()) for _ in range(5)]
        await clock.sleep(9.9)
        assert not any(waiter.done() for waiter in waiters)
        await clock.sleep(0.2)
        assert [waiter.done() for waiter in waiters] == [True, False, False, False, False]
        rate_limiter.answered(waiters[0].result())
        await asyncio.gather(*waiters)

    run(main)


def test_a_poll_s_429_pauses_submits_too() -> None:
    async def main(clock: VirtualClock) -> float:
        rate_limiter = RateLimiter(clock)
        rate_limiter.limited(None, 7.0)
        await rate_limiter.enter()
        return clock.monotonic()

    assert run(main) == 7.0


def test_a_reset_far_away_stops_the_run() -> None:
    async def main(clock: VirtualClock) -> None:
        rate_limiter = RateLimiter(clock)
        error = rate_limiter.limited(await rate_limiter.enter(), 901.0)
        assert isinstance(error, EarlyStop)
        with pytest.raises(EarlyStop):
            await rate_limiter.enter()

    run(main)


def test_a_waiter_that_is_cancelled_gives_its_place_on() -> None:
    async def main(clock: VirtualClock) -> float:
        rate_limiter = RateLimiter(clock, Rate(1, 10.0))
        await rate_limiter.enter()
        waiters = [asyncio.ensure_future(rate_limiter.enter()) for _ in range(3)]
        await clock.sleep(1)
        waiters[0].cancel()
        waiters[1].cancel()
        await waiters[2]
        return clock.monotonic()

    assert 10 <= run(main) <= 10.5
