"""Kills the program again and again while it buys, then holds its ledger against the bill.

After every kill: no job billed twice, every billed call known to the ledger or held as a doubt, and
no more doubts than calls in flight. At the end one run goes on undisturbed: everything is delivered,
nothing is in doubt, and ledger and bill agree to the cent.
"""

from __future__ import annotations

import re
import signal
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from benchmarks.reliability.audit import Audit, audit
from benchmarks.reliability.rehearsal import ROOT, Emulated, Ended, Shop, Work, emulated

FAULTS = """\
rules:
  - {at: submit, probability: 0.01, fault: reset-after-body, with: {billed: true}}
  - {at: submit, probability: 0.01, fault: reset-after-body, with: {billed: false}}
  - {at: submit, probability: 0.01, fault: cut, with: {keep: 0.4}}
  - {at: submit, api: v2, probability: 0.2, fault: late, with: {seconds: 0.2}}
  - {at: [status, result], probability: 0.03, fault: reset-after-body}
  - {at: download, probability: 0.03, fault: cut}
  - {at: [upload, history, asset], probability: 0.03, fault: reset-after-body}
"""
"""Three calls in a hundred meet a network that breaks, wherever they are. Some answers to a submit are
late besides, so that kills meet the time between the bill and the answer in v2 as well."""


@dataclass(slots=True)
class KillPlan:
    work: Work
    seed: int = 0
    kills: int = 40
    faults: bool = False
    latency: str = "0.3-0.5"
    longest: float = 0.9
    """Seconds a run may live once it holds the lock; the shortest is 0."""
    emulator: tuple[str, ...] = ()


@dataclass(slots=True)
class Toll:
    """What the kills came to."""

    jobs: int = 0
    kills: int = 0
    billed: int = 0
    twice: int = 0
    lost: int = 0
    delivered: int = 0
    unknown_most: int = 0
    """Doubts right after a kill, at most."""
    unknown_left: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: Toll) -> None:
        for name in ("jobs", "kills", "billed", "twice", "lost", "delivered", "unknown_left"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unknown_most = max(self.unknown_most, other.unknown_most)
        self.problems += other.problems


def rounds(folder: Path, plan: KillPlan, package: Path = ROOT) -> Toll:
    """Kill, look, kill again; at the end settle up. `package`: where the program's package lies."""
    options = (
        "--protocol",
        plan.work.backend,
        "--latency",
        plan.latency,
        "--seed",
        str(plan.seed),
        *plan.emulator,
    )
    with emulated(folder, *options, plan=FAULTS if plan.faults else "") as provider:
        shop = Shop(folder, provider.url, plan.work, package)
        toll = Toll(jobs=plan.work.jobs)
        rng = Random(plan.seed)
        tries = 0
        while toll.kills < plan.kills and tries < 2 * plan.kills:
            tries += 1
            ended = _kill(shop, rng.uniform(0.0, plan.longest), early=rng.random() < 0.1)
            if ended is None:
                toll.kills += 1
            _look(toll, plan, audit(shop.state, provider.bill(), plan.work.repeat), ended)
            if ended is not None and ended.exit == 0:
                break
            if ended is not None and ended.exit not in (5, 75, 1):
                toll.problems.append(f"exit {ended.exit}: {ended.said[-600:]}")
                break
        _settle_up(toll, plan, shop, provider)
    return toll


def _kill(shop: Shop, delay: float, early: bool) -> Ended | None:
    """Start a run and kill it; what it said, if it ended by itself before that."""
    process = shop.start()
    try:
        began = time.monotonic()
        while not early and not process.ended.is_set() and not _holds(shop, process.pid):
            time.sleep(0.01)
            assert time.monotonic() - began < 60, "the run never took the lock"
        time.sleep(delay)
        process.kill()
    finally:
        said = process.wait()
    return None if said.code == -signal.SIGKILL else Ended(said.code, said.text)


def _holds(shop: Shop, pid: int) -> bool:
    try:
        said = (shop.state / "lock").read_text()
    except OSError:
        return False
    return re.search(rf"\bprocess {pid}\b", said) is not None


def _look(toll: Toll, plan: KillPlan, now: Audit, ended: Ended | None) -> None:
    if plan.work.backend == "comfyui":
        # free, so what is in doubt is READY at once, and the next run finds it at the server
        now = replace(now, lost=())
    if not now.sound:
        toll.problems.append(f"after kill {toll.kills}: {now}")
    intents = now.states.get("INTENT", 0)
    toll.unknown_most = max(toll.unknown_most, intents)
    if intents > plan.work.concurrency:
        toll.problems.append(f"{intents} doubts, and only {plan.work.concurrency} calls in flight")
    if ended is not None and intents:
        toll.problems.append(f"a run that ended by itself left {intents} in INTENT")


def _settle_up(toll: Toll, plan: KillPlan, shop: Shop, provider: Emulated) -> None:
    runs = shop.finish()
    final = audit(shop.state, provider.bill(), plan.work.repeat)
    toll.billed, toll.twice, toll.lost = final.billed, final.twice, len(final.lost)
    toll.delivered, toll.unknown_left = len(shop.delivered()), final.unknown
    if not final.sound or final.unknown:
        toll.problems.append(f"at the end: {final}")
    if runs[-1].exit != 0 or toll.delivered != plan.work.jobs:
        toll.problems.append(
            f"{toll.delivered} delivered, exits {[run.exit for run in runs]}: {runs[-1].said[-600:]}"
        )
