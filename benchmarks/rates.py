"""How much of an unknown quota is used, against servers that count in each of the usual ways.

A simulation in virtual time of `RatePolicy` alone: servers × rates × round trips × what a 429 says of
the reset × phases. The measure is the time that as many jobs take a client that is never refused,
divided by the time taken.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from statistics import mean
from typing import Any, Protocol

from benchmarks.processes import Row
from relightflow.model.recipe import Rate
from relightflow.run.limits.rate_policy import RatePolicy

FLIGHT = 16
MOST_EVENTS = 200_000
LIMITS = {"50 in 5 s": (50, 5.0, 320), "5 in 60 s": (5, 60.0, 40), "50 in 60 s": (50, 60.0, 320),
          "300 in 60 s": (300, 60.0, 1_500)}  # fmt: skip
OTHERS = {"20 in 7 s": (20, 7.0, 130), "100 in 10 s": (100, 10.0, 640), "10 in 1 s": (10, 1.0, 200),
          "40 in 90 s": (40, 90.0, 260)}  # fmt: skip
"""Calls, seconds, jobs: OTHERS are windows and speeds that the rule was not chosen by."""
TRIPS = (0.0015, 0.02, 0.2, 0.5)
"""Mean seconds of a round trip; each varies by half of it."""
RESETS = ("exact", "whole seconds", "none")
PHASES = (0.0, 0.2, 0.4, 0.6, 0.8)
GOALS = {
    ("50 in 5 s", "fixed windows", True): "≥ 95 % / ≥ 90 %; ≤ 3 %",
    ("5 in 60 s", "fixed windows", True): "≥ 92 %; ≤ 8",
    ("5 in 60 s", "fixed windows", False): "≥ 92 %; ≤ 8",
}


class Server(Protocol):
    def take(self, now: float) -> float | None:
        """None: let in; else seconds until the reset."""


class Fixed:
    """Windows cut by the clock; `phase`: seconds into one at which the first call comes."""

    def __init__(self, calls: int, seconds: float, phase: float = 0.0) -> None:
        self.calls, self.seconds, self.phase = calls, seconds, phase
        self.window, self.used = -1, 0

    def take(self, now: float) -> float | None:
        window = math.floor((now + self.phase) / self.seconds)
        if window != self.window:
            self.window, self.used = window, 0
        if self.used >= self.calls:
            return (window + 1) * self.seconds - self.phase - now
        self.used += 1
        return None


class Anchored:
    """A window begins with the first call after the last one ended."""

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls, self.seconds = calls, seconds
        self.start, self.used = -math.inf, 0

    def take(self, now: float) -> float | None:
        if now >= self.start + self.seconds:
            self.start, self.used = now, 0
        if self.used >= self.calls:
            return self.start + self.seconds - now
        self.used += 1
        return None


class Sliding:
    """No more than `calls` in any `seconds`."""

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls, self.seconds = calls, seconds
        self.log: deque[float] = deque()

    def take(self, now: float) -> float | None:
        while self.log and self.log[0] + self.seconds <= now:
            self.log.popleft()
        if len(self.log) >= self.calls:
            return self.log[0] + self.seconds - now
        self.log.append(now)
        return None


class Bucket:
    """A token bucket: `calls` at once, refilled evenly over `seconds`."""

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls, self.per_second = calls, calls / seconds
        self.tokens, self.at = float(calls), 0.0

    def take(self, now: float) -> float | None:
        self.tokens = min(self.calls, self.tokens + (now - self.at) * self.per_second)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.per_second
        self.tokens -= 1
        return None


@dataclass
class Story:
    """What a simulated run came to. Times in seconds of virtual time."""

    sent: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    """When the server let them in."""
    refused: int = 0

    @property
    def seconds(self) -> float:
        return self.taken[-1] - self.taken[0]

    @property
    def share(self) -> float:
        """Of the submits that were refused."""
        return self.refused / len(self.sent)


def told(how: str, seconds: float, now: float, skew: float) -> float | None:
    """What a 429 at `now` says of a reset that is `seconds` away, on a clock that is `skew` ahead."""
    if how == "none":
        return None
    if how == "exact":
        return seconds
    return math.ceil(now + skew + seconds - 1e-9) - (now + skew)


def simulate(
    server: Server, jobs: int, trip: float, reset: str = "exact", rate: Rate | None = None, seed: int = 0,
    told_all: bool = False,
) -> Story:  # fmt: skip
    """`jobs` through a `RatePolicy` to `server`, FLIGHT at a time. `told_all`: the first 429 tells
    everything, so that from then on each job waits at the server's own door; no client can know more.
    Raises AssertionError when it never ends."""
    rng, story, policy = Random(seed), Story(), RatePolicy(rate, Random(seed + 1))
    skew = Random(seed).random()
    queue: list[tuple[float, int, str, Any]] = []
    order = itertools.count()
    now, free, waiting, wake = 0.0, FLIGHT, jobs, -1.0

    def at(when: float, what: str, *about: Any) -> None:
        heapq.heappush(queue, (when, next(order), what, about))

    for _ in range(MOST_EVENTS):
        while free and waiting:
            wait = policy.wait(now)
            if wait > 0:
                if not now < wake <= now + wait:
                    wake = now + wait
                    at(wake, "wake")
                break
            free, waiting = free - 1, waiting - 1
            story.sent.append(now)
            whole = trip * rng.uniform(0.5, 1.5)
            there = whole * rng.uniform(0.3, 0.7)
            at(now + there, "arrive", policy.leave(now), whole - there)
        if not queue:
            return story
        now, _, what, about = heapq.heappop(queue)
        if what == "arrive":
            permit, back = about
            away = server.take(now)
            if away is None:
                story.taken.append(now)
                at(now + back, "answer", permit)
            else:
                story.refused += 1
                at(now + back, "refusal", permit, told(reset, away, now, skew))
        elif what == "answer":
            policy.answered(about[0], now)
            free += 1
        elif what == "refusal" and told_all:
            back = [(when, what) for when, _, what, _ in queue if what != "wake"]
            return _at_the_door(server, story, jobs, trip, now, back)
        elif what == "refusal":
            permit, said = about
            policy.limited(permit, said, now)
            free, waiting = free + 1, waiting + 1
    raise AssertionError(f"{len(story.taken)} of {jobs} jobs after {MOST_EVENTS} events")


def _at_the_door(
    server: Server, story: Story, jobs: int, trip: float, now: float, back: list[tuple[float, str]]
) -> Story:
    """What is left, from `now` on. `back`: what is still under way."""
    flight: list[float] = []
    for when, what in sorted(back):
        if what == "arrive" and server.take(when) is None:
            story.taken.append(when)
        elif what == "arrive":
            story.refused += 1
        flight.append(when + trip / 2 if what == "arrive" else when)
    flight += [now] * (FLIGHT - len(flight))
    story.taken += _taken(server, jobs - len(story.taken), trip, now, flight)
    return story


def _taken(
    server: Server, jobs: int, trip: float, now: float, flight: list[float]
) -> Iterator[float]:
    """When `server` lets in jobs that wait at its door. `flight`: when each place becomes free."""
    heapq.heapify(flight)
    for _ in range(jobs):
        now = max(now, heapq.heappop(flight) + trip / 2)
        while (wait := server.take(now)) is not None:
            now += max(wait, 1e-9)
        yield now
        heapq.heappush(flight, now + trip / 2)


def ideal(server: Server, jobs: int, trip: float) -> float:
    """Seconds from the first job to the last where each waits at the server's own door."""
    times = list(_taken(server, jobs, trip, 0.0, [0.0] * FLIGHT))
    return times[-1] - times[0]


