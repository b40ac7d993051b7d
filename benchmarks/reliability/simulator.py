"""Histories of many processes in virtual time, from a seed: kills at any place, silence, refusals,
long absences; after each life the ledger is held against the provider's books.

    python -m benchmarks.reliability.simulator --seed 4711        replays one history
    python -m benchmarks.reliability.simulator --jobs 100000      sweeps seeds until so many jobs are done
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.reliability.audit import rows
from benchmarks.reliability.world import (
    AXES,
    PRICE,
    STORM,
    Died,
    Loop,
    Power,
    Provider,
    Weather,
    one_thread,
    record,
    wall_of,
)
from relightflow.errors import Exit, RelightflowError
from relightflow.maintenance.provider_records import ask_records
from relightflow.model.catalog import Model, Price
from relightflow.model.failure import FailureKind
from relightflow.model.image import Image
from relightflow.model.maintenance import Resolution
from relightflow.model.plan import Plan, Selection
from relightflow.model.recipe import BACKEND, Axis, BackendSpec, Limits, Matrix, Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.values import FrozenMap, canonical_json
from relightflow.plan.build import build
from relightflow.plugins.records import BackendRecord, OperatorPolicy
from relightflow.run.engine import Engine
from relightflow.run.opening import open_state
from relightflow.run.run_opening import open_run
from relightflow.store.blobs import path_of
from relightflow.store.state_dir import StateDir

INPUT = b"an input"
MEMORY = Path("/dev/shm")
"""Where state is quick; a simulated crash needs no disk."""
DOUBTFUL = ("INTENT", "UNKNOWN")


class Broken(AssertionError):
    """An invariant of the product does not hold."""


@dataclass(slots=True)
class World:
    """A provider, a state folder, and a plan; processes come and go."""

    folder: Path
    rng: Random
    api: str = "v2"
    """`v1`, `v2`, or `key`: v2 whose calls bear our name."""
    cells: int = 20
    repeat: int = 1
    concurrency: int = 8
    cap: int | None = None
    weather: Weather = field(default_factory=lambda: STORM)
    second: str = ""
    """How another provider is asked, which makes the same plan beside the first; empty: there is none."""
    now: float = 0.0
    """Virtual seconds since the beginning."""
    lives: int = 0
    provider: Provider = field(init=False)
    providers: dict[str, Provider] = field(init=False)
    """Backend → its provider; `provider` is the first."""
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.provider = Provider(self.rng, self.weather)
        self.providers = {"sim": self.provider}
        if self.second:
            self.providers["second"] = Provider(self.rng, self.weather, prefix="s")
        self.plan = self._planned(self.cells)

    def _planned(self, cells: int) -> Plan:
        return plan(cells, self.repeat, self.concurrency, several=bool(self.second))

    def _records(self, wall: Callable[[], float]) -> list[BackendRecord]:
        apis = (self.api, self.second)
        both = zip(self.providers.items(), apis, strict=False)
        return [record(provider, api, wall, name) for (name, provider), api in both]

    @property
    def state_dir(self) -> StateDir:
        return StateDir(self.folder / "state")

    def live(self, power: Power, collect_only: bool = False) -> Exit | None:
        """One process from its start to its end; None: it died on the way."""
        self.lives += 1
        loop = Loop(self.now)
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(self._process(loop, power, collect_only))
        finally:
            self.now = loop.time()
            _clear(loop)

    async def _process(self, loop: Loop, power: Power, collect_only: bool) -> Exit | None:
        task = loop.create_task(self._run(loop, power, collect_only))
        power.end = partial(_cancel, task)
        try:
            return await task
        except (asyncio.CancelledError, Died):
            if power.on:
                raise
            return None

    async def _run(self, loop: Loop, power: Power, collect_only: bool) -> Exit:
        wall = partial(wall_of, loop)
        # without a cap of its own: one that nothing reaches, since a paid run needs one
        limits = (SpendLimit(10**12 if self.cap is None else self.cap, "a test"),)
        run_options = RunOptions(limits, collect_only=collect_only)
        with one_thread(power, wall):
            try:
                with open_state(self.state_dir, f"process {self.lives}") as state:
                    async with open_run(
                        self.plan, self._records(wall), state, run_options, OperatorPolicy(), f"run-{self.lives}",
                        lambda _: INPUT, lambda _: None, _Clock(loop), self.rng,
                    ) as engine:  # fmt: skip
                        run_id = engine.context.run_id
                        await state.ledger.run_started(run_id, self.plan.recipe.name)
                        await self._drain(engine, collect_only)
                        # never its own end: all lives together have one cap
                        await state.ledger.run_ended(run_id, Exit.EARLY)
                        return max((t.exit for t in engine.shutdown.issues), default=Exit.OK)
            except RelightflowError as error:
                if not power.on:
                    raise Died from error
                return error.exit_code

    def give_patience(self, power: Power) -> Resolution | None:
        """`relightflow resolve --wait` as a process of its own; None: it died on the way."""
        self.lives += 1
        loop = Loop(self.now)
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(self._waiting(loop, power))
        finally:
            self.now = loop.time()
            _clear(loop)

    async def _waiting(self, loop: Loop, power: Power) -> Resolution | None:
        wall = partial(wall_of, loop)
        with one_thread(power, wall):
            waiting = ask_records(
                self.state_dir, self._records(wall), OperatorPolicy(), lambda _: None, _Clock(loop)
            )
            task = loop.create_task(waiting)
            power.end = partial(_cancel, task)
            try:
                return await task
            except (asyncio.CancelledError, Died, RelightflowError):
                if power.on:
                    raise
                return None

    async def _drain(self, engine: Engine, collect_only: bool) -> None:
        async for outcome in engine.run(self.plan, submit=not collect_only):
            failure = outcome.failure
            if failure and failure.kind is FailureKind.BUG and not _dead(failure.message):
                raise Broken(f"a bug: {failure.message}")
            for account in engine.budget.accounts:
                if account.committed() > account.limit.amount:
                    raise Broken(f"{account.committed()} committed of {account.limit.amount}")

    def check(self) -> None:
        """The ledger against the providers' books, after a life. Raises Broken."""
        for name in self.providers:
            self._check(name)
        calls = sum(len(provider.billed) for provider in self.providers.values())
        if self.cap is not None and calls * PRICE > self.cap:
            raise Broken(f"{calls} calls passed the cap of {self.cap}")

    def _check(self, backend: str) -> None:
        provider = self.providers[backend]
        billed = provider.billed
        for what, times in Counter(request.what for request in billed).items():
            if times > self.repeat:
                raise Broken(f"{what[1]} was billed {times} times")
        attempts = [row for row in rows(self.state_dir.ledger) if row["backend"] == backend]
        known = {row["request_id"] for row in attempts}
        if early := provider.asked - known:
            raise Broken(f"{min(early)} was used before it was durable")
        doubts = Counter(
            _what(row) for row in attempts if row["state"] in DOUBTFUL and not row["request_id"]
        )
        for request in billed:
            if request.request_id not in known:
                doubts[_told(request.image, request.parameters)] -= 1
        lost = [what for what, left in doubts.items() if left < 0]
        if lost:
            raise Broken(f"billed, and nobody knows: {lost[0]}")
        ids = {request.request_id for request in billed}
        for row in attempts:
            if row["billed"] == "yes" and row["request_id"] not in ids:
                raise Broken(f"the ledger says billed, the provider does not: {row['request_id']}")
        for row in attempts:
            if row["state"] == "STORED" and not path_of(self.state_dir.blobs, row["blob"]).exists():
                raise Broken(f"stored, says the ledger, and there is no blob {row['blob'][:8]}")

    def settle_up(self) -> None:
        """Good weather, patience, and one purchase more, since the records are believed once they
        show a later call: everything is in place at the end, and nothing in doubt."""
        for provider in self.providers.values():
            provider.weather = Weather()
        self.now += 2 * 3600.0
        self._live_quietly(2)
        if self.cap is None:
            self.plan = self._planned(self.cells + 1)
        self._live_quietly(2)
        self.now *= 2  # as long as the first calls may have to be seen to be kept
        self._live_quietly(2)
        states = Counter(row["state"] for row in rows(self.state_dir.ledger))
        doubts = DOUBTFUL if self.cap is None else ()  # a cap that is reached buys nothing more
        if any(states[state] for state in (*doubts, "ACCEPTED", "RESULT_KNOWN", "PAID_UNFETCHED")):
            raise Broken(f"at the end: {dict(states)}")
        held = sum(
            row["state"] == "FAILED" and row["billed"] != "no"
            for row in rows(self.state_dir.ledger)
        )
        if self.cap is None and states["STORED"] + held != self.plan.jobs_count:
            raise Broken(f"{dict(states)} of {self.plan.jobs_count} jobs")

    def _live_quietly(self, lives: int) -> None:
        for _ in range(lives):
            self.live(Power())
            self.check()
            self.now += 700.0


