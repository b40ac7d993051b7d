from __future__ import annotations

import asyncio
import time

from relightflow.testing.clock import EPOCH, VirtualClock, run


def test_sleepers_wake_in_order_and_nobody_waits() -> None:
    order: list[tuple[str, float]] = []

    async def main(clock: VirtualClock) -> None:
        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            order.append((name, clock.monotonic()))

        await asyncio.gather(
            sleeper("year", 3e7), sleeper("a", 5), sleeper("b", 6), sleeper("c", 1)
        )
        assert clock.wall() == EPOCH + clock.monotonic()

    run(main)
    assert [name for name, _ in order] == ["c", "a", "b", "year"]
    assert order[-1][1] >= 3e7


def test_a_thread_is_waited_for_in_real_time() -> None:
    async def main(clock: VirtualClock) -> str:
        return await asyncio.to_thread(lambda: time.strftime("%Y") and "done")

    assert run(main) == "done"
