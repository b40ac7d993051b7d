"""Connections: one session with the API, one without a key for downloads.

Neither retries a call that costs, follows redirects, or goes anywhere but where it is told; see
`relightflow.network.session`.
"""

from __future__ import annotations

import aiohttp
from aiohttp.abc import AbstractResolver

from relightflow.network.session import PublicOnly, session

IMAGE_CAP = 64 << 20
JSON_CAP = 1 << 20


def api_session() -> aiohttp.ClientSession:
    """For the API hosts. The key is no default of the session: each call adds it for its host."""
    return session()


def download_session(
    exempt: str | None, resolver: AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """For results. `exempt`: the host whose address may be private (the override's)."""
    return session(PublicOnly(exempt, resolver))
