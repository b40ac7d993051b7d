"""What must hold before one more call is made, beside permit and budget.

Nothing is bought while something that was bought is about to be lost, and nothing that could not be
stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relightflow.run.clock import Clock

CLOSE = 600.0
"""Seconds before the provider forgets an accepted job, from which on nothing new is submitted."""
LOOK = 1.0
"""Seconds between two looks at whether that is over."""
LEAST_FREE = 32 << 20
"""Bytes that must stay free whatever happens: ledger, manifest, summary."""
EXPECTED = 8 << 20
"""Bytes of a result, as long as none was larger."""


class ExpiryGuard:
    """Jobs that the provider works on, and how long it will remember them."""

    def __init__(self, clock: Clock, keeps: float) -> None:
        """`keeps`: seconds for which the provider remembers a request."""
        self._clock = clock
        self._keeps = keeps
        self._since: dict[int, float] = {}

    @contextmanager
    def waiting(self, attempt: int, age: float) -> Iterator[None]:
        """Around the polling of an attempt that was accepted `age` seconds ago."""
        self._since[attempt] = self._clock.monotonic() - age
        try:
            yield
        finally:
            del self._since[attempt]

    @property
    def expiring(self) -> bool:
        """Whether a job that was paid for is about to be forgotten."""
        if not self._since:
            return False
        oldest = next(iter(self._since.values()))  # in the order of acceptance, nearly
        return self._clock.monotonic() - oldest > self._keeps - CLOSE

    async def none_expiring(self) -> None:
        """Returns once nothing is about to be forgotten."""
        while self.expiring:
            await self._clock.sleep(LOOK)


class DiskGuard:
    """Whether the disk has room for what is under way and one more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._largest = EXPECTED

    def seen(self, size: int) -> None:
        """A result of `size` bytes was stored."""
        self._largest = max(self._largest, size)

    def missing(self, in_flight: int) -> int:
        """Bytes that are wanting for `in_flight` calls and one more; 0: there is room.

        Raises OSError where the file system cannot be asked.
        """
        disk = os.statvfs(self.folder)
        needed = LEAST_FREE + (in_flight + 1) * self._largest
        return max(0, needed - disk.f_bavail * disk.f_frsize)
