"""Kills runs that buy from providers which take our name for a call, and then runs once more, without a wait.

After every kill: no job billed twice. At the end: everything delivered, bill and jobs equal, nothing in
doubt, and no body of a call left behind. `python -m benchmarks.reliability named`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.reliability.rehearsal import ROOT, environment
from relightflow.backends.comfy.emulator import ComfyEmulator
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.plain import Emulator, How, Spoil
from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import State
from relightflow.store.state_dir import StateDir

PROVIDERS: dict[str, tuple[type[Emulator], str]] = {
    "comfy": (ComfyEmulator, "COMFY_API_KEY"),
    "runware": (RunwareEmulator, "RUNWARE_API_KEY"),
}
JOBS = 24
_KEY = "comfyui-0123456789abcdef"
_RECIPE = """\
version: 1
name: reliability
sources: [{{type: glob, include: ["in/*.jpg"]}}]
backend: {{type: {backend}}}
matrix:
  light_direction: all
  light_type: [midday, blue hour light, sunrise light, overcast light, moonlight lighting, fog-diffused lighting]
limits: {{concurrency: 8, max_cost: 50}}
sinks: [{{type: directory, path: out/}}]
"""
_HOW: tuple[How, ...] = ("unread", "lost", "cut")
_LONGEST = 1.2
"""Seconds that a run may live after its first call; the shortest is 0."""


@dataclass(slots=True)
class Toll:
    """What the kills came to."""

    jobs: int = JOBS
    kills: int = 0
    billed: int = 0
    twice: int = 0
    doubts_most: int = 0
    """Calls in doubt right after a kill, at most."""
    unknown_left: int = 0
    delivered: int = 0
    bodies_left: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        equal = self.billed == self.delivered == self.jobs
        return equal and not (self.twice or self.unknown_left or self.bodies_left or self.problems)


def rounds(folder: Path, backend: str, kills: int, seed: int = 0) -> Toll:
    """Kill `kills` runs, then let one end."""
    return asyncio.run(_rounds(folder, backend, kills, Random(seed)))


async def _rounds(folder: Path, backend: str, kills: int, rng: Random) -> Toll:
    (folder / "in").mkdir()
    (folder / "in/a.jpg").write_bytes(tiny())
    (folder / "recipe.yaml").write_text(_RECIPE.format(backend=backend))
    made, variable = PROVIDERS[backend]
    toll, emulator = Toll(), made(_KEY, seconds=0.25)
    async with emulator.running():
        more = {
            f"RELIGHTFLOW_{backend.upper()}_URL": emulator.url,
            "RELIGHTFLOW_REHEARSAL": "no",
            variable: _KEY,
        }
        environ, submits = environment(more), lambda: emulator.seen["submit"]
        while toll.kills < kills:
            # of ten calls, three meet a network that breaks
            how = rng.choices(_HOW, k=3)
            emulator.faults = [Spoil("submit", one, 1, rng.randrange(8)) for one in how]
            code, said = await run(folder, environ, submits, rng.uniform(0, _LONGEST))
            toll.kills += code == -signal.SIGKILL
            _look(folder, toll, emulator)
            if code not in (0, -signal.SIGKILL):
                toll.problems.append(f"exit {code}: {said[-600:]}")
                return toll
            if code == 0:
                break
        emulator.faults = []
        code, said = await run(folder, environ, submits, None)
        if code:
            toll.problems.append(f"the last run ended with {code}: {said[-600:]}")
    _look(folder, toll, emulator)
    toll.unknown_left = _in_doubt(folder)
    toll.delivered = len([*(folder / "out").glob("*.jpg")])
    calls = StateDir(folder / ".relightflow").calls
    toll.bodies_left = len([*calls.iterdir()]) if calls.is_dir() else 0
    return toll


async def run(
    folder: Path, environ: Mapping[str, str], calls: Callable[[], int], lives: float | None
) -> tuple[int, str]:
    """One run, killed `lives` seconds after its first of the `calls`; None: it ends by itself. Its exit code, and
    what it said."""
    before = calls()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "relightflow", "run", "recipe.yaml", "--yes",
        cwd=folder, env={**environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told = asyncio.ensure_future(process.communicate())
    if lives is not None:
        while not told.done() and calls() == before:  # noqa: ASYNC110  no event tells
            await asyncio.sleep(0.01)
        await asyncio.wait({told}, timeout=lives)
        if not told.done():
            os.kill(process.pid, signal.SIGKILL)
    out, _ = await told
    assert process.returncode is not None
    return process.returncode, out.decode(errors="replace")


def _look(folder: Path, toll: Toll, emulator: Emulator) -> None:
    asked = Counter(str(sorted(call.parameters.items())) for call in emulator.bill)
    toll.billed, toll.twice = len(emulator.bill), sum(n - 1 for n in asked.values())
    toll.doubts_most = max(toll.doubts_most, _in_doubt(folder))


def _in_doubt(folder: Path) -> int:
    with open_reader(StateDir(folder / ".relightflow").ledger) as reader:
        return sum(a.state in (State.INTENT, State.UNKNOWN) for a in reader.open_attempts())
