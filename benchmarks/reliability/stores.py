"""Machines that share one store: each has a state folder of its own, all buy the same recipe, and the bill
must be the jobs.

Real processes, a real store, and the emulator as the provider. One machine may start later, or be killed
before the request id of a call is announced.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.reliability.audit import job_of
from benchmarks.reliability.rehearsal import ROOT, Emulated, Shop, Work, emulated, environment
from relightflow.store.marker import StoreMarker
from tests.servers.azurite import azurite
from tests.servers.moto import moto
from tests.servers.swift import swift

CRASH = "RELIGHTFLOW_CRASH_AT"
CACHE = ROOT / ".pytest_cache/d"
"""Where the tests keep the servers too."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is to be, and how one gets there."""

    url: str
    env: Mapping[str, str]


@dataclass(slots=True)
class Shared:
    """What came of one try."""

    jobs: int
    billed: int = 0
    twice: int = 0
    """Calls billed beyond one for each job."""
    exits: tuple[int, ...] = ()
    delivered: tuple[int, ...] = ()
    """Images that each machine has at its end."""
    said: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.jobs} jobs, {self.billed} billed, {self.twice} twice, exits "
            f"{'/'.join(map(str, self.exits))}, images {'/'.join(map(str, self.delivered))}"
        )


def init(store: str, env: Mapping[str, str], *options: str) -> str:
    """Make the store, as an operator does once; what it says."""
    command = [sys.executable, "-m", "relightflow", "store", "init", store, *options]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(env), check=True, capture_output=True, text=True
    )
    return done.stdout


def buy(
    machines: list[Shop],
    provider: Emulated,
    env: Mapping[str, str],
    later: float = 0.0,
    crash: str = "",
) -> Shared:
    """All `machines` at once; the last one starts `later` seconds after the others. `crash`: the first is
    killed there. `env`: the store and its credentials."""
    started = []
    for number, machine in enumerate(machines):
        if later and number == len(machines) - 1:
            time.sleep(later)
        armed = {CRASH: crash} if crash and not number else {}
        started.append(machine.start(env={**env, **armed}))
    came = Shared(machines[0].work.jobs)
    ended = [process.wait() for process in started]
    came.said += [one.text for one in ended]
    came.exits = tuple(one.code for one in ended)
    count(came, machines, provider)
    return came


def count(came: Shared, machines: list[Shop], provider: Emulated) -> None:
    """Hold the machines against the provider's bill."""
    bill = Counter(map(job_of, provider.bill()))
    came.billed = sum(bill.values())
    came.twice = sum(number - 1 for number in bill.values())
    came.delivered = tuple(len(machine.delivered()) for machine in machines)


def finish(came: Shared, machine: Shop, provider: Emulated, env: Mapping[str, str]) -> None:
    """One machine runs until everything is in place, with a later purchase that vouches for the records."""
    ended = machine.finish(3, env)
    if ended[-1].exit == 5:  # a later purchase vouches for the records
        ended += machine.buy_one_more(env)
        came.jobs += 1
    came.exits = (*came.exits, ended[-1].exit)
    came.said.append(ended[-1].said)
    count(came, [machine], provider)


@contextmanager
def folder_store(folder: Path) -> Iterator[Place]:
    yield Place((folder / "store").as_uri(), {})


@contextmanager
def moto_store(_: Path) -> Iterator[Place]:
    with moto() as server:
        yield Place(f"s3://{server.bucket()}/store/", server.environment)


@contextmanager
def azure_store(folder: Path) -> Iterator[Place]:
    with azurite(folder, CACHE / "azurite") as server:
        yield Place(f"az://{server.container()}/store/", server.environment)


@contextmanager
def swift_store(folder: Path) -> Iterator[Place]:
    with swift(folder, CACHE / "swift") as server:
        yield Place(f"s3://{server.bucket()}/store/", server.environment)


KINDS: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {
    "file://": folder_store,
    "S3 (moto)": moto_store,
    "Azure (Azurite)": azure_store,
    "Swift": swift_store,
}
RATE = "  rate: 4/10s"
MICROS, PRICE = 1_000_000, 50_000
"""Of a dollar, and of a call."""


@dataclass(frozen=True, slots=True)
class Try:
    """One way for machines to meet in a store."""

    what: str
    work: Work
    later: float = 0.0
    crash: str = ""
    machines: int = 2

    @property
    def allowed(self) -> int:
        """Calls that the recipe's cap allows."""
        return min(self.work.jobs, self.work.max_cost * MICROS // PRICE)


CAPPED = Work("v2", cells=80, max_cost=1)
"""20 of 80 jobs."""
TRIES = {
    "file://": (
        Try("started at once", Work("v2", images=2, cells=80)),
        Try("started at once", Work("v1", images=2, cells=80)),
        Try("4 calls in 10 s, the other 3 s later", Work("v2", cells=24, limits=RATE), 3.0),
        Try(
            "one killed before a request id is told", Work("v2", cells=80), crash="after-submit:20"
        ),
        Try("one killed between claim and INTENT", Work("v2", cells=80), crash="before-intent:20"),
        Try("three at once, a cap for 20 calls", CAPPED, machines=3),
        Try("three at once, a cap for exactly the plan", replace(CAPPED, cells=20), machines=3),
        Try("a cap for 20 calls, one of three killed", CAPPED, crash="after-submit:3", machines=3),
    ),
    "S3 (moto)": (
        Try("started at once", Work("v2", cells=40)),
        Try("three at once, a cap for 20 calls", CAPPED, machines=3),
        Try(
            "one killed before a request id is told", Work("v2", cells=40), crash="after-submit:10"
        ),
    ),
    "Azure (Azurite)": (
        Try("started at once", Work("v2", cells=40)),
        Try("three at once, a cap for 20 calls", CAPPED, machines=3),
        Try(
            "one killed before a request id is told", Work("v2", cells=40), crash="after-submit:10"
        ),
    ),
    "Swift": (Try("started at once: no promise there", Work("v2", cells=40)),),
}


def race(place: Place) -> StoreMarker:
    """What `store init` finds out about a place."""
    said = init(place.url, place.env, "--json")
    found = json.loads(said)
    return StoreMarker(found["id"], found["claims_hold"], found["races"], found["double_winners"])


def meet(folder: Path, place: Place, one: Try) -> Shared:
    """Machines that meet in a store at `place`, made for it; a machine that was killed stays away, and the
    last one goes on until everything is in place."""
    env = {**place.env, "RELIGHTFLOW_STORE": place.url}
    with emulated(folder, "--latency", "0.5") as provider:
        shops = [Shop(folder / f"machine-{n}", provider.url, one.work) for n in range(one.machines)]
        came = buy(shops, provider, env, one.later, one.crash)
        if one.crash and came.exits[-1] and one.allowed == came.jobs:
            finish(came, shops[-1], provider, env)
        return came


def sound(came: Shared, place: StoreMarker, one: Try) -> bool:
    """Whether each job was bought once, within the cap, and the last machine has all images."""
    whole = all(
        n == came.jobs for n, code in zip(came.delivered, came.exits, strict=False) if not code
    )
    if not place.atomic:
        return whole
    if one.allowed < one.work.jobs:
        left = one.work.concurrency if one.crash else 0  # what a killed machine had in flight
        return whole and not came.twice and one.allowed - left <= came.billed <= one.allowed
    return whole and came.billed == came.jobs and not came.twice
