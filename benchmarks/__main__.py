"""Runs the benchmarks and prints one table: `python -m benchmarks [--write] [--whole] [NAME]...`.

`--write` puts it into docs/reference/benchmarks.md, `--whole` measures the engine with 100,000 jobs and
the urls source with as many addresses, and uploads with 1,000 pictures.
A quiet machine is needed for figures; ratios are measured within one run and bear some noise.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from functools import partial

from benchmarks import contact_sheet, engine, planning, preview, provider, s3, startup, urls
from benchmarks.processes import ROOT, Row

PAGE = ROOT / "docs/reference/benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`. Figures are one machine's and vary with what else it does; ratios are measured
within one run, beside a yardstick that does the least that would do.

"""


def table(rows: list[Row]) -> str:
    lines = [f"| {what} | {figure} | {goal} |" for what, figure, goal in rows]
    return "\n".join(["| what | measured | goal |", "|---|---|---|", *lines])


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} at the start"
    return f"{platform.system()}, {cores} cores, Python {platform.python_version()}{load}"


def main(arguments: list[str]) -> None:
    benchmarks: dict[str, Callable[[], list[Row]]] = {
        "startup": startup.measure,
        "planning": planning.measure,
        "engine": partial(engine.measure, "--whole" in arguments),
        "provider": provider.measure,
        "preview": preview.measure,
        "contact_sheet": contact_sheet.measure,
        "s3": partial(s3.measure, "--whole" in arguments),
        "urls": partial(urls.measure, "--whole" in arguments),
    }
    wanted = [name for name in arguments if not name.startswith("--")] or list(benchmarks)
    about = machine()
    rows = [row for name in wanted for row in benchmarks[name]()]
    told = f"{table(rows)}\n\n{about}.\n"
    print(told)
    if "--write" in arguments:
        PAGE.write_text(HEAD + told, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
