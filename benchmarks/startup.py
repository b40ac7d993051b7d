"""How long `relightflow --help` takes, beside a process that only imports click, yaml and pluggy."""

from __future__ import annotations

import sys
from statistics import median

from benchmarks.processes import RELIGHTFLOW, Row, taken

GOAL = 1.5
ROUNDS = 15


def measure() -> list[Row]:
    """The two take turns, so that what else the machine does meets both."""
    baseline = (sys.executable, "-c", "import click, yaml, pluggy")
    commands = (baseline, (*RELIGHTFLOW, "--help"))
    rounds = [[taken(command).seconds for command in commands] for _ in range(ROUNDS + 1)][1:]
    bare, ours = (median(times) for times in zip(*rounds, strict=True))
    ratio = median(ours / bare for bare, ours in rounds)
    return [
        ("`python -c 'import click, yaml, pluggy'`", f"{bare * 1000:.0f} ms", "baseline"),
        ("`relightflow --help`, whole process", f"{ours * 1000:.0f} ms", ""),
        ("… as a multiple of the baseline", f"{ratio:.2f} ×", f"≤ {GOAL} ×"),
    ]
