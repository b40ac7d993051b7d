"""How far a request body got: the fact that tells 'certainly unsent' from 'may have been billed'.

Exceptions do not say it. aiohttp's trace signals nearly do: `on_request_chunk_sent` fires before a
chunk is written, once for a body given as bytes, while asyncio may still hold megabytes of it when
the connection breaks. So the body is a payload of our own: everything but the last piece goes first
and must have left for the kernel; only then is the last piece let go. Before that moment no server
can have had a whole request. After it, any server may.
"""

from __future__ import annotations

from aiohttp import Payload
from aiohttp.abc import AbstractStreamWriter

_PIECE = 1 << 16
LAST = 1 << 10
"""Bytes held back from a body that is too long for one piece."""


class PhasedBody(Payload):
    """A JSON request body that knows whether it may have arrived whole."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, content_type="application/json")
        self._size = len(data)
        self.released = False
        """True from just before the last bytes are handed over: possibly sent."""
        self.writes = 0
        """How often a connection asked for this body; more than once would be a hidden retry."""

    async def write(self, writer: AbstractStreamWriter) -> None:
        self.writes += 1
        if self.writes > 1:
            raise RuntimeError("a billable body is written once")
        data: bytes = self._value
        if len(data) > _PIECE:
            await self._write_head(writer, memoryview(data)[:-LAST])
            data = data[-LAST:]
        self.released = True
        await writer.write(data)

    async def _write_head(self, writer: AbstractStreamWriter, head: memoryview) -> None:
        """Returns when all of `head` has left this process (but for TLS's own small buffer)."""
        transport = getattr(writer, "transport", None)
        if transport is not None:
            transport.set_write_buffer_limits(high=0)
        for start in range(0, len(head), _PIECE):
            await writer.write(head[start : start + _PIECE])
            await writer.drain()
        if transport is not None:
            transport.set_write_buffer_limits()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)
