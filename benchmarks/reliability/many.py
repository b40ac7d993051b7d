"""Histories of machines that share one store, in virtual time, from a seed: they start together, are killed
at any place, and meet a store that is slow, refuses, loses answers or lists late, with clocks hours apart.

    python -m benchmarks.reliability.many --seed 4711         replays one history
    python -m benchmarks.reliability.many --histories 1000    sweeps seeds

Each machine has a state folder of its own; the provider's books are held against what all of them and the
store know. Everything runs in one thread at a time: the work of the store's threads is done step by step, and
between two requests anything may happen elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import json
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import Any
from unittest import mock

from benchmarks.reliability.audit import rows
from benchmarks.reliability.simulator import DOUBTFUL, INPUT, MEMORY, Broken, plan
from benchmarks.reliability.world import (
    PRICE,
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
from relightflow.model.failure import FailureKind
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.values import canonical_json
from relightflow.objects.address import Address
from relightflow.objects.bucket import Bucket, Facts, Head
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plugins.records import OperatorPolicy
from relightflow.run.opening import open_state
from relightflow.run.run_opening import open_run
from relightflow.run.shared import opening as shared_opening
from relightflow.run.shared.client import SharedStoreClient
from relightflow.store import reservations
from relightflow.store.marker import init_store
from relightflow.store.shared import SharedStore
from relightflow.store.state_dir import StateDir
from relightflow.testing.clock import EPOCH

_power: ContextVar[Power] = ContextVar("power", default=Power())  # noqa: B039  nothing ends it
_step: ContextVar[Callable[[], None]] = ContextVar("step", default=lambda: None)


class _Current:
    """The power of whichever machine is at work."""

    def tick(self) -> None:
        _power.get().tick()

    @property
    def on(self) -> bool:
        return _power.get().on

    @property
    def disk_full(self) -> bool:
        return _power.get().disk_full


@dataclass(frozen=True, slots=True)
class StoreWeather:
    """How often what goes wrong, as probabilities; times in seconds."""

    slow: float = 0.05
    """A request takes so long at most."""
    refused: float = 0.0
    lost: float = 0.0
    """Done, and answered with an error."""
    list_lag: float = 0.0
    """So long after a change a listing may still not show it."""


CALM = StoreWeather()


@dataclass(slots=True)
class MemoryBucket(Bucket):
    """Objects in memory, with the promise of a conditional put."""

    rng: Random
    wall: Callable[[], float]
    weather: StoreWeather = CALM
    objects: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    """Path → bytes, and when they were written."""
    gone: dict[str, float] = field(default_factory=dict)
    away: bool = False
    """As if it were not mounted."""

    def __post_init__(self) -> None:
        self.address = Address("s3", "memory", "")
        self._local = False

    def __str__(self) -> str:
        return "s3://memory/"

    @contextmanager
    def _request(self, path: str) -> Iterator[None]:
        _step.get()()
        _power.get().tick()
        if self.away:
            raise ObjectFault(Reason.MISSING, path, "not mounted")
        if self.rng.random() < self.weather.refused:
            raise ObjectFault(Reason.PASSING, path, "refused")
        yield
        _power.get().tick()
        if self.rng.random() < self.weather.lost:
            raise ObjectFault(Reason.PASSING, path, "answer lost")

    def list(self, under: str = "") -> Iterator[Facts]:
        with self._request(under):
            early = self.wall() - self.rng.uniform(0, self.weather.list_lag)
            found = [path for path, (_, at) in self.objects.items() if at <= early]
            found += [path for path, at in self.gone.items() if at > early]
            found = sorted(path for path in found if path.startswith(f"{under}/"))
        return (Facts(path, 1, "", datetime.now(UTC)) for path in found)

    def get(self, path: str, etag: str = "", most: int | None = None) -> bytes:
        with self._request(path):
            if path not in self.objects:
                raise ObjectFault(Reason.MISSING, path, "not found")
            return self.objects[path][0]

    def head(self, path: str) -> Head | None:
        with self._request(path):
            known = path in self.objects
            return Head(Facts(path, 1, "", datetime.now(UTC)), "") if known else None

    def put(
        self, path: str, data: bytes, media_type: str = "", sha256: str = "", only_new: bool = False
    ) -> str:
        with self._request(path):
            made = (data, self.wall())
            if only_new and self.objects.setdefault(path, made) is not made:  # in one step
                raise ObjectFault(Reason.CHANGED, path, "there already")
            self.objects[path] = made
            self.gone.pop(path, None)
            return ""

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            with self._request(path):
                if self.objects.pop(path, None):
                    self.gone[path] = self.wall()


def _stepped(bucket: MemoryBucket) -> Callable[..., Any]:
    """`SharedStoreClient._start`: the work waits before each request, while others go on."""

    def start(_: SharedStoreClient, work: Callable[[], Any]) -> asyncio.Future[Any]:
        said: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        go = threading.Semaphore(0)
        torn = threading.Event()

        def step() -> None:
            said.put(("asks", None))
            go.acquire()
            if torn.is_set():
                raise Died

        def body() -> None:
            _step.set(step)
            try:
                said.put(("done", work()))
            except BaseException as error:
                said.put(("failed", error))

        async def drive() -> Any:
            threading.Thread(target=partial(copy_context().run, body), daemon=True).start()
            while True:
                what, value = said.get()
                if what == "done":
                    return value
                if what == "failed":
                    if isinstance(value, Died):
                        raise asyncio.CancelledError  # nobody is there to hear of it
                    raise value
                try:
                    await asyncio.sleep(bucket.rng.uniform(0, bucket.weather.slow))
                except asyncio.CancelledError:
                    torn.set()
                    raise
                finally:
                    go.release()

        done = asyncio.ensure_future(drive())
        done.add_done_callback(_heard)
        return asyncio.shield(done)  # a thread goes on, whoever waits for it

    return start


@dataclass(slots=True)
class Machine:
    name: str
    state_dir: StateDir
    skew: float
    """Seconds by which its clock is wrong."""


@dataclass(slots=True)
class Many:
    """A provider, a store, a plan, and machines that come and go."""

    folder: Path
    rng: Random
    cells: int
    concurrency: int
    api: str
    cap: int | None
    now: float = 0.0
    lives: int = 0
    machines: list[Machine] = field(default_factory=list)
    provider: Provider = field(init=False)
    bucket: MemoryBucket = field(init=False)
    loop: Loop = field(init=False)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.provider = Provider(self.rng)
        self.bucket = MemoryBucket(self.rng, lambda: EPOCH + self.now)
        init_store(self.bucket, pairs=1)

    def machine(self) -> Machine:
        """One more, with an empty disk."""
        hours = self.rng.choice((0.0, 0.0, self.rng.uniform(-48, 48)))
        name = f"m{len(self.machines)}"
        self.machines.append(Machine(name, StateDir(self.folder / name), 3600.0 * hours))
        return self.machines[-1]

    def together(self, work: list[tuple[Machine, Power, float]]) -> list[Exit | None]:
        """Each machine of `work` runs once, from so many seconds on; None: it died."""
        self.loop = Loop(self.now)
        self.bucket.wall = partial(wall_of, self.loop)
        asyncio.set_event_loop(self.loop)
        try:
            return self.loop.run_until_complete(self._all(work))
        finally:
            self.now = self.loop.time()
            while left := asyncio.all_tasks(self.loop):
                for task in left:
                    task.cancel()
                gone = asyncio.gather(*left, return_exceptions=True)
                with suppress(asyncio.CancelledError, TimeoutError):
                    self.loop.run_until_complete(asyncio.wait_for(gone, 1.0))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self.loop.close()

    async def _all(self, work: list[tuple[Machine, Power, float]]) -> list[Exit | None]:
        with ExitStack() as stack:
            stack.enter_context(one_thread(_Current(), lambda: wall_of(self.loop)))  # type: ignore[arg-type]
            start = mock.patch.object(SharedStoreClient, "_start", _stepped(self.bucket))
            stack.enter_context(start)
            store = mock.patch.object(shared_opening, "open_shared", self._opened)
            stack.enter_context(store)
            return await asyncio.gather(*(self._process(*one) for one in work))

    def _opened(self, _: str) -> SharedStore:
        return SharedStore(self.bucket)

    async def _process(self, machine: Machine, power: Power, after: float) -> Exit | None:
        await asyncio.sleep(after)
        self.lives += 1
        _power.set(power)
        task = asyncio.ensure_future(self._run(machine, power, f"run-{self.lives}"))
        dead = asyncio.Event()
        power.end = dead.set  # from a thread too: the loop waits for it then
        over = asyncio.ensure_future(dead.wait())
        await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not power.on:
            task.add_done_callback(_heard)
            task.cancel()  # what is left of it hears nothing more
            return None
        return await task

    async def _run(self, machine: Machine, power: Power, run_id: str) -> Exit:
        limit = SpendLimit(10**12 if self.cap is None else self.cap, "--max-cost")
        made = plan(self.cells, 1, self.concurrency)
        clock = _Clock(self.loop, machine.skew)
        backend = record(self.provider, self.api, lambda: wall_of(self.loop))
        try:
            with open_state(machine.state_dir, run_id) as state:
                async with open_run(
                    made, (backend,), state, RunOptions((limit,)), OperatorPolicy(store="s3://memory/"),
                    run_id, lambda _: INPUT, self.said.append, clock, self.rng,
                ) as engine:  # fmt: skip
                    await state.ledger.run_started(run_id, made.recipe.name)
                    async for outcome in engine.run(made):
                        failure = outcome.failure
                        dead = failure and failure.message.startswith("unexpected Died")
                        if failure and failure.kind is FailureKind.BUG and not dead:
                            raise Broken(f"a bug: {failure.message}\n{failure.trace}")
                    await state.ledger.run_ended(run_id, Exit.EARLY)
                    issues = engine.shutdown.issues
                    self.said += [f"{machine.name}: {issue.message}" for issue in issues]
                    return max((issue.exit for issue in issues), default=Exit.OK)
        except RelightflowError as error:
            if not power.on:
                raise Died from error
            self.said.append(f"{machine.name}: {error}")
            return error.exit_code

    def check(self) -> None:
        """The provider's books against all ledgers and the store. Raises Broken."""
        billed = self.provider.billed
        for what, times in Counter(request.what for request in billed).items():
            if times > 1:
                raise Broken(f"{what[1]} was billed {times} times")
        if self.cap is not None and len(billed) * PRICE > self.cap:
            raise Broken(f"{len(billed)} calls passed the cap of {self.cap / PRICE:g}")
        known, doubts = set[str](), Counter[str]()
        for machine in self.machines:
            for row in rows(machine.state_dir.ledger):
                known.add(row["request_id"])
                if row["state"] in DOUBTFUL and not row["request_id"]:
                    doubts[row["parameters"]] += 1
        for request in billed:
            said = canonical_json(request.parameters)
            if request.request_id not in known and not doubts[said]:
                raise Broken(f"billed, and nobody knows: {said}")

    def settle_up(self) -> None:
        """Good weather and patience: one machine with an empty disk gets all that is not in doubt."""
        self.bucket.weather, self.provider.weather = CALM, Weather()
        self.bucket.away = False
        self.now += 2 * 3600.0
        for machine in (*self.machines, self.machine()):
            for _ in range(2):
                self.together([(machine, Power(), 0.0)])
                self.check()
                self.now += 700.0
        last = self.machines[-1]
        states = Counter(row["state"] for row in rows(last.state_dir.ledger))
        if any(states[state] for state in ("ACCEPTED", "RESULT_KNOWN", "PAID_UNFETCHED")):
            raise Broken(f"at the end: {dict(states)}")
        whole = states["STORED"] + states["UNKNOWN"] + states["FAILED"]
        if self.cap is None and whole < self.cells:
            raise Broken(f"at the end: {dict(states)} of {self.cells} jobs")
        last_state = max(fnmatch.filter(self.bucket.objects, "reservations/*.json"), default="")
        if last_state and json.loads(self.bucket.objects[last_state][0])["open"]:
            opened = json.loads(self.bucket.objects[last_state][0])["open"]
            if self.cap is None:
                return
            raise Broken(f"still reserved: {opened}")