class _Clock:
    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        return self._loop.time()

    def wall(self) -> float:
        return wall_of(self._loop)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()


def _dead(message: str) -> bool:
    return message.startswith("unexpected Died")


def _what(row: dict[str, Any]) -> str:
    return f"{row['image_sha256']} {row['parameters']}"


def _told(image: str, parameters: FrozenMap) -> str:
    return f"{image} {canonical_json(parameters)}"


def _clear(loop: Loop) -> None:
    """What is left of a dead process hears nothing more."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio.set_event_loop(None)
    loop.close()


def plan(cells: int, repeat: int, concurrency: int, several: bool = False) -> Plan:
    sha256 = hashlib.sha256(INPUT).hexdigest()
    image = Image("a.png", sha256, len(INPUT), 1, 1, "image/png", 0, "a.png")
    model = Model("sim", AXES, Price(PRICE, PRICE), 5.0)
    axes: tuple[Axis, ...] = (Axis("x", tuple(range(cells))),)
    more = (BackendSpec("second", model, FrozenMap()),) if several else ()
    if several:
        axes = (Axis(BACKEND, ("sim", "second")), *axes)
    recipe = Recipe(
        "sim",
        Path("sim.yaml"),
        "0" * 64,
        (),
        BackendSpec("sim", model, FrozenMap()),
        Matrix(axes),
        more_backends=more,
        repeat=repeat,
        limits=Limits(concurrency=concurrency),
    )
    return build(recipe, iter([image]), Selection())


@dataclass(slots=True)
class Told:
    jobs: int
    lives: int
    deaths: int
    billed: int
    digest: str
    """Of the provider's books: the same for the same seed."""


