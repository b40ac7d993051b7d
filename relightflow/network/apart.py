"""HTTP for functions that block in a worker's process: one event loop in a thread, one session, no retry.

Addresses come from the run's own driver, which has checked them, and bear all that is needed: a signed URL
for one object. Certificates and proxies are those of the worker's environment.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine, Mapping
from functools import cache
from typing import Any, TypeVar

import aiohttp
from yarl import URL

from relightflow.network.body import TooLarge, Unreadable, read_body
from relightflow.network.session import HttpSession, session, timeout

T = TypeVar("T")
_SECONDS = 60.0
"""Without a byte."""
_CAP = 1 << 16
"""Bytes of an answer that only says how it went."""
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError, TooLarge, Unreadable)
_turn = threading.Lock()


def run(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, done in the worker's loop. Blocks."""
    with _turn:
        loop = _loop()
    return asyncio.run_coroutine_threadsafe(work, loop).result()


def at_exit(kept: HttpSession) -> None:
    """Have a session closed when the process ends. Called in the worker's loop."""

    def close() -> None:
        asyncio.run_coroutine_threadsafe(kept.close(), _loop()).result(1.0)

    atexit.register(close)


def get(url: str, most: int, etag: str = "") -> bytes:
    """The bytes at `url`, at most `most` of them. `etag`: of the version that is meant. Raises
    OSError, without the URL, whatever goes wrong."""
    return _asked("GET", url, most, etag=etag)


def put(url: str, data: bytes, headers: Mapping[str, str]) -> None:
    """Put `data` at `url`, with these headers alone. Raises OSError, without the URL."""
    _asked("PUT", url, _CAP, data, headers)


def _asked(
    method: str,
    url: str,
    most: int,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    etag: str = "",
) -> bytes:
    async def ask() -> bytes:
        async with _session().request(
            method, URL(url, encoded=True),  # as it was signed
            data=data, headers=headers, allow_redirects=False, timeout=timeout(_SECONDS),
        ) as response:  # fmt: skip
            if response.status not in (200, 201, 204):
                raise OSError(f"the server answered {response.status}")
            if etag and response.headers.get("ETag", "").strip('"') != etag.strip('"'):
                raise OSError("the server has another version")
            return await read_body(response, most)

    try:
        return run(ask())
    except _BROKEN as problem:
        plain = type(problem) is OSError or isinstance(problem, TooLarge | Unreadable)
        words = (
            str(problem) if plain else getattr(problem, "strerror", "") or type(problem).__name__
        )
        raise OSError(words) from None


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The one of this worker, in a thread that ends with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="network", daemon=True).start()
    return loop


@cache
def _session() -> HttpSession:
    """Called in the worker's loop. To read the certificates takes longer than many a download."""
    made = session()
    at_exit(made)
    return made
