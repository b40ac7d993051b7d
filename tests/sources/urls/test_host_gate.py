"""The gate of one host, on a clock that jumps: no server, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from relightflow.sources.urls.host_gate import (
    FAILURES,
    FRUITLESS,
    LONGEST_PAUSE,
    HostAway,
    HostGate,
)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.seconds += seconds


class Host:
    """A host that says what it thinks of each request, and how many it had at once."""

    def __init__(self, most: int = 16) -> None:
        self.clock = Clock()
        self.gate = HostGate(most, self.clock.sleep, self.clock.now)
        self.at_once = self.most_at_once = self.asked = 0

    async def ask(self, says: Callable[[int, float], str]) -> str:
        """One address, until it is answered or the host is away."""
        try:
            while True:
                async with self.gate.turn() as epoch:
                    self.asked += 1
                    self.at_once += 1
                    self.most_at_once = max(self.most_at_once, self.at_once)
                    await asyncio.sleep(0)
                    self.at_once -= 1
                    said = says(self.asked, self.clock.seconds)
                    if said == "ok":
                        self.gate.answered()
                        return said
                    if said.startswith("limited"):
                        after = said.partition(" ")[2]
                        self.gate.limited(epoch, float(after) if after else None, "too many")
                    else:
                        self.gate.failed(epoch, said, connected=said == "broken")
        except HostAway as away:
            return str(away)

    async def ask_all(self, count: int, says: Callable[[int, float], str]) -> list[str]:
        try:
            return await asyncio.gather(*(self.ask(says) for _ in range(count)))
        finally:
            await self.gate.close()


async def test_no_more_than_its_share_at_a_time() -> None:
    host = Host(most=4)
    assert await host.ask_all(50, lambda *_: "ok") == ["ok"] * 50
    assert host.most_at_once == 4
    assert host.clock.slept == []


@pytest.mark.parametrize("after", ["", " 2"])
async def test_all_come_from_a_host_that_takes_ten_in_two_seconds(after: str) -> None:
    taken: list[float] = []

    def says(_number: int, now: float) -> str:
        if sum(now - when < 2.0 for when in taken) >= 10:
            return f"limited{after}"
        taken.append(now)
        return "ok"

    host = Host()
    assert await host.ask_all(60, says) == ["ok"] * 60
    assert 10.0 <= host.clock.seconds < 40.0
    assert host.asked < 60 * 2


async def test_after_a_pause_one_goes_first() -> None:
    host = Host()
    paused_at: list[int] = []

    def says(number: int, now: float) -> str:
        if not now:
            return "limited 5"
        paused_at.append(host.gate._running)
        return "ok"

    await host.ask_all(40, says)
    assert paused_at[:2] == [1, 2]


async def test_one_pause_for_all_that_were_under_way() -> None:
    host = Host()
    await host.ask_all(16, lambda _, now: "ok" if now else "limited 3")
    assert host.clock.slept == [3.0]


async def test_who_asks_for_too_much_patience_is_given_up() -> None:
    host = Host()
    found = await host.ask_all(1000, lambda *_: f"limited {LONGEST_PAUSE + 1}")
    assert set(found) == {"too many; it asks to wait 121 s"}
    assert host.asked <= 16
    assert host.clock.slept == []


async def test_who_never_answers_is_given_up_after_a_few_pauses() -> None:
    host = Host()
    assert set(await host.ask_all(1000, lambda *_: "limited 2")) == {"too many"}
    assert len(host.clock.slept) == FRUITLESS
    assert host.asked <= 16 + FRUITLESS


@pytest.mark.parametrize(("said", "seconds"), [("dead", 10.0), ("broken", 40.0)])
async def test_a_dead_host_costs_seconds_however_many_addresses_it_has(
    said: str, seconds: float
) -> None:
    host = Host()
    assert set(await host.ask_all(1000, lambda *_: said)) == {said}
    assert host.clock.seconds < seconds
    assert host.asked < 30


async def test_a_host_that_hangs_is_given_up_at_the_second_look() -> None:
    host = Host()

    def hangs(number: int, _now: float) -> str:
        if number == 1 or host.clock.slept:
            host.clock.seconds += 10.0  # the first ones hang together, then whoever tries
        return "dead"

    assert set(await host.ask_all(1000, hangs)) == {"dead"}
    assert host.asked <= 22
    assert len(host.clock.slept) == 1


async def test_a_host_that_comes_back_is_used_again() -> None:
    host = Host()
    assert await host.ask_all(100, lambda _, now: "ok" if now > 2 else "dead") == ["ok"] * 100


async def test_single_failures_between_answers_close_nothing() -> None:
    host = Host(most=1)
    turns = iter(range(10_000))
    await host.ask_all(50, lambda *_: "ok" if next(turns) % FAILURES else "broken")
    assert host.clock.slept == []


async def test_who_gives_up_waiting_takes_no_place() -> None:
    host = Host(most=1)
    async with host.gate.turn():
        waiting = asyncio.ensure_future(host.ask(lambda *_: "ok"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert await host.ask(lambda *_: "ok") == "ok"


async def test_tries_of_a_few_bad_addresses_do_not_make_the_host_an_absent_one() -> None:
    """As at the end of a list, when only the bad ones are left."""
    host = Host()
    async with host.gate.turn():
        host.gate.answered()
    for _ in range(50):
        async with host.gate.turn() as epoch:
            host.gate.failed(epoch, "broken", connected=True, first=False)
    assert host.clock.slept == []
    assert host.gate.away == ""
    await host.gate.close()
