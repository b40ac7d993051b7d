"""A server as a process of its own, ended with the block."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def process(command: Sequence[str | Path], log: Path, **more: Any) -> Iterator[None]:
    """`command` writes to `log`; `more` goes to `Popen`."""
    with log.open("wb") as output:
        run = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **more
        )
    try:
        yield
    finally:
        run.terminate()
        try:
            run.wait(10)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
