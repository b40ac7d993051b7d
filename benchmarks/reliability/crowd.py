"""Many processes on one state: one works at a time, the others say who it is and leave."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reliability.audit import audit
from benchmarks.reliability.rehearsal import Shop, Work, emulated


@dataclass(slots=True)
class Crowd:
    exits: dict[int, int] = field(default_factory=dict)
    billed: int = 0
    problems: list[str] = field(default_factory=list)


def crowd(folder: Path, seconds: float, processes: int = 8) -> Crowd:
    """`processes` at a time for `seconds`, each a whole run; then the lock must be free."""
    came = Crowd()
    work = Work("v2", cells=200, concurrency=2)
    with emulated(folder, "--latency", "0.5") as provider:
        shop = Shop(folder, provider.url, work)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            _together(shop, processes, came)
        now = audit(shop.state, provider.bill())
        came.billed = now.billed
        if not now.sound:
            came.problems.append(str(now))
        handle = os.open(shop.state / "lock", os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            came.problems.append("a lock was left behind")
        finally:
            os.close(handle)
    return came


def _together(shop: Shop, processes: int, came: Crowd) -> None:
    """All at once; when one is left, it is asked to go."""
    started = [shop.start() for _ in range(processes)]
    until = time.monotonic() + 40
    while time.monotonic() < until and sum(not p.ended.is_set() for p in started) > 1:
        time.sleep(0.05)
    alive = [process for process in started if not process.ended.is_set()]
    if len(alive) > 1:
        came.problems.append(f"{len(alive)} work on one state")
    for process in alive:
        process.send(signal.SIGTERM)
    pids = [process.pid for process in started]
    for process in started:
        said = process.wait()
        came.exits[said.code] = came.exits.get(said.code, 0) + 1
        if said.code not in (0, 75, 143):
            came.problems.append(f"exit {said.code}: {said.text[-300:]}")
        if said.code == 75 and not any(f"process {pid}," in said.text for pid in pids):
            came.problems.append(f"the holder is not named: {said.text[-300:]}")
