"""How long a run takes to its first new call after a SIGKILL with 10,240 jobs done, and to find that
nothing is left to do; against the emulator, whole processes."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.processes import Row
from benchmarks.reliability.rehearsal import Emulated, Shop, Work, emulated

DONE, WIDTH, KILLS = 10_240, 64, 5
CELLS = 256
BOUGHT_BETWEEN = 20
"""Calls between two kills."""
_RECORDS_MARGIN = 75.0
"""Seconds. The provider's records are read from a minute before the oldest doubt on. No provider takes ten
thousand calls in that minute, as the emulator does, so the calls before the first kill are left to grow older."""


def measure(done: int = DONE, kills: int = KILLS) -> list[Row]:
    work = Work("v2", (done + kills * WIDTH) // CELLS + 1, CELLS, 1, WIDTH)
    work = replace(work, limits="  max_jobs: 100000", max_cost=work.jobs)
    with tempfile.TemporaryDirectory() as made, _provider(Path(made), work) as provider:
        shop = Shop(Path(made), provider.url, work, fork=False)
        _killed(shop, provider, done)
        time.sleep(_RECORDS_MARGIN)
        shop.work = replace(work, concurrency=8)
        (shop.folder / "recipe.yaml").write_text(shop.work.recipe())
        firsts = [_first_call(shop, provider) for _ in range(kills)]
        ended = shop.finish()
        assert ended[-1].exit == 0, ended[-1].said
        assert len(shop.delivered()) == work.jobs == len(provider.bill())
        begun = time.perf_counter()
        assert shop.run().exit == 0
        again = time.perf_counter() - begun
    told = f"{median(firsts):.2f} s ({min(firsts):.2f} to {max(firsts):.2f})"
    return [
        (f"first call after a SIGKILL with {done:,} jobs done, of {kills}", told, "≤ 1.5 s"),
        (f"`run` again with {work.jobs:,} paid jobs done", f"{again:.2f} s", "≤ 1.5 s"),
    ]


def _provider(folder: Path, work: Work) -> AbstractContextManager[Emulated]:
    return emulated(folder, "--latency", "0.02-0.05", "--credits", str(work.jobs))


def _killed(shop: Shop, provider: Emulated, billed: int) -> None:
    """A run that is killed once the provider has billed so many requests."""
    process = shop.start("--quiet")
    try:
        while len(provider.bill()) < billed:
            assert not process.ended.is_set(), process.wait()
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()


def _first_call(shop: Shop, provider: Emulated) -> float:
    """Seconds from the start of a process to the moment at which the provider took its first new call,
    by one clock; the process is killed some calls later."""
    known = {row["request_id"] for row in provider.taken()}
    os.sync()  # ten thousand results are still on their way to the disk, and the first commit waits for them
    begun = time.time()
    process = shop.start("--quiet")
    try:
        new: list[float] = []
        while len(new) < BOUGHT_BETWEEN:
            assert not process.ended.is_set(), process.wait()
            time.sleep(0.2)
            taken = provider.taken()
            new = [row["created"] for row in taken if row["request_id"] not in known]
    finally:
        process.kill()
        process.wait()
    return min(new) - begun
