"""What durability costs: commits a job, and throughput with and without waiting for the disk.

The real engine, ledger, store and HTTP client against an emulator in another process that answers at
once; the two runs differ in the ledger's `synchronous` alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.reliability.rehearsal import KEY, Shop, Work, emulated
from relightflow import api
from relightflow.ledger import ledger as ledgers
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.store.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class Cost:
    jobs: int
    seconds: float
    commits: int
    """Transactions of the ledger: many jobs may share one."""
    changes: int
    """What the jobs asked to be made durable; without group commit each is a commit."""

    @property
    def rate(self) -> float:
        return self.jobs / self.seconds


@contextlib.contextmanager
def _counted(synchronous: str) -> Iterator[list[int]]:
    sizes: list[int] = []
    commit, prepare = ledgers.Ledger._commit, ledgers._prepare

    def counting(self: Any, changes: Sequence[Any]) -> Sequence[Any]:
        sizes.append(len(changes))
        return commit(self, changes)

    def preparing(db: Any, path: Path, unclean: bool) -> None:
        prepare(db, path, unclean)
        db.execute(f"PRAGMA synchronous = {synchronous}")

    with (
        mock.patch.object(ledgers.Ledger, "_commit", counting),
        mock.patch.object(ledgers, "_prepare", preparing),
    ):
        yield sizes


def measure(folder: Path, synchronous: str, width: int, images: int = 2) -> Cost:
    """One run of `images` × 256 v1 jobs at `width` in flight."""
    folder.mkdir()
    with emulated(folder, "--latency", "0") as provider, _counted(synchronous) as sizes:
        shop = Shop(folder, provider.url, Work("v1", images, 256, concurrency=width), fork=False)
        given = {
            "RELIGHTFLOW_SEGMIND_URL": provider.url,
            "RELIGHTFLOW_REHEARSAL": "no",
            "SEGMIND_API_KEY": KEY,
        }
        with mock.patch.dict(os.environ, given):
            began = time.monotonic()
            asyncio.run(_buy(shop))
            seconds = time.monotonic() - began
    return Cost(shop.work.jobs, seconds, len(sizes), sum(sizes))


async def _buy(shop: Shop) -> None:
    registry, state_dir, operator = load(), StateDir(shop.state), OperatorPolicy()
    recipe = api.load(shop.folder / "recipe.yaml", registry)
    plan = api.plan(recipe, registry, Selection(), operator, state_dir)
    came = await api.run(
        plan,
        registry,
        state_dir,
        RunOptions((SpendLimit(10**9, "here"),)),
        operator,
        RunCallbacks(),
    )
    assert came.exit == 0, came


def main(rounds: int = 5) -> None:
    """Alternates FULL and OFF, so that a busy machine is busy for both; the best of each counts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = measure(folder / "one", "FULL", 1, 1)
        print(f"one in flight: {one.commits / one.jobs:.2f} commits per job")
        runs: dict[str, list[Cost]] = {"FULL": [], "OFF": []}
        for number in range(rounds):
            for word, costs in runs.items():
                costs.append(measure(folder / f"{word}{number}", word, 64))
        full, off = (max(costs, key=lambda cost: cost.rate) for costs in runs.values())
        print(f"64 in flight: {full.changes / full.jobs:.2f} changes per job", end=", ")
        print(f"{full.commits / full.jobs:.2f} commits per job")
        print(f"FULL {full.rate:.0f} jobs/s, OFF {off.rate:.0f} jobs/s", end=": ")
        print(f"{100 * (1 - full.rate / off.rate):.1f} % of throughput")


if __name__ == "__main__":
    main()
