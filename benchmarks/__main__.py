"""Runs the benchmarks and prints one table: `python -m benchmarks [--write] [--whole] [NAME]...`.

`--write` puts it into docs/reference/benchmarks.md, `--whole` measures the engine with 100,000 jobs and
the urls source with as many addresses, uploads with 1,000 images, and a cluster with 200,000 jobs.
A quiet machine is needed for figures; ratios are measured within one run and bear some noise.
"""

from __future__ import annotations

import compileall
import importlib
import json
import os
import platform
import subprocess
import sys

from benchmarks.processes import ROOT, Row

PAGE = ROOT / "docs/reference/benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`. The figures are from one machine and vary with its load. Ratios are measured within
one run, against a baseline: a program that does only the minimum of the same task. Processor time is what
the system counted for the process, the kernel's part included; it is nearly the same on a busy machine. File
systems vary most: for some seconds after many files were deleted, ext4 takes up to ten times as long to create
one, and a bare loop then looks nearly as slow as relightflow.

"""
TAIL = """
The share of the bare loop depends on the disk: where creating a file takes most of the time of both, it is near
1; on files in memory a file costs nothing, and the ledger, the checks and the hashes of a job are all there is.
Of the 0.39 ms of processor time that a job takes, the ledger has 0.07, blobs and their index 0.05, checking and
delivering the image 0.06, the last pass with the manifest 0.05, and 0.15 is the event loop: limits, attempts,
outcomes. The first four alone, which the promises ask for, are more than four times such a loop, so 0.9 of it is
out of reach there; so is 0.85 of a bare loop for v1, since committing each call before its first byte, a group at a
time, and syncing each result adds a third to as much again to what that loop takes. Against a loop that commits
as a purchase must, relightflow needs about as much processor time.
"""


def table(rows: list[Row]) -> str:
    lines = [f"| {what} | {figure} | {goal or '–'} |" for what, figure, goal in rows]
    return "\n".join(["| what | measured | goal |", "|---|---|---|", *lines])


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} at the start"
    return f"{platform.system()}, {cores} cores, Python {platform.python_version()}{load}"


NAMES = (
    "startup",
    "planning",
    "plan_file",
    "engine",
    "rates",
    "provider",
    "resume",
    "preview",
    "contact_sheet",
    "gallery",
    "s3",
    "urls",
    "cluster",
)
WHOLE = ("engine", "s3", "urls", "cluster")
"""Those that measure more with `--whole`."""


def apart(name: str, *options: str) -> list[Row]:
    """The rows of one benchmark, from a process of its own: a child's peak memory begins with its
    parent's, and a parent that has drawn images is large."""
    command = [sys.executable, "-m", "benchmarks", "--rows", name, *options]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return [tuple(row) for row in json.loads(ran.stdout.splitlines()[-1])]


def main(arguments: list[str]) -> None:
    names = [name for name in arguments if not name.startswith("--")] or list(NAMES)
    whole = ("--whole",) if "--whole" in arguments else ()
    if "--rows" in arguments:
        measure = importlib.import_module(f"benchmarks.{names[0]}").measure
        print(json.dumps(measure(bool(whole)) if names[0] in WHOLE else measure()))
        return
    # as an installation is; PYTHONDONTWRITEBYTECODE would have every process compile what it imports
    compileall.compile_dir(ROOT / "relightflow", quiet=2)
    about = machine()
    rows = [row for name in names for row in apart(name, *whole)]
    told = f"{table(rows)}\n\n{about}.\n"
    print(told)
    if "--write" in arguments:
        PAGE.write_text(HEAD + told + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
