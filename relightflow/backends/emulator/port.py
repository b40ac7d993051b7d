"""The port an emulator listens on, which can be shut for a while and opened again.

While it is shut, a second socket that never listens stays bound, so that no other program gets the
number and callers are truly refused.
"""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web

from relightflow.errors import UsageError

_BACKLOG = 1024


class Port:
    """Bound when it is made. Raises UsageError where the port is taken.

    `narrow`: connections take in little ahead of the program, so that a large body is still on its
    way when its headers are answered.
    """

    def __init__(self, host: str, port: int, narrow: bool = False) -> None:
        self._narrow = narrow
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._holder = self._bind(host, port)
        except OSError as problem:
            raise UsageError(f"cannot listen on {host}:{port}: {problem.strerror}") from None
        self._host, self._number = self._holder.getsockname()[:2]
        self._server: asyncio.Server | None = None
        self._web: web.Server | None = None
        self._reopening: asyncio.Task[None] | None = None
        self.busy: set[web.RequestHandler] = set()
        """Connections with a call that is being answered."""

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if self._family == socket.AF_INET6 else self._host
        return f"http://{host}:{self._number}"

    async def open(self, server: web.Server) -> None:
        """Listen. Raises UsageError where another program listens already."""
        self._web = server
        loop = asyncio.get_running_loop()
        try:
            listener = self._bind(self._host, self._number)
            self._server = await loop.create_server(server, sock=listener, backlog=_BACKLOG)
        except OSError as problem:
            self._holder.close()
            raise UsageError(f"cannot listen on {self.url}: {problem.strerror}") from None

    def shut(self, seconds: float) -> None:
        """Refuse new connections and end idle ones; open again after `seconds`.

        Calls that are being answered are answered, and their connections closed after that.
        """
        if self._server is None or self._web is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self._web.connections):
            if connection in self.busy:
                connection.close()
            else:
                connection.force_close()
        self._reopening = asyncio.get_running_loop().create_task(self._reopen(seconds))

    async def close(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.wait([self._reopening])
        if self._server is not None:
            self._server.close()
        self._holder.close()

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        assert self._web is not None
        await self.open(self._web)

    def _bind(self, host: str, port: int) -> socket.socket:
        bound = socket.socket(self._family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._narrow:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        return bound
