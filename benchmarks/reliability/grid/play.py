"""Plays a row of the table with a provider: two runs, real HTTP, a real ledger, a bill.

`problems` says in words what did not come as the table says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from benchmarks.reliability.grid.rules import planned
from benchmarks.reliability.grid.spoils import TellingComfy, spoiled
from benchmarks.reliability.grid.terms import JOBS, Ending, Fault
from benchmarks.reliability.inside import buying
from benchmarks.reliability.rehearsal import Work
from relightflow.backends.emulator.plain import Emulator
from relightflow.backends.fal.hosts import FalHosts
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.errors import Exit
from tests.backends.http.named import KEY, Shop, shop

_WORK = {
    "segmind v2": Work("v2", cells=JOBS, concurrency=1),
    "segmind v1": Work("v1", cells=JOBS, concurrency=1),
    "fal": Work(cells=JOBS, concurrency=1, backend="fal", model="bria/fibo-edit/relight"),
    "replicate": Work(cells=JOBS, concurrency=1, backend="replicate", model="zsxkib/ic-light"),
    "comfyui": Work(cells=JOBS, concurrency=1, backend="comfyui", model="ic-light"),
}
_SETTLING = (SegmindHosts().settled, FalHosts().settled, ReplicateHosts().settled)
_NOBODY = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class _Came:
    exits: tuple[Exit, Exit]
    said: tuple[str, str]
    billed: tuple[int, int]
    """After each run."""
    wrong: tuple[str, ...]
    """What bill and ledger say against each other."""
    unknown: int
    """At the end."""


async def problems(fault: Fault, provider: str, folder: Path) -> list[str]:
    """What did not come as `fault` says of `provider`."""
    ending = fault.ends[provider]
    assert isinstance(ending, Ending)
    named = provider in ("runware", "comfy")
    came = await (_named if named else _planned)(fault, provider, folder)
    return [*_against(came, ending), *came.wrong]


def _against(came: _Came, ending: Ending) -> Iterator[str]:
    first, second = came.exits
    if first is not ending.exit:
        yield f"the first run ended with {first!r}, not {ending.exit!r}: {came.said[0]}"
    if second is not ending.then:
        yield f"the second run ended with {second!r}, not {ending.then!r}: {came.said[1]}"
    if ending.billed is not None and came.billed[0] != ending.billed:
        yield f"{came.billed[0]} billed after the first run, not {ending.billed}: {came.said[0]}"
    if came.billed[1] != ending.end:
        yield f"{came.billed[1]} billed after the second run, not {ending.end}: {came.said[1]}"
    missing = [word for word in ending.said if word not in came.said[0]]
    if missing:
        yield f"the first run did not say {missing}: {came.said[0]}"
    if ending.then is Exit.OK and came.unknown:
        yield f"{came.unknown} unknown at the end"


async def _planned(fault: Fault, provider: str, folder: Path) -> _Came:
    work, free = _WORK[provider], provider == "comfyui"
    wire = planned(fault.act, work.backend)
    # a history that lags so is no stand-in's that settles at once
    environ = {} if fault.act.recorded else dict.fromkeys(_SETTLING, "")
    cap = fault.cap or 100_000_000
    if fault.cap:  # one call and a bit
        cap = {"segmind": 90_000, "replicate": 300_000}.get(work.backend, cap)
    async with buying(folder, work, wire.plan, environ, **wire.config) as bought:
        first = await bought.run(cap)
        made = len(bought.emulator.bill()["requests"])
        second = await bought.run(cap)
        total = len(bought.emulator.bill()["requests"])
    billed = (made, total) if free else (first.audit.billed, second.audit.billed)
    sound = [str(run.audit) for run in (first, second) if not run.audit.sound and not free]
    exits, said = (first.exit, second.exit), (first.said, second.said)
    return _Came(exits, said, billed, tuple(sound), second.audit.states.get("UNKNOWN", 0))


async def _named(fault: Fault, provider: str, folder: Path) -> _Came:
    wire = spoiled(fault.act, provider)
    emulator: Emulator = RunwareEmulator(KEY) if provider == "runware" else TellingComfy(KEY)
    cap = fault.cap or 5_000_000
    async with shop(folder, provider, emulator) as opened:
        emulator.faults = list(wire.faults)
        for name, value in wire.attributes.items():
            setattr(emulator, name, value)
        before = [spoil.times for spoil in wire.faults]
        away = {f"RELIGHTFLOW_{provider.upper()}_URL": _NOBODY} if wire.away else {}
        with mock.patch.dict(os.environ, away):
            exit_1, said_1 = await opened.run(cap)
        made = len(emulator.bill)
        exit_2, said_2 = await opened.run(cap)
        wrong = list(_wrong(opened))
        if any(s.times == n for s, n in zip(emulator.faults, before, strict=True)):
            wrong.append("the fault never happened")
        return _Came(
            (exit_1, exit_2),
            (said_1, said_2),
            (made, len(emulator.bill)),
            tuple(wrong),
            opened.unknown(),
        )


def _wrong(opened: Shop) -> Iterator[str]:
    try:
        opened.check_bill()
    except AssertionError as error:
        yield f"bill and ledger differ: {error}"
    if opened.unknown() == 0 and opened.kept():
        yield "the body of a call was kept, although nothing is in doubt"
