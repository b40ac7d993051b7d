"""What a job costs when the backend answers at once, beside loops that write the same files.

The bare loop only hashes and writes: each image once as a blob and once as an output. The second one is the
least that keeps the promises (`benchmarks.least`). All three take turns in one process, on the same file
system, and each ends when all that it wrote is on the disk, since nothing free is made durable one by one.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import least
from benchmarks.instant import installed, numbered, project
from benchmarks.processes import Row, case, file_systems
from relightflow import api
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.store.state_dir import StateDir
from relightflow.store.sync import make_all_durable

SPEED, ROUNDS = 4_000, 5
SMALL, LARGE, WHOLE = 1_008, 20_000, 100_000


def measure(whole: bool = False) -> list[Row]:
    """`whole`: memory is compared with 100,000 jobs instead of 20,000."""
    rows = [row for name, folder in file_systems() for row in _speeds(name, folder)]
    small, large = SMALL, WHOLE if whole else LARGE
    peaks = [_case(jobs, 0)["mb"] for jobs in (small, large)]
    return [
        *rows,
        (f"engine: peak memory with {small:,} jobs", f"{peaks[0]:.0f} MB", ""),
        (f"… with {large:,} jobs", f"{peaks[1]:.0f} MB", "flat"),
    ]


def _speeds(name: str, folder: Path) -> list[Row]:
    """The shares are those of the speeds that are shown."""
    found = _case(SPEED, ROUNDS, folder)
    speed = {loop: SPEED / found[loop] for loop in ("bare", "least", "ours")}
    shown = {
        loop: f"{speed[loop]:,.0f} per second, {1e3 * found[f'{loop}_cpu'] / SPEED:.2f} ms of "
        "processor time each"
        for loop in speed
    }
    return [
        (f"{SPEED:,} free images of 20 kB, {name}: bare loop", shown["bare"], "baseline"),
        ("… the least that keeps the promises", shown["least"], ""),
        ("… relightflow with a backend that answers at once", shown["ours"], ""),
        ("… as a share of the bare loop", f"{speed['ours'] / speed['bare']:.2f}", "≥ 0.9"),
        ("… of the least that keeps the promises", f"{speed['ours'] / speed['least']:.2f}", ""),
    ]


def _case(jobs: int, rounds: int, folder: Path | None = None) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = installed(Path(made))
        return case("benchmarks.engine", made, str(jobs), str(rounds), path=path)


def bare(folder: Path, jobs: int) -> None:
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
    """`rounds` 0: only our own, once, for its memory. Nothing is deleted in between: ext4 makes new files
    many times slower while it passes over the places of files that were deleted some seconds ago."""

    took: dict[str, list[tuple[float, float]]] = {"bare": [], "least": [], "ours": []}
    for number in range(max(1, rounds)):
        recipe = project(folder / f"project{number}", jobs)
        if rounds:
            took["bare"].append(_timed(folder, bare, folder / f"bare{number}", jobs))
            at = folder / f"least{number}"
            took["least"].append(_timed(folder, least.free, at, jobs, numbered))
        took["ours"].append(_timed(folder, _run, recipe))
    print(json.dumps({key: value for loop in took for key, value in _median(loop, took[loop])}))


def _run(recipe: Path) -> None:
    asyncio.run(ours(recipe))


def _timed(folder: Path, work: Callable[..., None], *arguments: object) -> tuple[float, float]:
    """Seconds and seconds of processor time until all of it is on the disk."""
    make_all_durable(folder)
    begun, used = time.perf_counter(), time.process_time()
    work(*arguments)
    make_all_durable(folder)
    return time.perf_counter() - begun, time.process_time() - used


def _median(loop: str, took: list[tuple[float, float]]) -> list[tuple[str, float]]:
    if not took:
        return []
    seconds, cpu = zip(*took, strict=True)
    return [(loop, median(seconds)), (f"{loop}_cpu", median(cpu))]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