class _Clock:
    def __init__(self, loop: Loop, skew: float) -> None:
        self._loop, self._skew = loop, skew

    def monotonic(self) -> float:
        return self._loop.time()

    def wall(self) -> float:
        return wall_of(self._loop) + self._skew

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _heard(done: asyncio.Future[Any]) -> None:
    """Nobody asks what came of it, and that is no mistake."""
    if not done.cancelled():
        done.exception()


def history(seed: int) -> dict[str, int]:
    """One world from its seed. Raises Broken with the seed in it."""
    rng = Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="many-", dir=MEMORY if MEMORY.is_dir() else None))
    many = None
    try:
        many = Many(
            folder, rng, rng.randint(4, 40), rng.choice((1, 2, 4, 8)), rng.choice(("v1", "v2", "key")),
            None if rng.random() < 0.4 else PRICE * rng.randint(1, 40),
        )  # fmt: skip
        with mock.patch.object(reservations, "_BLOCK", _SMALL_BLOCK if seed % 2 else _BLOCK):
            return _history(many, rng)
    except Exception as error:
        again = f"python -m benchmarks.reliability.many --seed {seed}"
        said = "\n".join(dict.fromkeys(many.said)) if many else ""
        raise Broken(f"{error!r}\n{said}\nreplay: {again}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_BLOCK, _SMALL_BLOCK = 100, 2
"""Reservation states that are deleted together. In every other history machines often sleep past them."""
WEATHERS = (
    CALM,
    StoreWeather(slow=2.0),
    StoreWeather(slow=30.0),
    StoreWeather(0.5, refused=0.02, lost=0.02),
    StoreWeather(0.5, lost=0.1),
)
LATE = StoreWeather(0.5, list_lag=60.0)
"""Claims need no listing; what limits promise needs one that shows what was written before."""
CALLS = (Weather(), Weather(silent=0.05), Weather(0.03, 0.03, 0.03, 0.04, 0.02, 0.01, 0.1, 60.0))


def _history(many: Many, rng: Random) -> dict[str, int]:
    deaths = 0
    for _ in range(rng.randint(1, 4)):
        weathers = WEATHERS if many.cap else (*WEATHERS, LATE, LATE)
        many.bucket.weather, many.provider.weather = rng.choice(weathers), rng.choice(CALLS)
        back = [machine for machine in many.machines if rng.random() < 0.5]
        fresh = [many.machine() for _ in range(rng.randint(1, 3))]
        work = []
        for machine in (*back, *fresh):
            crash = rng.choice((0, 0, rng.randint(1, 60), rng.randint(1, 400)))
            work.append((machine, Power(crash), rng.choice((0.0, 0.0, rng.uniform(0, 60)))))
        deaths += many.together(work).count(None)
        many.check()
        many.now += rng.choice((0.0, rng.uniform(0, 300), rng.uniform(0, 9000)))
    many.settle_up()
    return {
        "jobs": many.cells, "lives": many.lives, "deaths": deaths,
        "billed": len(many.provider.billed), "machines": len(many.machines),
    }  # fmt: skip


def sweep(histories: int, first: int = 0) -> dict[str, Any]:
    """Histories from seed `first` on. Goes on after a failure."""
    total = Counter[str]()
    failures: list[str] = []
    for seed in range(first, first + histories):
        try:
            total.update(history(seed))
        except Broken as broken:
            failures.append(str(broken))
    return {**total, "histories": histories, "failures": failures}


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    given.add_argument("--seed", type=int)
    given.add_argument("--histories", type=int, default=1000)
    given.add_argument("--first", type=int, default=0)
    options = given.parse_args()
    if options.seed is not None:
        print(history(options.seed))
        return 0
    told = sweep(options.histories, options.first)
    print(told)
    return 1 if told["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