def history(seed: int, several: bool = False) -> Told:
    """One world from its seed. `several`: two providers make the plan. Raises Broken with the seed in it."""
    rng = Random(seed)
    folder = Path(
        tempfile.mkdtemp(prefix="sim-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    )
    try:
        return _history(rng, folder, several)
    except Exception as error:
        again = f"python -m benchmarks.reliability.simulator --seed {seed}{' --several' * several}"
        raise Broken(f"{error!r}\nreplay: {again}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _history(rng: Random, folder: Path, several: bool) -> Told:
    world = World(
        folder,
        rng,
        api=rng.choice(("v1", "v2", "key")),
        cells=rng.randint(10, 60),
        repeat=rng.choice((1, 1, 1, 2, 3)),
        concurrency=rng.choice((1, 2, 4, 8, 8, 32)),
        weather=rng.choice((Weather(), STORM, STORM)),
        second=rng.choice(("v1", "v2", "key")) if several else "",
    )
    if rng.random() < 0.3:
        world.cap = PRICE * rng.randint(1, world.plan.jobs_count)
    deaths = 0
    for _ in range(rng.randint(1, 9)):
        crash = rng.choice((0, rng.randint(1, 40), rng.randint(1, 120), rng.randint(1, 400)))
        full = rng.randint(1, 300) if rng.random() < 0.1 else 0
        deaths += world.live(Power(crash, full), collect_only=rng.random() < 0.1) is None
        world.check()
        world.now += rng.choice(
            (0.0, rng.uniform(0, 30), rng.uniform(0, 300), rng.uniform(0, 9000))
        )
    world.settle_up()
    taken = [request for provider in world.providers.values() for request in provider.taken]
    billed = sum(len(provider.billed) for provider in world.providers.values())
    books = repr([(r.request_id, r.parameters, r.at) for r in taken])
    digest = hashlib.sha256(books.encode()).hexdigest()[:16]
    return Told(world.plan.jobs_count, world.lives, deaths, billed, digest)


def sweep(jobs: int, first: int = 0, several: bool = False) -> dict[str, Any]:
    """Histories from seed `first` on until `jobs` jobs were asked for. Goes on after a failure."""
    total = Counter[str]()
    failures: list[str] = []
    seed, began = first, time.monotonic()
    while total["jobs"] < jobs:
        try:
            told = history(seed, several)
        except Broken as broken:
            failures.append(str(broken))
            total["jobs"] += 20
        else:
            total.update(jobs=told.jobs, lives=told.lives, deaths=told.deaths, billed=told.billed)
        seed += 1
    seconds = time.monotonic() - began
    return {**total, "histories": seed - first, "failures": failures, "seconds": round(seconds, 1)}


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    given.add_argument("--seed", type=int)
    given.add_argument("--jobs", type=int, default=100_000)
    given.add_argument("--first", type=int, default=0)
    given.add_argument("--several", action="store_true", help="two providers make the plan")
    options = given.parse_args()
    if options.seed is not None:
        print(history(options.seed, options.several))
        return 0
    told = sweep(options.jobs, options.first, options.several)
    print(told)
    return 1 if told["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
