"""A disk that fails at the n-th write and at every one after it, under the real program.

A small library is preloaded that lets libc's writes to the state folder fail (needs a C compiler), so
SQLite, the blob store and the manifest meet the same fault a full or broken disk would give them.
"""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.audit import audit
from benchmarks.reliability.rehearsal import Ended, Shop, Work, emulated
from relightflow.errors import Exit

SOURCE = Path(__file__).with_name("disk_fault.c")
CODES = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}


def library(folder: Path) -> Path:
    """The compiled fault. Raises CalledProcessError where there is no compiler."""
    made = folder / "disk_fault.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return made


@dataclass(frozen=True, slots=True)
class Disk:
    """How the disk under a shop's state behaves."""

    library: Path
    code: str = "ENOSPC"
    at: int = 0
    once: bool = False

    def environment(self, shop: Shop) -> dict[str, str]:
        once = {"FAULT_ONCE": "1"} if self.once else {}
        return {
            "LD_PRELOAD": str(self.library),
            "FAULT_DIR": str(shop.state),
            "FAULT_AT": str(self.at),
            "FAULT_ERRNO": str(CODES[self.code]),
            "FAULT_COUNT": str(shop.folder / "count"),
            **once,
        }


def writes(folder: Path, work: Work, made: Path) -> int:
    """How many writes an undisturbed run makes."""
    with emulated(folder, "--latency", "0") as provider:
        shop = Shop(folder, provider.url, work)
        ended = shop.run(env=Disk(made).environment(shop))
        assert ended.exit == 0, ended
        return int((folder / "count").read_text())


def broken(folder: Path, disk: Disk, work: Work) -> Iterator[str]:
    """A run on `disk`, then some with room, and where a call is in doubt that a later call must vouch
    for, one more purchase. Yields what was wrong, in words."""
    with emulated(folder, "--latency", "0") as provider:
        shop = Shop(folder, provider.url, work)
        first = shop.run(env=disk.environment(shop))
        reached = int((folder / "count").read_text() or 0) >= disk.at
        # SQLite's tidying up when it closes may fail unsaid: what it tidies is durable already
        in_place = first.exit == Exit.OK and len(shop.delivered()) == work.jobs
        if reached and first.exit != Exit.STORAGE and not in_place:
            yield f"exit {first.exit}, not 6: {first.said[-700:]}"
        if "Traceback" in first.said:
            yield f"a traceback: {first.said[-900:]}"
        between = audit(shop.state, provider.bill())
        if not between.sound:
            yield f"after the fault: {between}"
        runs = shop.finish(4)
        if audit(shop.state, provider.bill()).unknown:  # never sent, and no disk took that down
            runs += shop.buy_one_more()
        yield from _with_room(shop, runs, audit(shop.state, provider.bill()))


def _with_room(shop: Shop, runs: list[Ended], final: object) -> Iterator[str]:
    sound = getattr(final, "sound", False) and not getattr(final, "unknown", 1)
    if not sound or getattr(final, "billed", 0) != shop.work.jobs:
        yield f"with room again: {final}"
    if runs[-1].exit != 0 or len(shop.delivered()) != shop.work.jobs:
        yield f"with room again: exits {[r.exit for r in runs]}: {runs[-1].said[-500:]}"
