"""The whole pipeline against an emulator in the same process, with waits that do not wait.

Real HTTP over loopback, a real ledger, real files. Only the clock is ours: a sleep of a run is
skipped and counted, so that retries, probes and polls of minutes pass at once.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.reliability.audit import Audit, audit
from benchmarks.reliability.rehearsal import Shop, Work, standing_in
from relightflow import api
from relightflow.backends.comfy.adapter import Comfy
from relightflow.backends.comfyui import server as comfyui_server
from relightflow.backends.emulator.account import bill_row
from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.reading import parse
from relightflow.backends.emulator.server import Running, start
from relightflow.backends.fal import queue
from relightflow.backends.fal.adapter import Fal
from relightflow.backends.http import backend
from relightflow.backends.http.polling import ClockFunctions
from relightflow.backends.replicate import predictions
from relightflow.backends.replicate.adapter import Replicate
from relightflow.backends.runware.adapter import Runware
from relightflow.backends.segmind import v1, v2
from relightflow.backends.segmind.adapter import Segmind
from relightflow.errors import Exit, RelightflowError
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry, load
from relightflow.report.summary import summary as words
from relightflow.run import run_opening
from relightflow.store.state_dir import StateDir


class Hurried:
    """A clock whose sleeps are over at once; what was not slept is added to the time."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped

    def wall(self) -> float:
        return time.time() + self.skipped

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.002))
        self.skipped += max(0.0, seconds - 0.002)


PATIENCE = {
    (v2, "SUBMIT_SECONDS"): 1.5,
    (v1, "SHORTEST_SECONDS"): 1.5,
    (v1, "FACTOR"): 0.0,
    (v1, "BODY_SECONDS"): 20.0,
    (queue, "SUBMIT_SECONDS"): 1.5,
    (predictions, "SUBMIT_SECONDS"): 1.5,
    (comfyui_server, "SUBMIT_SECONDS"): 1.5,
    (Comfy, "_patience"): 0.4,
    (Runware, "_patience"): 0.4,
}
"""How long a run waits for the answer to a submit here, in real seconds."""


@contextmanager
def hurried(environ: Mapping[str, str]) -> Iterator[None]:
    """Every run within has a clock of its own that does not wait, and this environment, keys included."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environ))
        clock = Hurried()
        stack.enter_context(mock.patch.object(run_opening, "RealClock", return_value=clock))
        their = ClockFunctions(clock.sleep, clock.monotonic, clock.wall)
        stack.enter_context(mock.patch.object(backend, "ClockFunctions", return_value=their))
        for (module, name), seconds in PATIENCE.items():
            stack.enter_context(mock.patch.object(module, name, seconds))
        for adapter in (Segmind, Fal, Replicate, Comfy, Runware):  # which remember their keys
            ring = replace(adapter._ring, _key="")
            stack.enter_context(mock.patch.object(adapter, "_ring", ring))
        yield


@dataclass(frozen=True, slots=True)
class Came:
    """What one run came to."""

    exit: Exit
    said: str
    audit: Audit
    files: int


@dataclass(slots=True)
class Bought:
    """A shop whose runs happen in this process."""

    shop: Shop
    emulator: Running
    registry: Registry = field(default_factory=load)

    async def run(self, cap: int | None = 100_000_000, **run_options: Any) -> Came:
        notices: list[str] = []
        try:
            code, said = await self._run(RunOptions(_limits(cap), **run_options), notices.append)
        except RelightflowError as error:
            code, said = error.exit_code, str(error)
        files = len(self.shop.delivered())
        return Came(code, "\n".join([said, *notices]), await self.audited(), files)

    async def _run(
        self, run_options: RunOptions, notice: Callable[[str], None]
    ) -> tuple[Exit, str]:
        recipe = api.load(self.shop.folder / "recipe.yaml", self.registry)
        state_dir, operator = StateDir(self.shop.state), OperatorPolicy()
        plan = api.plan(recipe, self.registry, Selection(), operator, state_dir)
        watch = RunCallbacks(on_notice=notice)
        came = await api.run(plan, self.registry, state_dir, run_options, operator, watch)
        return came.exit, words(came)

    async def audited(self) -> Audit:
        rows = [bill_row(record) for record in self.emulator.provider.account]
        billed = [row for row in rows if row["billed"]]
        return await asyncio.to_thread(audit, self.shop.state, billed, self.shop.work.repeat)

    def submits(self) -> int:
        """Billable calls that reached the wire."""
        found: int = self.emulator.requests()["phases"].get("submit", 0)
        return found


@asynccontextmanager
async def buying(
    folder: Path,
    work: Work,
    plan: str = "",
    environ: Mapping[str, str] | None = None,
    **config: Any,
) -> AsyncIterator[Bought]:
    """An emulator with this fault plan and a shop beside it."""
    facts = {"latency": (0.0, 0.0), "image": "tiny", "protocol": work.backend}
    settings = Config(**(facts | config))
    async with await start(settings, plan=parse(plan) if plan else None) as emulator:
        given = standing_in(work.backend, emulator.url, 0)
        with hurried(given | dict(environ or {})):
            yield Bought(Shop(folder, emulator.url, work), emulator)


def _limits(cap: int | None) -> tuple[SpendLimit, ...]:
    return () if cap is None else (SpendLimit(cap, "a test"),)
