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
Loops of free images and of calls of v1 take turns with relightflow on one file system, and each share is that of
the two speeds above it. The time of free images ends, in all three, when all is on the disk; the bare aiohttp loop makes
nothing durable. "The least that keeps the promises" (`benchmarks/least.py`) checks each image and writes files whole; for
free images it keeps an index, a ledger and a manifest, and for a paid call it commits before the first byte and after the
result is on the disk, with one commit for all that wait.

The goal for free images is not met; that for calls of v1 is met where the files are on a disk, whose own time is most of
both, and not where they are in memory. The least that keeps the promises shows how near to the bare loop a program can come;
relightflow takes up to four times its processor time. `run` again misses its goal beside `plan`: for each job it also looks at
the delivered file and writes a line of the manifest. Of the processor time of a free image, the event loop with limits, attempts and outcomes
takes a third, the ledger a fifth (most of it SQLite: triggers, indexes, and the history of each step), blobs and their
index a seventh, delivery a seventh, the last pass with the manifest an eighth. Of that of a call of v1, the event loop with
aiohttp takes more than half, the ledger a sixth, blobs an eleventh, delivery a fifteenth. All but the disk shares one
interpreter lock, so the second core helps little. Where a provider takes a second for a call, this does not limit the speed
of a run.
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
