"""Kills runs of a recipe that three providers make side by side, and holds each provider's bill against its jobs.

Segmind settles a doubt by its records, Runware and Comfy by the name that we gave the call. After every kill: no
job billed twice, by nobody. At the end: everything delivered, each bill equal to its jobs, nothing in doubt.
`python -m benchmarks.reliability mixed`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.reliability import named
from benchmarks.reliability.audit import audit
from benchmarks.reliability.kills import FAULTS
from benchmarks.reliability.rehearsal import (
    SETTLING,
    Emulated,
    emulated,
    environment,
    standing_in,
)
from relightflow.backends.comfy.emulator import ComfyEmulator
from relightflow.backends.emulator.images import tiny, unique
from relightflow.backends.emulator.plain import Emulator, How, Spoil
from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import State
from relightflow.store.state_dir import StateDir

PROVIDERS = ("segmind", "runware", "comfy")
_NAMED: Mapping[str, tuple[type[Emulator], str]] = {
    "runware": (RunwareEmulator, "RUNWARE_API_KEY"),
    "comfy": (ComfyEmulator, "COMFY_API_KEY"),
}
_KEY = "comfyui-0123456789abcdef"
_RECIPE = """\
version: 1
name: reliability
sources: [{{type: glob, include: ["in/*.jpg"]}}]
backend:
  - {{type: segmind}}
  - {{type: runware, limits: {{max_cost: 40}}}}
  - {{type: comfy, limits: {{concurrency: 3}}}}
on_unsupported: near
matrix:
  light_direction: [{directions}]
