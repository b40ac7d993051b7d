"""What a job costs when the backend answers at once, beside a bare loop that writes the same files.

Ledger and blobs are durable, images are checked and delivered. The loop only hashes and writes: each
image once as a blob and once as an output. The two take turns in one process.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from statistics import median

from benchmarks.instant import installed, numbered, project
from benchmarks.processes import Row, case
from relightflow import api
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.store.state_dir import StateDir

GOAL_RATIO = 0.5
SPEED, ROUNDS = 4_000, 3
SMALL, LARGE, WHOLE = 1_008, 20_000, 100_000


def measure(whole: bool = False) -> list[Row]:
    """`whole`: memory is compared with 100,000 jobs instead of 20,000."""
    speed = _case(SPEED, ROUNDS)
    bare, ours = SPEED / speed["bare"], SPEED / speed["ours"]
    small, large = SMALL, WHOLE if whole else LARGE
    peaks = [_case(jobs, 1)["mb"] for jobs in (small, large)]
    return [
        (f"bare loop, {SPEED:,} images of 20 kB", f"{bare:,.0f} per second", "baseline"),
        ("engine with an instant backend, the same", f"{ours:,.0f} per second", ""),
        ("… as a share of the baseline", f"{speed['share']:.2f}", f"≥ {GOAL_RATIO}"),
        (
            "… processor time a job, beside the baseline's",
            f"{1e3 * speed['ours_cpu'] / SPEED:.2f} ms, {1e3 * speed['bare_cpu'] / SPEED:.2f} ms",
            "",
        ),
        (f"… peak memory with {small:,} jobs", f"{peaks[0]:.0f} MB", ""),
        (f"… with {large:,} jobs", f"{peaks[1]:.0f} MB", "flat"),
    ]


def _case(jobs: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as made:
        path = installed(Path(made))
        return case("benchmarks.engine", made, str(jobs), str(rounds), path=path)


async def bare(folder: Path, jobs: int) -> None:
    blobs, outputs = folder / "blobs", folder / "outputs"
    blobs.mkdir(parents=True)
    outputs.mkdir()
    for number in range(jobs):
        data = numbered(number)
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        (outputs / f"{digest}.jpg").write_bytes(data)


async def ours(recipe: Path) -> None:
    registry = load()
    state_dir = StateDir(recipe.parent / ".relightflow")
    loaded = api.load(recipe, registry)
    plan = api.plan(loaded, registry, Selection(), OperatorPolicy(), state_dir)
    summary = await api.run(
        plan, registry, state_dir, RunOptions(), OperatorPolicy(), RunCallbacks()
    )
    assert summary.exit == 0, summary


def main(folder: Path, jobs: int, rounds: int) -> None:
    """In turns, each with a clean disk queue: a sync flushes what the loop before has left behind. Nothing
    is deleted in between: ext4 makes new files many times slower while it passes over the places of files
    that were deleted some seconds ago."""

    def timed(work: Coroutine[None, None, None]) -> tuple[float, float]:
        os.sync()
        begun, used = time.perf_counter(), time.process_time()
        asyncio.run(work)
        return time.perf_counter() - begun, time.process_time() - used

    pairs = []
    for number in range(rounds):
        recipe = project(folder / f"project{number}", jobs)
        pairs.append((timed(bare(folder / f"bare{number}", jobs)), timed(ours(recipe))))
    took = {
        "bare": min(bare for (bare, _), _ in pairs),
        "ours": min(ours for _, (ours, _) in pairs),
        "share": median(bare / ours for (bare, _), (ours, _) in pairs),
        "bare_cpu": min(used for (_, used), _ in pairs),
        "ours_cpu": min(used for _, (_, used) in pairs),
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
