"""The naive script through the same kills and faults, and what it was billed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.reliability.kills import FAULTS, KillPlan, Toll
from benchmarks.reliability.rehearsal import ROOT, Emulated, emulated, environment


def rounds(folder: Path, plan: KillPlan) -> Toll:
    """The script, killed `plan.kills` times, then run until all files are there."""
    options = ("--protocol", plan.work.backend, "--latency", plan.latency, "--seed", str(plan.seed))
    with emulated(folder, *options, plan=FAULTS if plan.faults else "") as provider:
        toll = Toll(jobs=plan.work.jobs)
        rng = Random(plan.seed)
        tries = 0
        while toll.kills < plan.kills and tries < 2 * plan.kills:
            tries += 1
            toll.kills += _kill(folder, plan, provider, rng.uniform(0.0, plan.longest))
        for _ in range(10):
            _start(folder, plan, provider).communicate(timeout=300)
            if len(_files(folder)) == plan.work.jobs:
                break
        bill = provider.bill()
    paid = Counter(json.dumps([row["image"], row["parameters"]], sort_keys=True) for row in bill)
    toll.billed, toll.delivered = len(bill), len(_files(folder))
    toll.twice = sum(count - 1 for count in paid.values())
    return toll


def _files(folder: Path) -> list[Path]:
    return list((folder / "out").glob("*.jpg"))


def _start(folder: Path, plan: KillPlan, provider: Emulated) -> subprocess.Popen[bytes]:
    images = [f"https://example.com/{number}.jpg" for number in range(plan.work.images)]
    module = [sys.executable, "-m", "benchmarks.reliability.naive_client"]
    api = "fal" if plan.work.backend == "fal" else plan.work.api
    given = [provider.url, api, str(plan.work.cells), str(folder / "out"), *images]
    return subprocess.Popen(
        [*module, *given],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _kill(folder: Path, plan: KillPlan, provider: Emulated, delay: float) -> bool:
    """Start it and kill it once it has begun; False: it was done before that."""
    process = _start(folder, plan, provider)
    assert process.stdout
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    return process.returncode == -signal.SIGKILL
