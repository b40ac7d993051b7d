from __future__ import annotations

import time

from relightflow.run.clock import Clock, RealClock
from relightflow.testing.clock import VirtualClock


def test_both_clocks_are_clocks() -> None:
    clocks: tuple[Clock, ...] = (RealClock(), VirtualClock())
    assert len(clocks) == 2


async def test_the_real_clock_is_the_machine_s() -> None:
    clock = RealClock()
    before = time.monotonic(), time.time()
    await clock.sleep(0)
    assert before[0] <= clock.monotonic() <= time.monotonic()
    assert before[1] <= clock.wall() <= time.time()
