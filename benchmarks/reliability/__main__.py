"""The long part of the proof, as one table: `python -m benchmarks.reliability [NAME]…`, `make reliability`.

Names: kills, named, mixed, fal, replicate, comfyui, points, faults, simulator, machine, disk, crowd, stores, many, mutants,
durability, naive. Everything is on the loopback, bounded, and ends by itself; all of it takes about an hour and a half on two cores.
Each harness can be had alone with less: the tests under tests/reliability do so.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks.reliability import (
    crowd,
    disk,
    durability,
    kills,
    many,
    mixed,
    mutants,
    naive,
    named,
    points,
    simulator,
    stores,
)
from benchmarks.reliability.grid.faults import FAULTS
from benchmarks.reliability.grid.play import problems
from benchmarks.reliability.grid.terms import PROVIDERS
from benchmarks.reliability.kills import KillPlan, Toll
from benchmarks.reliability.rehearsal import ROOT, Work

T = TypeVar("T")
Line = tuple[str, str, bool]
"""What was tried, what came of it, and whether that is the goal."""


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="reliability-") as name:
        yield Path(name)


def _each(attempt: Callable[[Path, T], Iterable[str]], cases: Sequence[T]) -> list[str]:
    """What went wrong in `attempt(folder, case)`, a folder for each case, two at once for each core,
    since half of the time is spent waiting; told on standard error as it happens."""

    def tried(case: T) -> list[str]:
        with _folder() as folder:
            wrong = [f"{case}: {problem}" for problem in attempt(folder, case)]
        for line in wrong:
            print(line, file=sys.stderr, flush=True)
        return wrong

    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        return [line for wrong in pool.map(tried, cases) for line in wrong]


def _kills() -> Iterator[Line]:
    for api in ("v2", "v1"):
        for faults in (False, True):
            toll = Toll()
            for seed in range(12):
                with _folder() as folder:
                    work = Work(api, images=2, cells=120)
                    toll.add(kills.rounds(folder, KillPlan(work, seed, 45, faults)))
            what = f"random SIGKILL, {api}, {'3 % network faults' if faults else 'good network'}"
            yield what, _told(toll), not toll.problems


FAL_WORK = Work(images=5, cells=48, backend="fal", model="bria/fibo-edit/relight")


REPLICATE_WORK = Work(images=5, cells=48, backend="replicate", model="zsxkib/ic-light")


COMFYUI_WORK = Work(images=15, cells=16, backend="comfyui", model="ic-light")


def _queued(work: Work) -> Iterator[Line]:
    toll = Toll()
    for seed in range(3):
        with _folder() as folder:
            toll.add(kills.rounds(folder, KillPlan(work, seed, 40, faults=True)))
    what = f"random SIGKILL, {work.backend}, 3 % network faults"
    yield what, _told(toll), not toll.problems


def _named() -> Iterator[Line]:
    for backend in named.PROVIDERS:
        tolls = []
        for seed in range(8):
            with _folder() as folder:
                tolls.append(named.rounds(folder, backend, 5, seed))
        total = {
            name: sum(getattr(toll, name) for toll in tolls)
            for name in ("kills", "jobs", "billed", "twice", "delivered", "unknown_left")
        }
        most = max(toll.doubts_most for toll in tolls)
        wrong = [toll for toll in tolls if not toll.sound]
        said = ", ".join(f"{count} {name}" for name, count in total.items())
        yield (
            f"random SIGKILL, {backend}",
            f"{said}, at most {most} in doubt at a kill{wrong[:1]}",
            not wrong,
        )


def _mixed() -> Iterator[Line]:
    total, seed = mixed.MixedToll(), 0
    while total.kills < 40 and seed < 12 and not total.problems:
        with _folder() as folder:
            total.add(mixed.rounds(folder, 40 - total.kills, seed))
        seed += 1
    bills = ", ".join(f"{name} {total.billed[name]}" for name in mixed.PROVIDERS)
    said = (
        f"{total.kills} kills, {total.jobs} jobs of each, billed: {bills}, {total.twice} twice, "
        f"{sum(total.delivered.values())} delivered, at most {total.doubts_most} in doubt at a kill, "
        f"{total.unknown_left} at the end{''.join(total.problems[:1])}"
    )
    yield "random SIGKILL, one recipe over three providers", said, total.sound and total.kills >= 40


def _told(toll: Toll) -> str:
    return (
        f"{toll.kills} kills, {toll.jobs} jobs, {toll.billed} billed, {toll.twice} twice, "
        f"{toll.lost} lost, {toll.delivered} delivered, at most {toll.unknown_most} in doubt at a "
        f"kill, {toll.unknown_left} at the end{''.join(toll.problems[:1])}"
    )


def _points() -> Iterator[Line]:
    tried = list(points.plugs())
    wrong = _each(points.pull, tried)
    yield "named crash points", f"{len(tried)} tried, {len(wrong)} wrong{wrong[:1]}", not wrong


def _faults() -> Iterator[Line]:
    for provider in PROVIDERS:
        played = [fault for fault in FAULTS if provider in fault.played]
        wrong = []
        for fault in played:
            with _folder() as folder:
                found = asyncio.run(problems(fault, provider, folder))
            wrong += [f"{fault.name}: {one}" for one in found]
        said = f"{len(played)} of {len(FAULTS)} rows apply, {len(wrong)} wrong{wrong[:1]}"
        yield f"the fault table, {provider}", said, not wrong


def _simulator() -> Iterator[Line]:
    told = simulator.sweep(100_000)
    yield "simulated histories", str(told), not told["failures"]
    told = simulator.sweep(20_000, 100, several=True)
    yield "simulated histories of two providers", str(told), not told["failures"]


def _machine() -> Iterator[Line]:
    code = (
        "from hypothesis import settings, HealthCheck\n"
        "from hypothesis.stateful import run_state_machine_as_test as run\n"
        "from benchmarks.reliability.machine import Buying\n"
        "run(Buying, settings=settings(max_examples=2000, stateful_step_count=8, deadline=None,"
        " database=None, suppress_health_check=list(HealthCheck)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    said = "2,000 examples" if not ended.returncode else ended.stderr.decode()[-800:]
    yield "hypothesis state machine", said, not ended.returncode


def _disk() -> Iterator[Line]:
    for api in ("v2", "v1"):
        work = Work(api, cells=3, concurrency=2)
        with _folder() as folder:
            made = disk.library(folder)
            (folder / "count").mkdir()
            total = disk.writes(folder / "count", work, made)
            faults = [
                disk.Disk(made, code, at) for at in range(1, total + 1) for code in disk.CODES
            ]
            wrong = _each(partial(disk.broken, work=work), faults)
        said = f"ENOSPC and EIO at each of {total} writes, {len(wrong)} wrong{wrong[:1]}"
        yield f"a failing disk, {api}", said, not wrong


def _crowd() -> Iterator[Line]:
    with _folder() as folder:
        came = crowd.crowd(folder, 30.0)
    yield "eight processes, 30 s", f"exits {came.exits}{came.problems[:1]}", not came.problems


def _stores() -> Iterator[Line]:
    for kind, opened in stores.KINDS.items():
        for one in stores.TRIES[kind]:
            with _folder() as folder, opened(folder) as place:
                marker = stores.race(place)
                if one is stores.TRIES[kind][0]:
                    said = f"{marker.doubles} of {marker.pairs} races had two winners"
                    yield f"{kind}: races for one object", said, marker.atomic is (kind != "Swift")
                came = stores.meet(folder, place, one)
                yield (
                    f"{kind}: {one.what}, {one.work.api}",
                    str(came),
                    stores.sound(came, marker, one),
                )


def _many() -> Iterator[Line]:
    told = many.sweep(300)
    yield "machines on one store, simulated", str(told), not told["failures"]


def _mutants() -> Iterator[Line]:
    for mutant in mutants.MUTANTS:
        error = mutants.tried(mutant)
        word = "caught" if error.caught else "MISSED"
        yield f"mutant: {mutant.name}", f"{word} by {mutant.check}", error.caught


def _durability() -> Iterator[Line]:
    durability.main()
    yield "cost of durability", "above", True


def _naive() -> Iterator[Line]:
    for api in ("v1", "v2"):
        with _folder() as folder:
            toll = naive.rounds(folder, KillPlan(Work(api, cells=240), 1, 40, faults=True))
        yield f"the naive script, {api}", _told(toll), True
    with _folder() as folder:
        toll = naive.rounds(folder, KillPlan(FAL_WORK, 1, 40, faults=True))
    yield "the naive script, fal", _told(toll), True


PARTS: dict[str, Callable[[], Iterator[Line]]] = {
    "kills": _kills,
    "named": _named,
    "mixed": _mixed,
    "fal": partial(_queued, FAL_WORK),
    "replicate": partial(_queued, REPLICATE_WORK),
    "comfyui": partial(_queued, COMFYUI_WORK),
    "points": _points,
    "faults": _faults,
    "simulator": _simulator,
    "machine": _machine,
    "disk": _disk,
    "crowd": _crowd,
    "stores": _stores,
    "many": _many,
    "mutants": _mutants,
    "durability": _durability,
    "naive": _naive,
}


def main(names: list[str]) -> int:
    failed = 0
    print("| what | came to | |\n|---|---|---|", flush=True)
    for name in names or PARTS:
        began = time.monotonic()
        for what, said, good in PARTS[name]():
            failed += not good
            print(f"| {what} | {said} | {'ok' if good else 'NOT OK'} |", flush=True)
        print(f"<!-- {name}: {time.monotonic() - began:.0f} s -->", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