repeat: {repeat}
limits: {{concurrency: 4, max_cost: 200}}
sinks: [{{type: directory, path: out/, name: "{{backend}}/{{key}}.{{ext}}"}}]
"""
_HOW: tuple[How, ...] = ("unread", "lost", "cut")
_LONGEST = 0.9
"""Seconds that a run may live after its first call; the shortest is 0."""
_SLOW = 0.35
"""Seconds that a call takes."""
_LAST_RUNS = 8


@dataclass(slots=True)
class MixedToll:
    """What the kills came to."""

    jobs: int = 0
    """Of each provider."""
    kills: int = 0
    billed: Counter[str] = field(default_factory=Counter)
    """Provider → billed calls."""
    twice: int = 0
    doubts_most: int = 0
    """Calls in doubt right after a kill, at most."""
    unknown_left: int = 0
    delivered: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        equal = all(self.billed[p] == self.delivered[p] == self.jobs for p in PROVIDERS)
        return equal and not (self.twice or self.unknown_left or self.problems)

    def add(self, other: MixedToll) -> None:
        for name in ("jobs", "kills", "twice", "unknown_left"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.doubts_most = max(self.doubts_most, other.doubts_most)
        self.billed += other.billed
        self.delivered += other.delivered
        self.problems += other.problems


@dataclass(slots=True)
class _World:
    """A folder with the recipe and its state, and the three providers."""

    folder: Path
    images: int
    repeat: int
    segmind: Emulated
    named: dict[str, Emulator]
    toll: MixedToll

    def write(self, directions: Sequence[str] = ("left", "top")) -> None:
        text = _RECIPE.format(directions=", ".join(directions), repeat=self.repeat)
        (self.folder / "recipe.yaml").write_text(text)
        self.toll.jobs = self.images * len(directions) * self.repeat

    @property
    def state(self) -> Path:
        return self.folder / ".relightflow"

    @property
    def environ(self) -> dict[str, str]:
        more = standing_in("segmind", self.segmind.url, SETTLING)
        for name, emulator in self.named.items():
            more |= {f"RELIGHTFLOW_{name.upper()}_URL": emulator.url, _NAMED[name][1]: _KEY}
        return environment({**more, "RELIGHTFLOW_STATE": str(self.state)})

    async def run(self, lives: float | None) -> tuple[int, str]:
        """One run, killed `lives` seconds after its first call; None: it ends by itself."""
        return await named.run(self.folder, self.environ, self._calls, lives)

    def _calls(self) -> int:
        """That were asked for, of the providers that tell at once."""
        return sum(emulator.seen["submit"] for emulator in self.named.values())

    async def look(self) -> None:
        """Hold every bill against the ledger and the jobs."""
        toll = self.toll
        bill = await asyncio.to_thread(self.segmind.bill)
        now = await asyncio.to_thread(audit, self.state, bill, self.repeat, "segmind")
        if not now.sound:
            toll.problems.append(f"segmind after kill {toll.kills}: {now}")
        toll.billed, toll.twice = Counter(segmind=len(bill)), now.twice
        for name, emulator in self.named.items():
            asked = Counter((str(sorted(c.parameters.items())), c.image) for c in emulator.bill)
            toll.billed[name] = len(emulator.bill)
            toll.twice += sum(max(0, count - self.repeat) for count in asked.values())
        toll.unknown_left = self._in_doubt()
        toll.doubts_most = max(toll.doubts_most, toll.unknown_left)

    def _in_doubt(self) -> int:
        with open_reader(StateDir(self.state).ledger) as reader:
            return sum(a.state in (State.INTENT, State.UNKNOWN) for a in reader.open_attempts())


def rounds(folder: Path, kills: int, seed: int = 0, images: int = 3, repeat: int = 12) -> MixedToll:
    """Kill `kills` runs, or as many as there are before all is made; then let runs end."""
    return asyncio.run(_rounds(folder, kills, Random(seed), images, repeat))


@asynccontextmanager
async def _world(folder: Path, rng: Random, images: int, repeat: int) -> AsyncIterator[_World]:
    (folder / "in").mkdir()
    for number in range(images):
        (folder / f"in/{number}.jpg").write_bytes(unique(tiny(), f"in {number}"))
    options = ("--protocol", "segmind", "--latency", str(_SLOW), "--seed", str(rng.randrange(999)))
    async with AsyncExitStack() as stack:
        segmind = stack.enter_context(emulated(folder, *options, plan=FAULTS))
        named: dict[str, Emulator] = {}
        for name, (made, _) in _NAMED.items():
            named[name] = await stack.enter_async_context(made(_KEY, seconds=_SLOW).running())
        world = _World(folder, images, repeat, segmind, named, MixedToll())
        world.write()
        yield world


async def _rounds(folder: Path, kills: int, rng: Random, images: int, repeat: int) -> MixedToll:
    async with _world(folder, rng, images, repeat) as world:
        toll = world.toll
        while toll.kills < kills:
            if all(toll.billed[name] >= toll.jobs - 8 for name in world.named):
                break  # nothing is left to be killed at
            for emulator in world.named.values():  # of ten calls, two meet a network that breaks
                how = rng.choices(_HOW, k=2)
                emulator.faults = [Spoil("submit", one, 1, rng.randrange(10)) for one in how]
            code, said = await world.run(rng.uniform(0, _LONGEST))
            toll.kills += code == -signal.SIGKILL
            await world.look()
            if code not in (0, 1, 5, 75, -signal.SIGKILL):
                toll.problems.append(f"exit {code}: {said[-600:]}")
                return toll
            if code == 0:
                break
        await _finish(world)
    return toll


async def _finish(world: _World) -> None:
    """Runs until everything is in place. A call of Segmind after which it was not asked again has no later one
    that vouches for its records, so a cell more is bought where one is left in doubt."""
    toll = world.toll
    for emulator in world.named.values():
        emulator.faults = []
    code, said = await world.run(None)
    for number in range(_LAST_RUNS):
        if code == 0:
            break
        if number == _LAST_RUNS // 2:
            world.write(("left", "top", "right"))
        await asyncio.sleep(SETTLING + 0.5)
        code, said = await world.run(None)
    if code:
        toll.problems.append(f"the last run ended with {code}: {said[-600:]}")
    await world.look()
    for name in PROVIDERS:
        toll.delivered[name] = len([*(world.folder / "out" / name).glob("*.*")])


def main() -> int:
    """One world, told."""
    import tempfile

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mixed-") as folder:
        toll = rounds(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 40)
    print(toll, f"{time.monotonic() - began:.0f} s")
    return 0 if toll.sound else 1


if __name__ == "__main__":
    sys.exit(main())
