"""Pulls the plug at every named place, once and twice, and in the middle of a recovery."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.audit import audit
from benchmarks.reliability.rehearsal import ROOT, Shop, Work, emulated
from relightflow.core.failpoints import POINTS

ARM = "RELIGHTFLOW_CRASH_AT"
KILLED = -signal.SIGKILL
WORK = {api: Work(api, cells=4, concurrency=2) for api in ("v1", "v2")}
NOT_THERE = frozenset(
    {
        *(("v1", name) for name in ("after-accepted", "after-result-known")),
        ("v2", "after-paid"),
        *((api, "recovery-collected") for api in WORK),
    }
)
"""Places that a first run does not pass."""
ONCE = ("recovery-started", "before-manifest", "after-manifest")
"""Places that a run passes once."""


@dataclass(frozen=True, slots=True)
class Plug:
    """Where it is pulled: in a first run, and perhaps in the second one too."""

    api: str
    first: str
    second: str = ""

    def __str__(self) -> str:
        return " then ".join(filter(None, (f"{self.api} {self.first}", self.second)))


def plugs() -> Iterator[Plug]:
    """Every point × protocol × first and second occurrence, and the two points of a recovery."""
    for api in WORK:
        for name in POINTS:
            if (api, name) in NOT_THERE:
                continue
            for nth in (1, 2):
                if nth == 1 or name not in ONCE:
                    yield Plug(api, f"{name}:{nth}")
        in_the_air = "after-paid:2" if api == "v1" else "after-accepted:2"
        for name in ("recovery-started", "recovery-collected", "before-commit", "blob-renamed"):
            yield Plug(api, in_the_air, f"{name}:1")


def pull(folder: Path, plug: Plug, package: Path = ROOT) -> list[str]:
    """What was wrong, in words; nothing, if all is well."""
    problems: list[str] = []
    with emulated(folder, "--latency", "0.05") as provider:
        shop = Shop(folder, provider.url, WORK[plug.api], package)
        for point in filter(None, (plug.first, plug.second)):
            ended = shop.run(env={ARM: point})
            if ended.exit != KILLED:
                problems.append(f"{point} was not reached: exit {ended.exit}: {ended.said[-500:]}")
            now = audit(shop.state, provider.bill())
            if not now.sound:
                problems.append(f"after {point}: {now}")
        runs = shop.finish(4)
        final = audit(shop.state, provider.bill())
        if final.unknown:
            runs += shop.buy_one_more()
            final = audit(shop.state, provider.bill())
        if not final.sound or final.unknown:
            problems.append(f"at the end: {final}")
        if final.billed != shop.work.jobs or len(shop.delivered()) != shop.work.jobs:
            exits = [run.exit for run in runs]
            problems.append(
                f"{final.billed} billed, {len(shop.delivered())} delivered of {shop.work.jobs}; "
                f"exits {exits}: {runs[-1].said[-500:]}"
            )
    return problems
