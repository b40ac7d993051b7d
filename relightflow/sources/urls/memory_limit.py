"""Keeps what large downloads hold in memory within a bound, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress


class MemoryLimit:
    """So many bytes, shared. Each download asks once, so two can never wait for each other."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> int:
        """Wait until there is room for `size` bytes (at most all); what was taken, for `give`."""
        size = min(size, self._total)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(size)
            else:
                with suppress(ValueError):
                    self._waiting.remove((size, turn))
                self._admit()
            raise
        return size

    def give(self, size: int) -> None:
        self._free += size
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._free -= size
                turn.set_result(None)
