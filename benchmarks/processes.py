"""Whole processes, measured from outside: seconds and peak memory of exactly one child."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

Row = tuple[str, str, str]
"""What was measured, the figure, and the goal: a line of the table."""

RELIGHTFLOW = (
    sys.executable,
    "-c",
    "import sys; from relightflow.cli import main; sys.exit(main())",
)
"""What the installed command does, without its file having to be there."""


@dataclass(frozen=True, slots=True)
class Taken:
    seconds: float
    mb: float
    """Peak resident memory of the process, in MB of 1024² bytes."""
    out: str
    cpu: float
    """Seconds of processor time, the kernel's for it included: the same on a busy machine, nearly."""


def taken(
    command: Sequence[str], folder: Path | None = None, path: Path | None = None, code: int = 0
) -> Taken:
    """Run `command` in `folder` and wait; `path` is put before the module path.

    Raises AssertionError with what was said where it does not end with `code`.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RELIGHTFLOW_")}
    paths = [str(p) for p in (path, ROOT) if p]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    begun = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert child.stdout
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == code, f"{command} ended with {child.returncode}:\n{out}"
    cpu = usage.ru_utime + usage.ru_stime
    return Taken(seconds, usage.ru_maxrss / 1024, out, cpu)


def case(module: str, *arguments: str, path: Path | None = None) -> dict[str, Any]:
    """What `python -m MODULE …` answers: one JSON object, with its peak memory as `mb`."""
    ran = taken([sys.executable, "-m", module, *arguments], path=path)
    return {**json.loads(ran.out.splitlines()[-1]), "mb": ran.mb}


def file_systems() -> list[tuple[str, Path]]:
    """Where files are written in a benchmark, and what to call it: in memory, where Linux has such a place,
    and in the folder for temporary files."""
    disk = Path(tempfile.gettempdir())
    memory = Path("/dev/shm")
    found = [(f"files on disk ({_kind(disk)})", disk)]
    if memory.is_dir() and os.access(memory, os.W_OK) and _kind(disk) != "tmpfs":
        found.insert(0, ("files in memory (tmpfs)", memory))
    return found


def _kind(folder: Path) -> str:
    """The kind of file system, as `df` tells it; empty where it does not."""
    ran = subprocess.run(
        ["df", "--output=fstype", folder], capture_output=True, text=True, check=False
    )
    return ran.stdout.split()[-1] if ran.returncode == 0 else ""