def servers(calls: int, seconds: float) -> Iterator[tuple[str, Callable[[], Server]]]:
    for phase in PHASES:
        yield "fixed windows", partial(Fixed, calls, seconds, phase * seconds)
    yield "fixed windows", partial(Anchored, calls, seconds)
    yield "sliding window", partial(Sliding, calls, seconds)
    yield "token bucket", partial(Bucket, calls, seconds)


def grid(
    limit: str, reset: str, trips: tuple[float, ...] = TRIPS, seeds: int = 2, told_all: bool = False
) -> dict[str, list[tuple[float, int, float]]]:
    """Quota used, submits refused and their share, by the server's way of counting."""
    calls, seconds, jobs = (LIMITS | OTHERS)[limit]
    found: dict[str, list[tuple[float, int, float]]] = {}
    for (name, make), trip, seed in itertools.product(servers(calls, seconds), trips, range(seeds)):
        story = simulate(make(), jobs, trip, reset, seed=seed, told_all=told_all)
        used = ideal(make(), jobs, trip) / story.seconds
        found.setdefault(name, []).append((used, story.refused, story.share))
    return found


def _words(trips: tuple[float, ...]) -> str:
    return ", ".join(f"{1000 * trip:.3g}" for trip in trips) + " ms"


def _row(
    what: str, trips: tuple[float, ...], cases: list[tuple[float, int, float]], goal: str = ""
) -> Row:
    used = [case[0] for case in cases]
    _, most, share = max(cases, key=lambda case: case[1])
    said = f"round trips of {_words(trips)}: quota used, mean / worst; refused at most"
    return f"{what}, {said}", f"{mean(used):.0%} / {min(used):.0%}; {most} ({share:.1%})", goal


def measure() -> list[Row]:
    rows: list[Row] = []
    for limit, reset, trips in itertools.product(LIMITS, RESETS, (TRIPS[:1], TRIPS[1:])):
        for name, cases in grid(limit, reset, trips).items():
            goal = GOALS.get((limit, name, len(trips) == 1), "")
            rows.append(_row(f"{limit}, {name}, reset {reset}", trips, cases, goal))
    for limit, reset in itertools.product(OTHERS, RESETS):
        cases = [case for found in grid(limit, reset).values() for case in found]
        rows.append(_row(f"{limit}, each server, reset {reset}", TRIPS, cases))
    for limit, trips in itertools.product(LIMITS, (TRIPS[:1], TRIPS[1:])):
        for name, cases in grid(limit, "exact", trips, told_all=True).items():
            used = [case[0] for case in cases]
            rows.append(
                (
                    f"{limit}, {name}, round trips of {_words(trips)}, everything known from the first "
                    "429 on: quota used, mean / worst",
                    f"{mean(used):.0%} / {min(used):.0%}",
                    "the most",
                )
            )
    return rows
