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

from relightflow.backends.http.server_clock import elapsed

_PIECE = 1 << 16
_LATEST = 540.0
"""Seconds after which a body does not leave any more: ten minutes after its call was written down, the provider's
records may be believed that lack it, and another machine may have bought the job. Only a machine that was
suspended is so late."""
LAST = 1 << 10
"""Bytes held back from a body that is too long for one piece."""


class PhasedBody(Payload):
    """A JSON request body that knows whether it may have arrived whole."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, content_type="application/json")
        self._size = len(data)
        self._made = elapsed()
        self.released = False
        """True from just before the last bytes are handed over: possibly sent."""
        self.writes = 0
        """How often a connection asked for this body; more than once would be a hidden retry."""

    async def write(self, writer: AbstractStreamWriter) -> None:
        self.writes += 1
        if self.writes > 1:
            raise RuntimeError("a billable body is written once")
        self._check_early()
        transport = getattr(writer, "transport", None)
        if transport is not None and getattr(transport.get_protocol(), "should_close", False):
            raise OSError("an answer came that nobody had asked for")
        data: bytes = self._value
        if len(data) > _PIECE:
            await self._write_head(writer, memoryview(data)[:-LAST])
            data = data[-LAST:]
            self._check_early()
        self.released = True
        await writer.write(data)

    def _check_early(self) -> None:
        """Raises OSError where this machine was suspended since the call was written down."""
        if elapsed() - self._made > _LATEST:
            raise OSError("this machine was suspended before the call left")

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
